"""The table: medians of the rounds, as ratios to plain Faust and to the ceiling, and what a contender does less."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.peers.contender import Contender
from tests.bench.peers.measure import Measured

BASE: Final = "faust"
CEILING: Final = "librdkafka"
NOTES: Final = """\
second half: without warming up; CPU s/M, broker: CPU seconds per million events of the contender and of the broker;
others: cores that something else used meanwhile; ~: too few events, the start is in the figure;
!: everything stood still for a while, in each of its tries"""


@dataclass(frozen=True, slots=True)
class Line:
    """A contender, how many events it got, and its runs."""

    contender: Contender
    events: int
    runs: Sequence[Measured]

    def middle(self, name: str) -> float:
        """The median of a figure."""
        return float(statistics.median(getattr(run, name) for run in self.runs))


def table(lines: Sequence[Line], employees: int) -> str:
    """Text with a row per contender."""
    rates = {line.contender.key: line.middle("rate") for line in lines}
    title = f"\n{employees:,} employees, one-minute sums, state kept, updates out; medians of {len(lines[0].runs)}"
    head = (
        f"{'contender':<45}{'events':>10}{'events/s':>11}{'second half':>13}{'x plain':>9}{'of ceiling':>12}"
        f"{'CPU s/M':>9}{'broker':>8}{'others':>8}  does less, or otherwise"
    )
    return "\n".join([title, NOTES, head, *(_row(line, rates) for line in lines)])


def _row(line: Line, rates: Mapping[str, float]) -> str:
    one, rate = line.contender, line.middle("rate")
    marks = "~" * any(run.short for run in line.runs) + "!" * any(run.stood_still > 0 for run in line.runs)
    return (
        f"{one.title:<45}{line.events:>10,}{marks + format(rate, ',.0f'):>11}{line.middle('warm'):>13,.0f}"
        f"{_ratio(rate, rates.get(BASE), 1):>9}{_ratio(rate, rates.get(CEILING), 3):>12}"
        f"{line.middle('cpu'):>9.2f}{line.middle('broker_cpu'):>8.2f}{line.middle('others'):>8.2f}  {one.less}"
    )


def _ratio(rate: float, base: float | None, digits: int) -> str:
    return "-" if base is None else f"{rate / base:.{digits}f}"
