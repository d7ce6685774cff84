"""The first tick of a partition in a minute closes it; decided is a minute that all partitions have closed."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from agents.oracle.known import Knowledge
from agents.oracle.log import MINUTE
from agents.oracle.rulebook import Rulebook
from agents.oracle.rules import BelowUnit, Drift, Ewma, Level

HOME = 0  # the partition whose ticks say under which rules units decide


class Closing(NamedTuple):
    """A minute (ms) and the tick, by its position in the partition, that closes it."""

    minute: int
    tick: int


def closings_of(known: Knowledge) -> list[Closing]:
    """The minutes that a partition closes: those in which it ticks while it knows of any rule that units look at."""
    times, found = known.ticks.times, list[Closing]()
    borders = sorted({0, *known.changes, len(times)})
    for begin, end in pairwise(borders):
        tick = begin
        while tick < end and _awaits_units(known.rulebook(begin)):
            minute = times[tick] // MINUTE * MINUTE
            if not found or minute > found[-1].minute:
                found.append(Closing(minute, tick))
            tick = bisect_left(times, found[-1].minute + MINUTE, tick, end)
    return found


def decided_in(closings: Iterable[Sequence[Closing]]) -> list[int]:
    """The minutes that all partitions close, ascending."""
    closed = [{closing.minute for closing in own} for own in closings]
    return sorted(set.intersection(*closed)) if closed else []


def ticks_of(closings: Sequence[Closing]) -> Mapping[int, int]:
    """The tick that closes each minute."""
    return {closing.minute: closing.tick for closing in closings}


def _awaits_units(rulebook: Rulebook) -> bool:
    looked_at = (BelowUnit, Drift, Ewma, Level)
    indicators = (one for version in rulebook.versions for one in version.template.indicators)
    return any(isinstance(rule.condition, looked_at) for one in indicators for rule in one.rules)
