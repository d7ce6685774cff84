"""The company that the plant belongs to, put where users put theirs and the way they do: once, and never over changes.

`company/` is what `scorestream org import` takes, `calendars/` what `scorestream calendars publish` takes. Accounts
have no identity provider: a demo lets its visitors be any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import select

from agents.access.administration import DAY, Administration
from agents.limits import limits_in_force
from agents.publishing import is_published_calendar, publish_calendar
from agents.records.access_tables import accounts, tokens
from agents.records.database import Records
from agents.records.files import read_files
from agents.records.organisation import change, read
from agents.records.outbox import Sender
from agents.records.rows import Organisation
from agents.records.statement import Statement, stating
from agents.settings import Settings
from agents.transport.log import Log
from stream.topics import PEOPLE_EVENTS

HERE: Final = Path(__file__).parent
COMPANY: Final = "lanjiang"
BY: Final = "demo"  # who founded it, in the audit log and among changes
ROLES: Final[Mapping[str, str]] = {  # of accounts, besides that of an employee, by what people are in the company
    "crew-lead": "supervisor",
    "plant-manager": "supervisor",
    "production-manager": "supervisor",
    "managing-director": "supervisor",
    "hr": "hr",
    "auditor": "auditor",
    "it-administrator": "admin",
}
SCREENS: Final = ("L01", "L02", "L03")  # a screen on the wall of each line
SCREEN_DAYS: Final = 365


class AnotherCompany(Exception):
    """The records hold an organisation that is not the demo's; the text names a unit of it."""


def founding() -> Statement:
    """What `company/` states: units, people, who works where, who is in charge."""
    return read_files([HERE / "company"])


def found(records: Records, now: int) -> None:
    """Organisation, accounts and screens, as far as they are not there. Raises AnotherCompany, and changes nothing."""
    with records.reading() as connection:
        there = read(connection)
    if not there.units:
        change(records, stating(founding()), by=BY, now=now)
        with records.reading() as connection:
            there = read(connection)
    elif (COMPANY,) not in there.units:
        raise AnotherCompany(min(unit for (unit,) in there.units))
    _accounts(records, there, now)
    _screens(records, now)


def _accounts(records: Records, organisation: Organisation, now: int) -> None:
    """One for everybody, called as their address is; those that there are stay as somebody may have changed them."""
    with records.reading() as connection:
        known = set(connection.execute(select(accounts.c.name)).scalars())
    roles = {row.employee: row.role or "" for row in organisation.assignments.values()}
    for (employee,), person in organisation.employees.items():
        name = (person.email or employee).partition("@")[0]
        if name not in known:
            given = [ROLES[roles[employee]]] if roles.get(employee) in ROLES else []
            Administration(records, BY, now).add_account(name, employee, given)


def _screens(records: Records, now: int) -> None:
    """Nobody gets to see these tokens: a demo's visitor stands before the screen all the same."""
    live = tokens.c.revoked_at.is_(None) & (tokens.c.expires_at > now + DAY) & (tokens.c.kind == "screen")
    with records.reading() as connection:
        known = set(connection.execute(select(tokens.c.unit).where(live)).scalars())
    for unit in SCREENS:
        if unit not in known:
            Administration(records, BY, now).create_token(f"wall of {unit}", unit, (), SCREEN_DAYS, screen=True)


def introduce(records: Records, log: Log, settings: Settings, now: int) -> int:
    """What the records have to tell the log, before the first event of work; how many records it was."""
    partitions = log.topics()[PEOPLE_EVENTS].partitions
    sender = Sender(records, log, partitions, limits_in_force(log, settings), uuid4().hex)
    try:
        return sender.send(lambda: now)
    finally:
        sender.release()


def publish_calendars(log: Log, now: int) -> None:
    """When the sites and their crews work, as far as the log does not say it yet."""
    for file in sorted((HERE / "calendars").glob("*.yaml")):
        text = file.read_text("utf-8")
        if not is_published_calendar(log, text):
            publish_calendar(log, text, now)
