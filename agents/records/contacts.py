"""What people are called and how to reach them, as the records say."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select

from agents.records.tables import employees


class Contact(NamedTuple):
    """`email` None where the records have none."""

    name: str
    email: str | None


def contacts_of(connection: Connection, ids: Collection[str]) -> dict[str, Contact]:
    """By employee; who is not in the records is left out."""
    c = employees.c
    wanted = select(c.id, c.name, c.email).where(c.id.in_(sorted(ids)))
    return {row.id: Contact(row.name, row.email) for row in connection.execute(wanted)} if ids else {}
