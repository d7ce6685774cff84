"""The organisation in the store: read whole, edited, checked whole, and the difference written with its events.

So no sequence of changes can leave what is no organisation, and none of it is there without its event in the outbox.
Look-ups read only what they need.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, func, insert, or_, select, text, update

from agents.records import tables
from agents.records.database import Records
from agents.records.edits import Edit
from agents.records.events import is_of_units, messages, tree_message
from agents.records.rows import (
    KEY_FIELDS,
    TABLES,
    Assignment,
    Change,
    Charge,
    Organisation,
    Span,
    Unit,
    differences,
    keyed,
)
from agents.records.tree import OrganisationError, check
from stream.topics import TEMPLATES

_SQL: Final[Mapping[str, Table]] = {name: tables.metadata.tables[name] for name in TABLES}
_THINGS: Final = ("units", "employees")  # which the other tables refer to
_FEW: Final = 500  # names in a query
_encoder: Final = msgspec.json.Encoder()


def read(connection: Connection) -> Organisation:
    """Everything, over all time."""
    return Organisation(*(keyed(name, _rows(connection, name)) for name in TABLES))


def _rows(connection: Connection, name: str) -> list[Any]:
    row, table = TABLES[name], _SQL[name]
    found = connection.execute(select(*(table.c[field] for field in row._fields)))
    return [row._make(one) for one in found]


def change(records: Records, edit: Edit, *, by: str, now: int) -> list[Change]:
    """One transaction: the edit, its events in the outbox, and who did it. What it changed.

    Raises OrganisationError with all that would be wrong afterwards; nothing is changed then. What people see is
    written in the audit log besides by agents/access/naming.py, which is the way for whoever acts for somebody.
    """

    def work(connection: Connection) -> list[Change]:
        take_turns(connection)
        return changed(connection, edit, by=by, now=now)

    return records.write(work)


def changed(connection: Connection, edit: Edit, *, by: str, now: int) -> list[Change]:
    """As `change`, within a transaction of the caller's that began with `take_turns`."""
    new, found = edited(read(connection), edit)
    _write(connection, found)
    if found:
        connection.execute(insert(tables.changes), [_noted(one, by, now) for one in found])
    tree = [tree_message(new, _tree_number(connection, now))] if is_of_units(found) else []
    if waiting := [*tree, *messages(new, found, now, _removed(connection, found))]:
        connection.execute(insert(tables.outbox), waiting)
    return found


def _removed(connection: Connection, found: Sequence[Change]) -> list[tuple[str, int]]:
    """Employee and instant of each assignment that was ever removed, of those whom changes concern, or of more."""
    whom = {one.key[0] for one in found if one.table == "assignments"}
    own = tables.changes
    query = select(own.c.was).where(own.c.table == "assignments", own.c.became.is_(None))
    if len(whom) <= _FEW:
        query = query.where(own.c.subject.in_(whom))
    rows = [msgspec.json.decode(was) for was in connection.execute(query).scalars()] if whom else []
    return [(row["employee"], row["begins"]) for row in rows]


def _tree_number(connection: Connection, now: int) -> int:
    """Larger than that of each tree before, however the clocks of processes differ."""
    before = connection.execute(select(func.max(tables.outbox.c.made_at)).where(tables.outbox.c.topic == TEMPLATES))
    return max(now, (before.scalar() or 0) + 1)


def preview(records: Records, edit: Edit) -> list[Change]:
    """What `change` would do. Raises OrganisationError."""
    with records.reading() as connection:
        now = read(connection)
    return edited(now, edit)[1]


def edited(now: Organisation, edit: Edit) -> tuple[Organisation, list[Change]]:
    """What becomes of an organisation, and the difference. Raises OrganisationError."""
    new = edit(now)
    if breaches := check(new):
        raise OrganisationError(breaches)
    return new, differences(now, new)


def take_turns(connection: Connection) -> None:
    """Writers wait for each other, as on SQLite: before anything is read, so that it is read as they left it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE unit_spans IN SHARE ROW EXCLUSIVE MODE"))


def _write(connection: Connection, changes: Sequence[Change]) -> None:
    """In an order in which whatever a row refers to is there."""
    facts = [name for name in TABLES if name not in _THINGS]
    for name in _THINGS:
        _put(connection, name, changes)
    for name in facts:
        _drop(connection, name, changes)
        _put(connection, name, changes)
    for name in _THINGS:
        _drop(connection, name, changes)


def _put(connection: Connection, name: str, changes: Sequence[Change]) -> None:
    table, fields = _SQL[name], TABLES[name]._fields
    added = [one.became._asdict() for one in changes if one.table == name and one.was is None and one.became]
    if added:
        connection.execute(insert(table), added)
    changed = [one.became for one in changes if one.table == name and one.was is not None and one.became is not None]
    if changed:
        values: dict[str, Any] = {field: bindparam(f"new_{field}") for field in fields[KEY_FIELDS[name] :]}
        rows = [{f"new_{field}": value for field, value in row._asdict().items()} for row in changed]
        connection.execute(update(table).where(_same(name)).values(values), rows)


def _drop(connection: Connection, name: str, changes: Sequence[Change]) -> None:
    gone = [one.was._asdict() for one in changes if one.table == name and one.became is None and one.was]
    if gone:
        rows = [{f"new_{field}": value for field, value in row.items()} for row in gone]
        connection.execute(delete(_SQL[name]).where(_same(name)), rows)


def _same(name: str) -> Any:
    keys = TABLES[name]._fields[: KEY_FIELDS[name]]
    return and_(*(_SQL[name].c[field] == bindparam(f"new_{field}") for field in keys))


def _noted(change: Change, by: str, now: int) -> dict[str, object]:
    was, became = (None if row is None else _encoder.encode(row._asdict()).decode() for row in change[2:])
    subject = change.key[0]
    return {"made_at": now, "made_by": by, "table": change.table, "subject": subject, "was": was, "became": became}


class Tree(NamedTuple):
    """The units of an instant, by id."""

    spans: Mapping[str, Span]

    def ancestors(self, unit: str) -> list[str]:
        """Those that the unit belongs to, the nearest first."""
        found: list[str] = []
        span = self.spans.get(unit)
        while span is not None and span.parent is not None:
            found.append(span.parent)
            span = self.spans.get(span.parent)
        return found

    def children(self) -> dict[str | None, list[str]]:
        """What belongs to each unit directly, in the order of ids; under None the root."""
        found: dict[str | None, list[str]] = {}
        for unit in sorted(self.spans):
            found.setdefault(self.spans[unit].parent, []).append(unit)
        return found

    def subtree(self, unit: str) -> list[str]:
        """The unit and all that belongs to it, each before its own."""
        below = self.children()
        found = [unit] if unit in self.spans else []
        for one in found:
            found.extend(below.get(one, ()))
        return found


def tree_at(connection: Connection, at: int) -> Tree:
    """The units that exist at an instant."""
    spans = tables.unit_spans
    found = connection.execute(select(*(spans.c[name] for name in Span._fields)).where(_holds(spans, at)))
    return Tree({row.unit: Span._make(row) for row in found})


def units_of(connection: Connection) -> dict[str, Unit]:
    """Each unit that there is at any time."""
    return {unit.id: unit for unit in _rows(connection, "units")}


def assignment_of(connection: Connection, employee: str, at: int) -> Assignment | None:
    """Role and unit of an employee at an instant; None before their first assignment."""
    own = tables.assignments
    query = select(*(own.c[name] for name in Assignment._fields)).where(own.c.employee == employee, own.c.begins <= at)
    found = connection.execute(query.order_by(own.c.begins.desc()).limit(1)).first()
    return None if found is None else Assignment._make(found)


def members_of(connection: Connection, units: Collection[str], at: int) -> list[Assignment]:
    """Who is in one of these units at an instant, by their ids. For all below a unit give `Tree.subtree`."""
    own = tables.assignments
    query = _in_force(at).where(own.c.unit.in_(units)).order_by(own.c.employee)
    return [Assignment._make(row) for row in connection.execute(query)]


def _in_force(at: int) -> Select[Any]:
    """Everybody's assignment of an instant."""
    own, later = tables.assignments, tables.assignments.alias()
    newer = select(later.c.begins).where(
        later.c.employee == own.c.employee, later.c.begins > own.c.begins, later.c.begins <= at
    )
    return select(*(own.c[name] for name in Assignment._fields)).where(own.c.begins <= at, ~newer.exists())


def managers_of(connection: Connection, employee: str, at: int) -> list[Charge]:
    """Who is in charge of an employee's unit at an instant, then of those above it; not the employee."""
    assignment = assignment_of(connection, employee, at)
    if assignment is None or assignment.unit is None:
        return []
    way = [assignment.unit, *tree_at(connection, at).ancestors(assignment.unit)]
    charges = [charge for charge in charges_at(connection, at, way) if charge.employee != employee]
    return sorted(charges, key=lambda charge: (way.index(charge.unit), charge.employee))


def charges_at(connection: Connection, at: int, units: Collection[str] | None = None) -> list[Charge]:
    """Who is in charge of these units (or of any) at an instant."""
    own = tables.managers
    query = select(*(own.c[name] for name in Charge._fields)).where(_holds(own, at))
    if units is not None:
        query = query.where(own.c.unit.in_(units))
    return [Charge._make(row) for row in connection.execute(query.order_by(own.c.unit, own.c.employee))]


def _holds(table: Table, at: int) -> Any:
    return and_(table.c.begins <= at, or_(table.c.ends.is_(None), table.c.ends > at))
