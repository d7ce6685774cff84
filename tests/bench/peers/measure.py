"""Speed is read off the progress itself: from the first commit to the last one that still left a backlog.

So neither a start (JVM, rebalance) nor the wait for a last commit counts, for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tests.bench.peers.machine import Cpu

STILL: Final = 1.0  # seconds without a sample that no busy machine explains
ENOUGH: Final = 4  # levels of progress below which a run is too short for that, and is timed whole


@dataclass(frozen=True, slots=True)
class Sample:
    """How many events were done at a moment (monotonic seconds), and what was spent until then."""

    at: float
    done: int
    spent: Cpu


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. `others`: cores that neither contender nor broker nor this program used, on average."""

    rate: float  # events/s
    warm: float  # events/s of the second half
    cpu: float  # CPU seconds per million events
    broker_cpu: float
    others: float
    short: bool
    stood_still: float = 0.0  # seconds of it in which this program did not run: somebody had stopped the machine's work


def measured(samples: Sequence[Sample], *, whole: bool = False) -> Measured:
    """The figures of a run from its samples, of which the last has everything done. `whole`: from the first sample on.

    That is for whoever commits rarely, and partition by partition then: levels that follow each other are one commit.
    """
    levels = [now for before, now in pairwise(samples) if now.done > before.done]
    short = len(levels) < ENOUGH and not whole
    first, last = (samples[0], samples[-1]) if short or whole else (levels[0], levels[-2])
    middle = min(levels, key=lambda one: abs(one.done - (first.done + last.done) / 2), default=first)
    millions = (last.done - first.done) / 1e6
    spent = last.spent - first.spent
    return Measured(
        rate=_rate(first, last),
        warm=_rate(first, last) if short or whole else _rate(middle, last),
        cpu=spent.contender / millions,
        broker_cpu=spent.broker / millions,
        others=spent.others / (last.at - first.at),
        short=short,
        stood_still=stood_still(one.at for one in samples),
    )


def stood_still(moments: Iterable[float]) -> float:
    """The longest time between two moments that should follow each other at once, if it is too long; else 0."""
    gap = max((now - before for before, now in pairwise(moments)), default=0.0)
    return gap if gap > STILL else 0.0


def _rate(first: Sample, last: Sample) -> float:
    return (last.done - first.done) / max(last.at - first.at, 1e-9)
