"""How somebody stands to a person or a unit at an instant: own, team (in charge of their unit), subtree, others.

An immutable picture of the tree, of assignments, of who is in charge and of which units show names; a new one is taken
when the tables change (agents/access/directory.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from agents.access.matrix import Relation
from agents.records.tables import assignments, managers, unit_spans, units

SHOWN: Final = "shown"
DEEPEST: Final = 100  # levels; a tree has five or so, and a circle in the tables must not hang anybody


class Span(NamedTuple):
    """Something that holds from `begins` until before `ends` (None: still so). Times in ms since 1970 UTC."""

    begins: int
    ends: int | None
    value: str | None

    def holds(self, at: int) -> bool:
        """Whether it does at this instant."""
        return self.begins <= at and (self.ends is None or at < self.ends)


class Organisation:
    """Where units belong, who works where, who is in charge of what. All of it by instants."""

    __slots__ = ("_assigned", "_names", "_parents", "managed")

    def __init__(
        self,
        parents: Mapping[str, list[Span]],
        assigned: Mapping[str, list[Span]],
        managed: Mapping[str, list[Span]],
        names: Mapping[str, bool] = {},
    ) -> None:
        """By unit: parents (None: the root). By employee: units of their assignments, units in their charge.

        `names`: of units that say so, whether people are shown by name.
        """
        self._parents = parents
        self._names = names
        self._assigned = {who: ([span.begins for span in spans], spans) for who, spans in assigned.items()}
        self.managed = managed

    def unit_of(self, employee: str, at: int) -> str | None:
        """Where somebody works."""
        begins, spans = self._assigned.get(employee, ([], []))
        place = bisect_right(begins, at)
        return spans[place - 1].value if place else None

    def shows_names(self, unit: str | None, at: int) -> bool:
        """Whether the unit's people are shown by name: as it says, or the nearest one above; else not."""
        if unit is None or not self._names:
            return False
        return next((self._names[place] for place in self.line(unit, at) if place in self._names), False)

    def employees(self) -> Iterator[str]:
        """Everybody who has an assignment, at whatever time."""
        yield from self._assigned

    def line(self, unit: str, at: int) -> Iterator[str]:
        """The unit, what it belongs to, and so on to the root."""
        place: str | None = unit
        for _ in range(DEEPEST):
            if place is None:
                return
            yield place
            place = next((span.value for span in self._parents.get(place, ()) if span.holds(at)), None)

    def in_charge(self, employee: str | None, at: int) -> frozenset[str]:
        """The units that somebody is in charge of."""
        spans = self.managed.get(employee, ()) if employee is not None else ()
        return frozenset(span.value for span in spans if span.value is not None and span.holds(at))

    def to_employee(self, viewer: str | None, charge: frozenset[str], subject: str, at: int) -> Relation:
        """How a viewer who is in charge of these units stands to a person."""
        if viewer is not None and viewer == subject:
            return "own"
        unit = self.unit_of(subject, at)
        return "others" if unit is None else self._below(charge, unit, at)

    def to_unit(self, viewer: str | None, charge: frozenset[str], unit: str, at: int) -> Relation:
        """How they stand to a unit; to the one that they work in and are in charge of it is `team`."""
        relation = self._below(charge, unit, at)
        works_there = viewer is not None and self.unit_of(viewer, at) == unit
        return "own" if relation == "others" and works_there else relation

    def _below(self, charge: frozenset[str], unit: str, at: int) -> Relation:
        if unit in charge:
            return "team"
        if charge and any(place in charge for place in self.line(unit, at)):
            return "subtree"
        return "others"


NOBODY: Final = Organisation({}, {}, {})


def read_organisation(connection: Connection) -> Organisation:
    """The tables as they are."""
    parents = select(unit_spans.c.unit, unit_spans.c.begins, unit_spans.c.ends, unit_spans.c.parent)
    assigned = select(assignments.c.employee, assignments.c.begins, assignments.c.unit).order_by(assignments.c.begins)
    managed = select(managers.c.employee, managers.c.begins, managers.c.ends, managers.c.unit)
    names = select(units.c.id, units.c.names).where(units.c.names.is_not(None))
    return Organisation(
        _spans(map(tuple, connection.execute(parents))),
        _spans((employee, begins, None, unit) for employee, begins, unit in connection.execute(assigned)),
        _spans(map(tuple, connection.execute(managed))),
        {row.id: row.names == SHOWN for row in connection.execute(names)},
    )


def _spans(rows: Iterable[tuple[str, int, int | None, str | None]]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for key, begins, ends, value in rows:
        found.setdefault(key, []).append(Span(begins, ends, value))
    return found
