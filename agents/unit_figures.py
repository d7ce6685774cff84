"""How a unit's people stand, for Grafana: the unit's values, and the distribution of its members' beside the funnel.

Counted now and then in small slices; a scrape reads what was counted last. No member appears by name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from agents.exposition import head, histogram, labels, sample
from stream import metric_names as names
from stream.charts import ACT, WARN, funnel
from stream.metric_names import YIELD_BUCKETS
from stream.plan import Counted, Line, counted, plan_of
from stream.pool import Member, Units
from stream.rulebook import Rulebook, Version

MOST: Final = 4_000  # rows of units that are shown
SLICE: Final = 1_000  # people who are counted at once
_LARGEST: Final = 1_000_000  # units in a funnel's sample: beyond it is as narrow as makes no difference


class Row(NamedTuple):
    """A pooled value of a unit."""

    template: str
    indicator: str
    window: str
    value: float
    n: float


class Spread(NamedTuple):
    """Members of a unit by one rate: how many per bucket, the sum of values, how many lie outside or near an alert."""

    indicator: str
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
        vectors = units.vectors(inside, version, at, shift)
        for line in plan_of(version).lines:
            whole = counted(line, vectors[line.slot], {})
            if whole.value is None:
                continue
            rows.append(Row(version.key[0], line.indicator.id, line.window.text, whole.value, whole.n or 0.0))
            if line.of is not None and line.indicator.id not in spreads:  # its first window
                spreads[line.indicator.id] = _Spreading(version, line, whole)
    people = 0
    for member in units.members(*inside):
        people += 1
        for spread in spreads.values():
            spread.take(member, at, shift)
        if people % SLICE == 0:
            yield
    return Figures(units.count(unit), people, tuple(rows), tuple(spread.told() for spread in spreads.values()))


class _Spreading:
    """A spread while its members are counted."""

    def __init__(self, version: Version, line: Line, whole: Counted) -> None:
        self._version, self._line = version, line
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
        name, buckets = self._line.indicator.id, tuple(self._buckets)
        return Spread(name, buckets, self._total, self._warned, self._acted, self._drifting)


@lru_cache(maxsize=16_384)
def _lowest(share: float, n: int, level: float) -> float:
    return funnel(share, n, level).low if 0 < share < 1 else 0.0


class UnitFigures:
    """The last figures of all units, as text; `step` counts on, unit by unit."""

    def __init__(self) -> None:
        self._known: dict[str, dict[names.Name, str]] = {}  # samples by family
        self._rows: dict[str, int] = {}
        self._waiting: list[str] = []
        self._under_way: Generator[None, None, None] | None = None  # a unit that is being counted

    def step(self, units: Units, rules: Rulebook, at: int) -> bool:
        """Counts a unit, or as many of its people as are counted at once; whether that was the end of a round."""
        if self._under_way is None:
            if not self._waiting:
                self._waiting = units.all_names(rules.tree, at)[::-1]
                self._known = {name: self._known[name] for name in self._waiting if name in self._known}
            if not self._waiting:
                return True
            self._under_way = self._count(units, rules, self._waiting.pop(), at)
        for _ in self._under_way:
            return False
        self._under_way = None
        return not self._waiting

    def _count(self, units: Units, rules: Rulebook, unit: str, at: int) -> Generator[None, None, None]:
        found = yield from counting(units, rules, unit, at)
        shown = sum(count for name, count in self._rows.items() if name != unit and name in self._known)
        rows = found.rows[: max(0, MOST - shown)]
        self._rows[unit] = len(rows)
        self._known[unit] = _samples(unit, found, rows)

    @property
    def units(self) -> list[str]:
        """Those that are known."""
        return list(self._known)

    def text(self) -> str:
        """The exposition of what was counted last."""
        known = list(self._known.values())
        return "".join("".join((head(name), *(samples[name] for samples in known))) for name in _FAMILIES)


_FAMILIES: Final = (
    names.UNIT_SCORE, names.UNIT_SAMPLE, names.UNIT_MEMBERS, names.UNIT_PEOPLE, names.YIELD, names.FUNNEL_OUTSIDE,
    names.DRIFT_MEMBERS,
)  # fmt: skip


def _samples(unit: str, found: Figures, rows: Sequence[Row]) -> dict[names.Name, str]:
    made: dict[names.Name, list[str]] = {name: [] for name in _FAMILIES}
    whose = labels(("unit",), (unit,))
    if found.members:  # so that who counts these counts nobody twice, and no unit that has none
        made[names.UNIT_MEMBERS].append(sample(names.UNIT_MEMBERS, whose, found.members))
    made[names.UNIT_PEOPLE].append(sample(names.UNIT_PEOPLE, whose, found.people))
    for row in rows:
        pairs = labels(names.SCORE_KEYS, (unit, row.template, row.indicator, row.window))
        made[names.UNIT_SCORE].append(sample(names.UNIT_SCORE, pairs, row.value))
        made[names.UNIT_SAMPLE].append(sample(names.UNIT_SAMPLE, pairs, row.n))
    for spread in found.spreads:
        pairs = labels(("unit", "indicator"), (unit, spread.indicator))
        counts = list(accumulate(spread.buckets))
        made[names.YIELD].append(histogram(names.YIELD, pairs, YIELD_BUCKETS, counts, spread.total))
        for limit, number in (("warn", spread.warned), ("act", spread.acted)):
            made[names.FUNNEL_OUTSIDE].append(sample(names.FUNNEL_OUTSIDE, f'{pairs},limit="{limit}"', number))
        made[names.DRIFT_MEMBERS].append(sample(names.DRIFT_MEMBERS, pairs, spread.drifting))
    return {name: "".join(lines) for name, lines in made.items()}
