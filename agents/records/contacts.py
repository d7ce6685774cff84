"""What people are called and how to reach them, as the records say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from agents.records.access_tables import accounts
from agents.records.tables import employees

PREFIX: Final = "account:"


class Contact(NamedTuple):
    """`email` None where the records have none."""

    name: str
    email: str | None


def contacts_of(connection: Connection, ids: Collection[str]) -> dict[str, Contact]:
    """By employee; who is not in the records is left out."""
    c = employees.c
    wanted = select(c.id, c.name, c.email).where(c.id.in_(sorted(ids)))
    return {row.id: Contact(row.name, row.email) for row in connection.execute(wanted)} if ids else {}


def signed_by(connection: Connection, actors: Collection[str]) -> dict[str, str]:
    """What people are called who acted under an account (`account:NAME`); who is no employee is left out."""
    accounts_of = {actor.removeprefix(PREFIX): actor for actor in actors}
    wanted = select(accounts.c.name, employees.c.name.label("called")).join(
        employees, accounts.c.employee == employees.c.id
    )
    rows = connection.execute(wanted.where(accounts.c.name.in_(sorted(accounts_of)))) if accounts_of else ()
    return {accounts_of[row.name]: row.called for row in rows}
