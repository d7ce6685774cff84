"""A unit's score is that of its members' pooled sums, never a mean of rates.

Each member's latest contribution is kept, so the same update twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.instants import parse_rfc3339
from schemas.rows import NO_DATA, ScoreRow, UnitRow
from schemas.updates import Contribution, Pool, UnitUpdate
from stream.plan import plan_of
from stream.rulebook import Rulebook, Version
from stream.score import add_up, rfc3339, version_rows, window_start
from stream.state import Vector

Trend = list[tuple[int, float, float]]


class Units:
    """All units of all partitions, from score updates."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}  # employee -> units contributed to
        self._members: dict[str, dict[str, Contribution]] = {}  # unit -> employee -> latest
        self.changed: set[str] = set()

    def take(self, update: Contribution) -> None:
        """An employee's latest contribution takes the place of the one before."""
        employee_id = update.employee_id
        units = {pool.unit for pool in update.pools} | ({update.unit} if update.unit else set())
        for unit in self._of.get(employee_id, set()) - units:
            self._members[unit].pop(employee_id, None)
            self.changed.add(unit)
        self._of[employee_id] = units
        for unit in units:
            self._members.setdefault(unit, {})[employee_id] = update
        self.changed |= units

    def update(self, unit: str, rules: Rulebook, as_of: int) -> UnitUpdate:
        """The pooled values of a unit as of an instant."""
        members = self._members.get(unit, {})
        newest = max((u.newest for u in members.values() if u.newest is not None), default=None)
        if newest is not None:
            as_of = max(as_of, parse_rfc3339(newest) or as_of)
        rows: list[UnitRow] = []
        for version in self._versions(members.values(), unit, rules, as_of):
            vectors = [pool.vectors for pool in _fitting(members.values(), unit, version)]
            starts = [pool.starts for pool in _fitting(members.values(), unit, version)]
            vectors = [_current(v, s, version, as_of) for v, s in zip(vectors, starts, strict=True)]
            rows.extend(
                _unit_row(unit, row) for row in version_rows(unit, version, add_up(version, vectors), {}, as_of)
            )
        shown = [row for row in rows if row.status != NO_DATA or not row.indicator.startswith("@")]
        mine = sorted(name for name, update in members.items() if update.unit == unit)
        return UnitUpdate(unit, rfc3339(as_of), newest, mine, shown, _trends(members.values(), unit))

    def _versions(self, members: Iterable[Contribution], unit: str, rules: Rulebook, as_of: int) -> list[Version]:
        names = {pool.template for update in members for pool in update.pools if pool.unit == unit}
        found = (rules.in_force(name, as_of) for name in sorted(names))
        return [version for version in found if version is not None]


def _fitting(members: Iterable[Contribution], unit: str, version: Version) -> list[Pool]:
    return [
        pool
        for update in members
        for pool in update.pools
        if pool.unit == unit and (pool.template, pool.version) == version.key
    ]


def _current(vectors: list[list[int]], starts: list[int], version: Version, as_of: int) -> list[Vector]:
    """A contribution to another calendar window than the as-of's counts nothing."""
    current = []
    for slot, vector, start in zip(plan_of(version).slots, vectors, starts, strict=True):
        same = start == 0 or start == window_start(slot.window, version, as_of)
        current.append(vector if same else [0] * len(vector))
    return current


def _unit_row(unit: str, row: ScoreRow) -> UnitRow:
    return UnitRow(
        unit, row.template, row.version, row.indicator, row.window, row.window_start, row.as_of, row.status,
        row.value, row.points, row.n, row.good, row.low, row.high, row.sums,
    )  # fmt: skip


def _trends(members: Iterable[Contribution], unit: str) -> dict[str, Trend]:
    """Members' trends added up by start; those of people who worked in one unit only (others cannot be split)."""
    sums: dict[str, dict[int, tuple[float, float]]] = {}
    for update in members:
        if {pool.unit for pool in update.pools} == {unit}:
            for name, points in update.trends.items():
                by_start = sums.setdefault(name, {})
                for start, n, good in points:
                    before = by_start.get(start, (0, 0))
                    by_start[start] = (before[0] + n, before[1] + good)
    return {name: [(start, *by_start[start]) for start in sorted(by_start)][-12:] for name, by_start in sums.items()}
