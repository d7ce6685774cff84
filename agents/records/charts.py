"""The organisation to look at: its tree at an instant with how many people are where, one unit, one person, and what
was edited of them last. Nothing is read that is not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, func, select

from agents.records.causes import Edited, decoded
from agents.records.listing import Asked, Listed, in_force, listed
from agents.records.organisation import Tree, charges_at, tree_at, units_of
from agents.records.rows import Assignment, Charge, Employee, Span
from agents.records.tables import assignments, changes, employees, managers, unit_spans, units

LAST: Final = 20  # edits that are shown
MOST_ROLES: Final = 500
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "unit": ("units", "unit_spans", "managers"),
    "employee": ("employees", "assignments"),
}


class Node(NamedTuple):
    """A unit in the tree; `people` are in it itself, `below` in it and all that belongs to it."""

    span: Span
    kind: str
    people: int
    below: int
    charges: tuple[Charge, ...]
    parts: tuple[Node, ...]


class UnitCard(NamedTuple):
    """A unit over all time. Of the instant asked for: all units, people in it itself, and in all that is below."""

    id: str
    kind: str
    spans: tuple[Span, ...]
    charges: tuple[Charge, ...]
    tree: Tree
    people: int
    below: int


class PersonCard(NamedTuple):
    """Somebody over all time."""

    employee: Employee
    history: tuple[Assignment, ...]
    charges: tuple[Charge, ...]


def chart(connection: Connection, at: int) -> list[Node]:
    """The units of an instant, each with those that belong to it; one root, or nothing."""
    tree, known = tree_at(connection, at), units_of(connection)
    people, below = people_at(connection, at), tree.children()
    charges: dict[str, list[Charge]] = {}
    for charge in charges_at(connection, at):
        charges.setdefault(charge.unit, []).append(charge)

    def node(unit: str) -> Node:
        parts = tuple(node(part) for part in below.get(unit, ()))
        own = people.get(unit, 0)
        total = own + sum(part.below for part in parts)
        return Node(tree.spans[unit], known[unit].kind, own, total, tuple(charges.get(unit, ())), parts)

    return [node(root) for root in below.get(None, ())]


def people_at(connection: Connection, at: int) -> dict[str, int]:
    """How many people are in each unit at an instant."""
    current = in_force(at)
    wanted = select(current.c.unit, func.count()).where(current.c.unit.is_not(None)).group_by(current.c.unit)
    return {str(unit): int(number) for unit, number in connection.execute(wanted)}


def unit_card(connection: Connection, unit: str, at: int) -> UnitCard | None:
    """A unit; None when there never was one."""
    kind = connection.execute(select(units.c.kind).where(units.c.id == unit)).scalar()
    if kind is None:
        return None
    spans = _rows(connection, unit_spans, Span, unit_spans.c.unit == unit)
    charges = _rows(connection, managers, Charge, managers.c.unit == unit)
    tree, people = tree_at(connection, at), people_at(connection, at)
    below = sum(people.get(one, 0) for one in tree.subtree(unit))
    return UnitCard(unit, kind, spans, charges, tree, people.get(unit, 0), below)


def people_of(connection: Connection, unit: str, at: int, after: str, limit: int) -> list[Listed]:
    """Who is in a unit itself at an instant, behind an id."""
    return listed(connection, at, Asked(units=[unit]), after, limit)


def names_of(connection: Connection, charges: Collection[Charge]) -> dict[str, str]:
    """What people who are in charge are called, by id."""
    ids = {charge.employee for charge in charges}
    wanted = select(employees.c.id, employees.c.name).where(employees.c.id.in_(ids))
    return {str(id): str(name) for id, name in connection.execute(wanted)}


def person_card(connection: Connection, employee: str) -> PersonCard | None:
    """Somebody; None when the store does not know them."""
    found = _rows(connection, employees, Employee, employees.c.id == employee)
    if not found:
        return None
    history = _rows(connection, assignments, Assignment, assignments.c.employee == employee)
    return PersonCard(found[0], history, _rows(connection, managers, Charge, managers.c.employee == employee))


def last_edits(connection: Connection, kind: Literal["unit", "employee"], id: str) -> list[Edited]:
    """The newest edits of a unit or a person, the newest first."""
    c = changes.c
    wanted = select(c.made_at, c.made_by, c.table, c.subject, c.was, c.became)
    wanted = wanted.where(c.subject == id, c.table.in_(TABLES[kind])).order_by(c.number.desc()).limit(LAST)
    return [Edited(*row[:4], *map(decoded, row[4:])) for row in connection.execute(wanted)]


def roles_of(connection: Connection) -> list[str]:
    """The roles that anybody ever had."""
    role = assignments.c.role
    wanted = select(role).where(role.is_not(None)).distinct().order_by(role).limit(MOST_ROLES)
    return list(connection.execute(wanted).scalars())


def _rows(connection: Connection, table: Any, row: Any, where: Any) -> tuple[Any, ...]:
    """Rows as values, in the order of time."""
    query = select(*(table.c[name] for name in row._fields)).where(where)
    ordered = query.order_by(table.c.begins) if "begins" in row._fields else query
    return tuple(row._make(found) for found in connection.execute(ordered))
