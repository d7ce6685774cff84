"""How a unit's people stand: the unit's values, and the distribution of its members' beside the funnel.

Counted now and then, in small slices. No member appears by name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
from functools import lru_cache
from typing import Final, NamedTuple

from stream.charts import ACT, WARN, funnel
from stream.metric_names import YIELD_BUCKETS
from stream.plan import Counted, Line, counted, plan_of
from stream.pool import Member, Units
from stream.rulebook import Rulebook, Version

SLICE: Final = 2_000  # values of people that are counted at once
_LARGEST: Final = 1_000_000  # units in a funnel's sample: beyond it is as narrow as makes no difference


class Key(NamedTuple):
    """Which value of a unit."""

    template: str
    indicator: str
    window: str


class Row(NamedTuple):
    """A pooled value of a unit, and how many people are behind it; `place`: its window's and indicator's in the
    template.
    """

    key: Key
    value: float
    n: float
    people: int
    place: tuple[int, int]


class Spread(NamedTuple):
    """Members of a unit by one rate: how many per bucket, the sum of values, how many lie outside or near an alert.

    `key`: the unit's own value.
    """

    key: Key
    buckets: tuple[int, ...]
    total: float
    warned: int
    acted: int
    drifting: int


class Figures(NamedTuple):
    """Of one unit. `members` belong to it itself, `people` to it or to one that belongs to it."""

    members: int
    people: int
    rows: tuple[Row, ...]
    spreads: tuple[Spread, ...]


def counting(units: Units, rules: Rulebook, unit: str, at: int) -> Generator[None, None, Figures]:
    """What there is to say of a unit as of an instant (ms), with all that belong to it; with pauses."""
    inside, shift = units.within(unit, rules.tree, at), rules.calendars.begins(unit, at)
    rows: list[Row] = []
    spreads: dict[str, _Spreading] = {}
    for version in (v for name in rules.versions if (v := rules.in_force(name, at)) is not None):
        vectors, active = units.vectors(inside, version, at, shift), units.active(inside, version, at, shift)
        for line, place in zip(plan_of(version).lines, _places(version), strict=True):
            whole = counted(line, vectors[line.slot], {})
            if whole.value is None:
                continue
            key = Key(version.key[0], line.indicator.id, line.window.text)
            rows.append(Row(key, whole.value, whole.n or 0.0, active[line.slot], place))
            if line.of is not None and line.indicator.id not in spreads:  # its first window
                spreads[line.indicator.id] = _Spreading(key, version, line, whole)
    people = 0
    for member in units.members(*inside):
        people += 1
        for spread in spreads.values():
            spread.take(member, at, shift)
        if people * (each := max(1, len(spreads))) % SLICE < each:
            yield
    return Figures(units.count(unit), people, tuple(rows), tuple(spread.told() for spread in spreads.values()))


@lru_cache(maxsize=256)
def _places(version: Version) -> tuple[tuple[int, int], ...]:
    """Of each line: the place of its window among its indicator's, and of the indicator."""
    return tuple(
        (window, indicator)
        for indicator, one in enumerate(version.template.indicators)
        for window in range(len(one.windows))
    )


class _Spreading:
    """A spread while its members are counted."""

    def __init__(self, key: Key, version: Version, line: Line, whole: Counted) -> None:
        self._unit, self._version, self._line = key, version, line
        self._share = round((whole.good or 0.0) / whole.n, 4) if whole.n else 0.0
        self._key = f"{version.key[0]}/{line.indicator.id}"
        self._buckets = [0] * (len(YIELD_BUCKETS) + 1)
        self._total, self._warned, self._acted, self._drifting = 0.0, 0, 0, 0

    def take(self, member: Member, at: int, shift: int) -> None:
        self._drifting += self._key in member.drifts
        value, n, _ = counted(self._line, member.vector(self._version, self._line.slot, at, shift), {})
        if value is None or n is None:
            return
        self._buckets[bisect_left(YIELD_BUCKETS, value)] += 1
        self._total += value
        if 0 < self._share < 1 and 1 <= n <= _LARGEST:
            self._warned += value < _lowest(self._share, int(n), WARN)
            self._acted += value < _lowest(self._share, int(n), ACT)

    def told(self) -> Spread:
        return Spread(self._unit, tuple(self._buckets), self._total, self._warned, self._acted, self._drifting)


@lru_cache(maxsize=16_384)
def _lowest(share: float, n: int, level: float) -> float:
    return funnel(share, n, level).low if 0 < share < 1 else 0.0
