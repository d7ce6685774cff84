"""People of the store in pages, by id, by characters, whatever the database's language.

Who they are, and where they are at an instant; who left is there, without role and unit.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from agents.records.tables import assignments, employees

Here = Literal["here", "left"]


class Listed(NamedTuple):
    """Somebody in a list; `name` None: the store does not know them. Role and unit None: not here then."""

    id: str
    name: str | None
    role: str | None = None
    unit: str | None = None


class Asked(NamedTuple):
    """Which people: with this text in id or name, in these units, here or gone; None: any."""

    text: str = ""
    units: Collection[str] | None = None
    here: Here | None = None


def listed(connection: Connection, at: int, asked: Asked, after: str, limit: int) -> list[Listed]:
    """At most `limit` people behind the id `after`."""
    by_id = plain(connection, employees.c.id)
    current = in_force(at)
    query = (
        select(employees.c.id, employees.c.name, current.c.role, current.c.unit)
        .select_from(employees.outerjoin(current, current.c.employee == employees.c.id))
        .where(by_id > after, *_wanted(asked, current))
        .order_by(by_id)
        .limit(limit)
    )
    return [Listed._make(row) for row in connection.execute(query)]


def known_of(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these people whom the store knows."""
    return set(connection.execute(select(employees.c.id).where(employees.c.id.in_(ids))).scalars())


def counted(connection: Connection, at: int) -> tuple[int, int]:
    """How many people are here at an instant, and how many are known and are not."""
    current = in_force(at)
    joined = employees.outerjoin(current, current.c.employee == employees.c.id)
    here, everybody = connection.execute(select(func.count(current.c.unit), func.count()).select_from(joined)).one()
    return here, everybody - here


def plain(connection: Connection, column: Any) -> Any:
    """A text column that sorts by its characters."""
    return column.collate("C") if connection.dialect.name == "postgresql" else column


def in_force(at: int) -> Any:
    """Everybody's assignment at an instant."""
    own = assignments
    newest = (
        select(own.c.employee, func.max(own.c.begins).label("begins"))
        .where(own.c.begins <= at)
        .group_by(own.c.employee)
        .subquery()
    )
    same = and_(own.c.employee == newest.c.employee, own.c.begins == newest.c.begins)
    return select(own.c.employee, own.c.role, own.c.unit).select_from(own.join(newest, same)).subquery()


def _wanted(asked: Asked, current: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.text:
        columns = (employees.c.id, employees.c.name)
        found.append(or_(*(column.icontains(asked.text, autoescape=True) for column in columns)))
    if asked.units is not None:
        found.append(current.c.unit.in_(asked.units))
    if asked.here is not None:
        found.append(current.c.unit.is_not(None) if asked.here == "here" else current.c.unit.is_(None))
    return found
