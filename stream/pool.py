"""A unit's score is that of its members' pooled sums, never a mean of rates.

Each member's latest contribution is kept, packed, and taken out before the next one goes in: the same update twice
changes nothing, and a change costs the same however many members a unit has. Sums are kept of the units in which
events happened; units that others belong to add up theirs when they are asked for (stream/unit_tree.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import add
from typing import Final, NamedTuple

import msgspec

from schemas.instants import parse_rfc3339
from schemas.rows import NO_DATA, ScoreRow, UnitRow
from schemas.updates import Contribution, OpenAlert, Pool, UnitPart, UnitUpdate
from stream.chosen import pooled_by, rfc3339
from stream.plan import plan_of
from stream.rulebook import Rulebook, Version
from stream.score import add_up, version_rows
from stream.state import Vector
from stream.unit_tree import NO_TREE, UnitTree

TREND: Final = 12  # points of a unit's trend


class _Kept(msgspec.Struct, array_like=True, gc=False):
    """What of a contribution has to be taken out again."""

    unit: str
    pools: list[Pool]
    trends: dict[str, list[tuple[int, float, float]]]
    drifts: dict[str, float]
    alerts: list[OpenAlert]
    left: Sequence[tuple[str, int]]


class Member(NamedTuple):
    """A member of a unit: sums by version, as they were last told, and how they stand with their rules.

    `left`: versions that do not assess them any more.
    """

    employee_id: str
    pools: Mapping[tuple[str, int], Pool]
    drifts: Mapping[str, float]
    alerts: Sequence[OpenAlert]
    left: Sequence[tuple[str, int]]

    def vector(self, version: Version, slot: int, as_of: int, shift: int) -> Sequence[int]:
        """Sums of a slot, zeros where they are not of the as-of's window; the unit's shift begins at `shift`."""
        chosen = plan_of(version).slots[slot]
        pool = self.pools.get(version.key)
        if pool is None or pool.starts[slot] != pooled_by(chosen.window, version, as_of, shift):
            return [0] * chosen.width
        return pool.vectors[slot]


_pack: Final = msgspec.msgpack.Encoder()
_unpack: Final = msgspec.msgpack.Decoder(_Kept)


class _Sum:
    """Vectors of one slot of a version that belong to one window start, added up, and of how many members.

    `active` are those whose sums are not all 0.
    """

    __slots__ = ("active", "members", "vector")

    def __init__(self, width: int) -> None:
        self.members = 0
        self.active = 0
        self.vector: Vector = [0] * width

    def add(self, vector: Sequence[int], sign: int) -> None:
        self.members += sign
        self.active += sign if any(vector[1:]) else 0
        into = self.vector
        for index, number in enumerate(vector):
            into[index] += sign * number


class _Unit:
    """Sums of a unit: per version and slot by window start, per trend by start; and whose unit it is now."""

    __slots__ = ("members", "newest", "sums", "trends")

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.newest: str | None = None
        self.sums: dict[tuple[str, int], list[dict[int, _Sum]]] = {}
        self.trends: dict[str, dict[int, list[float]]] = {}

    def pool(self, pool: Pool, sign: int) -> None:
        slots = self.sums.setdefault((pool.template, pool.version), [{} for _ in pool.starts])
        for slot, start, vector in zip(slots, pool.starts, pool.vectors, strict=True):
            total = slot.get(start)
            if total is None:
                total = slot[start] = _Sum(len(vector))
            total.add(vector, sign)
            if total.members == 0:
                del slot[start]
        if not any(slots):
            del self.sums[pool.template, pool.version]

    def trend(self, name: str, points: Sequence[tuple[int, float, float]], sign: int) -> None:
        by_start = self.trends.setdefault(name, {})
        for start, n, good in points:
            total = by_start.setdefault(start, [0, 0.0, 0.0])
            total[0] += sign
            total[1] += sign * n
            total[2] += sign * good
            if not total[0]:
                del by_start[start]


class Units:
    """All units of all partitions, from score updates. `changed` are those that differ from their last update."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}  # employee -> latest contribution
        self._units: dict[str, _Unit] = {}
        self._updates: dict[str, UnitUpdate] = {}  # the last one of each unit that belongs to another
        self._told: set[str] = set()
        self._tree, self._edge = NO_TREE, 0
        self.changed: set[str] = set()

    def take(self, update: Contribution, left: Sequence[tuple[str, int]] = ()) -> None:
        """An employee's latest contribution takes the place of the one before; `left`: see Member."""
        before = self._kept.get(update.employee_id)
        if before is not None:
            self._apply(update.employee_id, _unpack.decode(before), -1)
        kept = _Kept(update.unit, update.pools, update.trends, update.drifts, update.alerts, left)
        self._kept[update.employee_id] = _pack.encode(kept)
        self._apply(update.employee_id, kept, 1)
        if update.newest is not None:
            for unit in (self._units[name] for name in _names(kept)):
                unit.newest = max(unit.newest or "", update.newest)

    def _apply(self, employee_id: str, kept: _Kept, sign: int) -> None:
        for name in _names(kept):
            unit = self._units.setdefault(name, _Unit())
            self.changed.add(name)
            if name == kept.unit:
                (unit.members.add if sign > 0 else unit.members.discard)(employee_id)
        for pool in kept.pools:
            self._units[pool.unit].pool(pool, sign)
        pooled = {pool.unit for pool in kept.pools}
        if len(pooled) == 1:  # trends of people who worked in several units cannot be split
            for name, points in kept.trends.items():
                self._units[kept.pools[0].unit].trend(name, points, sign)

    def names(self) -> list[str]:
        """Of all units that anybody belongs to."""
        return sorted(name for name, unit in self._units.items() if unit.members)

    def all_names(self, tree: UnitTree, as_of: int) -> list[str]:
        """Of these and of all units that they belong to at an instant."""
        names = self.names()
        return sorted({*names, *(above for name in names for above in tree.above(name, as_of))})

    def within(self, unit: str, tree: UnitTree, as_of: int) -> list[str]:
        """A unit and all that belong to it, of which anything is known."""
        return [name for name in tree.subtree(unit, as_of) if name in self._units]

    def count(self, unit: str) -> int:
        """How many belong to a unit itself."""
        return len(self._units[unit].members) if unit in self._units else 0

    def members(self, *units: str) -> Iterator[Member]:
        """Who belongs to some units, each with what they did in these."""
        for employee_id in sorted(name for unit in units for name in self._units[unit].members):
            kept = _unpack.decode(self._kept[employee_id])
            pools: dict[tuple[str, int], Pool] = {}
            for pool in (pool for pool in kept.pools if pool.unit in units):
                key = (pool.template, pool.version)
                pools[key] = _merged(pools[key], pool) if key in pools else pool
            yield Member(employee_id, pools, kept.drifts, kept.alerts, kept.left)

    def alerts(self, employee_id: str) -> Sequence[OpenAlert]:
        """Somebody's open alerts, wherever they belong."""
        kept = self._kept.get(employee_id)
        return () if kept is None else _unpack.decode(kept).alerts

    def vectors(self, units: Sequence[str], version: Version, as_of: int, shift: int) -> list[Vector]:
        """The pooled sums of units by slot of a version, in the windows of the as-of; their shift begins at `shift`."""
        sums = [_current(self._units[unit].sums.get(version.key), version, as_of, shift) for unit in units]
        return sums[0] if len(sums) == 1 else add_up(version, sums)

    def active(self, units: Sequence[str], version: Version, as_of: int, shift: int) -> list[int]:
        """How many people are behind `vectors`; who did something in several of the units counts in each."""
        slots = plan_of(version).slots
        found = [0] * len(slots)
        for sums in (self._units[unit].sums.get(version.key) for unit in units):
            for place, (slot, by_start) in enumerate(zip(slots, sums or (), strict=False)):
                total = by_start.get(pooled_by(slot.window, version, as_of, shift))
                found[place] += 0 if total is None else total.active
        return found

    def take_changed(self, tree: UnitTree, as_of: int) -> list[str]:
        """The units that differ from their last update, those that belong to others before these; then none do."""
        changed, self.changed = self.changed, set()
        edge = bisect_right(tree.edges, as_of)
        if tree is not self._tree or edge != self._edge:
            there = {unit for unit in (*self._tree.units, *tree.units) if self._has_anything(unit, tree, as_of)}
            changed |= there | (self._told & (self._tree.units.keys() | tree.units.keys()))
            self._tree, self._edge = tree, edge
        changed.update([above for unit in changed for above in tree.above(unit, as_of)])
        return sorted(changed, key=lambda unit: (-len(tree.above(unit, as_of)), unit))

    def _has_anything(self, unit: str, tree: UnitTree, as_of: int) -> bool:
        return bool(self.within(unit, tree, as_of))

    def update(self, unit: str, rules: Rulebook, as_of: int) -> UnitUpdate:
        """The pooled values of a unit and of all that belong to it, as of an instant."""
        tree = rules.tree
        inside = self.within(unit, tree, as_of)
        found = [self._units[name] for name in inside]
        newest = max((each.newest for each in found if each.newest is not None), default=None)
        parts = [self._part(part, rules, as_of) for part in tree.children(unit, as_of)]
        parents, known = tree.above(unit, as_of), tree.units.get(unit)
        if newest is not None:
            as_of = max(as_of, parse_rfc3339(newest) or as_of)
        rows: list[UnitRow] = []
        shift = rules.calendars.begins(unit, as_of)
        for template in sorted({template for each in found for template, _ in each.sums}):
            version = rules.in_force(template, as_of)
            if version is not None:
                vectors = self.vectors(inside, version, as_of, shift)
                rows.extend(_unit_row(unit, row) for row in version_rows(unit, version, vectors, {}, as_of, shift))
        shown = [row for row in rows if row.status != NO_DATA or not row.indicator.startswith("@")]
        own = sorted(self._units[unit].members) if unit in self._units else []
        name = {} if known is None else dict(known.name)
        told = UnitUpdate(unit, rfc3339(as_of), newest, own, shown, _trends(found), name, parents, parts)
        self._told.add(unit)
        if parents:
            self._updates[unit] = told
        return told

    def _part(self, unit: str, rules: Rulebook, as_of: int) -> UnitPart:
        """A unit as the one that it belongs to shows it: as it was told last."""
        told = self._updates.get(unit) or self.update(unit, rules, as_of)
        people = sum(map(self.count, self.within(unit, rules.tree, as_of)))
        return UnitPart(unit, told.name, people, told.newest, told.rows, told.trends)


def _trends(units: Sequence[_Unit]) -> dict[str, list[tuple[int, float, float]]]:
    """The trends of units together."""
    sums: dict[str, dict[int, list[float]]] = {}
    for unit in units:
        for name, by_start in unit.trends.items():
            into = sums.setdefault(name, {})
            for start, (_, n, good) in by_start.items():
                total = into.setdefault(start, [0.0, 0.0])
                total[0] += n
                total[1] += good
    return {
        name: [(start, by_start[start][0], by_start[start][1]) for start in sorted(by_start)][-TREND:]
        for name, by_start in sums.items()
    }


def _names(kept: _Kept) -> set[str]:
    """The units that a contribution touches: where events happened, and where the person is now."""
    return {pool.unit for pool in kept.pools} | ({kept.unit} if kept.unit else set())


def _merged(one: Pool, other: Pool) -> Pool:
    """What somebody did in two units; of two windows of a slot the newer one."""
    slots = zip(one.starts, one.vectors, other.starts, other.vectors, strict=True)
    vectors = [
        list(map(add, first, second)) if mine == theirs else first if mine > theirs else second
        for mine, first, theirs, second in slots
    ]
    starts = list(map(max, one.starts, other.starts))
    return Pool(one.unit, one.template, one.version, starts, vectors)


def _current(sums: list[dict[int, _Sum]] | None, version: Version, as_of: int, shift: int) -> list[Vector]:
    """The sums of the windows that the as-of chooses; contributions to other calendar windows count nothing."""
    slots = plan_of(version).slots
    vectors: list[Vector] = []
    for slot, by_start in zip(slots, sums or [{}] * len(slots), strict=True):
        total = by_start.get(pooled_by(slot.window, version, as_of, shift))
        vectors.append([0] * slot.width if total is None else total.vector)
    return vectors


def _unit_row(unit: str, row: ScoreRow) -> UnitRow:
    return UnitRow(
        unit, row.template, row.version, row.indicator, row.window, row.window_start, row.as_of, row.status,
        row.value, row.points, row.n, row.good, row.low, row.high, row.sums, row.allowance, row.adjusted,
    )  # fmt: skip
