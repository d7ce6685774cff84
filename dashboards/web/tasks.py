"""A task is an indicator that counts towards an amount: so much of it is done, so much is to go.

It stands in the window that the page shows, where the indicator has it, else in its shortest calendar window: what is
to be done this month is no less of a task today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dashboards.web.missing import personal_target
from dashboards.web.shapes import adds_up, quotient, rises
from dashboards.web.windows import length_of
from schemas.rows import ScoreRow
from stream.indicator import Indicator


class Task(NamedTuple):
    """`done` and `goal` in units of the measure; `own`: the goal is a personal target."""

    indicator: Indicator
    row: ScoreRow
    done: float
    goal: float
    own: bool

    @property
    def left(self) -> float:
        """What is to go; 0 when it is done."""
        return max(0.0, round(self.goal - self.done, 6))


def tasks(
    items: Sequence[Indicator], rows: Sequence[ScoreRow], window: str, targets: Mapping[str, float]
) -> Iterator[Task]:
    """The tasks among these indicators, whose rows in all windows these are."""
    for item in items:
        row = _row(item, rows, window)
        if row is None or not item.target or not rises(item):
            continue
        if adds_up(item.value):
            yield Task(item, row, float(row.value or 0), item.target, own=False)
        elif (parts := quotient(item.value)) is not None:
            own = personal_target(row, item, targets)
            if own is not None and own[1] > 0:
                yield Task(item, row, float(row.sums.get(parts[0], 0)), round(item.target * own[1], 6), own=True)


def _row(item: Indicator, rows: Sequence[ScoreRow], window: str) -> ScoreRow | None:
    own = [row for row in rows if row.indicator == item.id]
    shown = next((row for row in own if row.window == window), None)
    return shown or min(own, key=lambda row: (row.window.startswith("rolling"), length_of(row.window)), default=None)
