"""The demo's company fits its plant, is founded once as users found theirs, and never over somebody's changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from agents.access.administration import Administration
from agents.access.audit import verify
from agents.access.identities import read_identities
from agents.plant import company
from agents.plant.factory import build
from agents.records import tables
from agents.records.access_tables import accounts, audit, tokens
from agents.records.database import Records, open_records
from agents.records.edits import add_unit, transfer
from agents.records.organisation import change, charges_at, members_of, read, tree_at
from agents.records.tree import check
from agents.rules import calendars
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from schemas.instants import DAY, HOUR
from stream.calendars import Calendars
from stream.topics import PEOPLE_EVENTS
from tests.plant.records import START


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """An empty store."""
    made = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield made
    made.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    """An empty log."""
    with EmbeddedLog.open(tmp_path / "log") as made:
        ensure_topics(made, Settings.load({}))
        yield made


def _counts(records: Records) -> list[int]:
    every = (*tables.metadata.sorted_tables,)
    with records.reading() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in every]


def test_everybody_of_the_plant_is_in_their_crew(records: Records) -> None:
    """The operators of the records are those who work in the plant, each with a name, in the crew of their shift."""
    company.found(records, START)
    plant = build(7)
    with records.reading() as connection:
        found = read(connection)
        crews = {crew: {row.employee for row in members_of(connection, [crew], START)} for crew in _crews()}
    assert [] == check(found)
    assert crews == {crew: {one.id for one in plant.people if one.crew == crew} for crew in _crews()}
    assert {row.employee for row in found.assignments.values() if row.role == "operator"} == set().union(
        *crews.values()
    )
    assert all(len(name.split()) > 1 for name in (row.name for row in found.employees.values()))


def test_every_face_of_the_product_has_somebody(records: Records) -> None:
    """Each crew has a lead of its own; there are heads, HR, an auditor, an administrator; each line has a screen."""
    company.found(records, START)
    with records.reading() as connection:
        known = read_identities(connection)
        leads = {charge.unit: charge.employee for charge in charges_at(connection, START)}
        tree = tree_at(connection, START)
    roles = {account: known.of_account(account, START + HOUR) for account in known.accounts}
    by_employee = {viewer.employee: viewer.roles for viewer in roles.values() if viewer is not None}
    assert len(by_employee) == len(known.accounts) == 56
    assert all("supervisor" in by_employee[who] for who in leads.values())
    assert _crews() | {"suzhou-production", "suzhou", "wuxi", "lanjiang"} == set(leads)
    assert {"employee", "supervisor", "hr", "auditor", "admin"} == set().union(*by_employee.values())
    assert {"L01", "L02", "L03"} == {token.unit for token in known.tokens.values() if token.kind == "screen"}
    assert tree.ancestors("L02-B") == ["L02", "suzhou-production", "suzhou", "east", "lanjiang"]


def test_founded_again_nothing_changes(records: Records) -> None:
    """A demo that is started again adds no row, not even to the audit log, and sends nobody twice."""
    company.found(records, START)
    before = _counts(records)
    company.found(records, START + DAY)
    assert before == _counts(records)
    with records.reading() as connection:
        assert verify(connection).broken is None


def test_what_was_changed_meanwhile_stays(records: Records) -> None:
    """Somebody is transferred, an account is disabled, a screen's token revoked: only the screen gets another one."""
    company.found(records, START)
    change(records, transfer("E1101", "operator", "L02-A", START), by="os:test", now=START)
    admin = Administration(records, "os:test", START)
    admin.disable_account("li.na")
    with records.reading() as connection:
        lost = connection.execute(select(tokens.c.id).where(tokens.c.unit == "L02")).scalar_one()
    admin.revoke_token(lost)
    company.found(records, START + DAY)
    with records.reading() as connection:
        assert "E1101" in {row.employee for row in members_of(connection, ["L02-A"], START + DAY)}
        disabled = select(accounts.c.disabled_at).where(accounts.c.name == "li.na")
        assert connection.execute(disabled).scalar_one() == START
        live = select(tokens.c.id).where(tokens.c.unit == "L02", tokens.c.revoked_at.is_(None))
        assert connection.execute(live).scalar_one() != lost


def test_another_organisation_is_left_alone(records: Records) -> None:
    """Whoever names a folder with an organisation of their own is told so; no account of the demo gets into it."""
    change(records, add_unit("acme", "company", None, "艾克米", "Acme", START), by="os:test", now=START)
    with pytest.raises(company.AnotherCompany, match="acme"):
        company.found(records, START)
    with records.reading() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(accounts)).scalar_one()


def test_people_come_to_the_log_through_the_outbox(records: Records, log: EmbeddedLog) -> None:
    """One assignment for everybody, and none again when the demo is started again."""
    company.found(records, START)
    settings = Settings.load({})
    assert company.introduce(records, log, settings, START) == 57  # 56 people and the tree of units
    company.found(records, START + DAY)
    assert company.introduce(records, log, settings, START + DAY) == 0
    sent = [
        row
        for number in range(log.topics()[PEOPLE_EVENTS].partitions)
        for row in log.read(PEOPLE_EVENTS, number, 0, 99)
    ]
    with records.reading() as connection:
        assert len(sent) == len(read(connection).employees) == 56


@pytest.mark.parametrize("hours", range(0, 48, 3))
def test_calendars_say_who_is_at_work(log: EmbeddedLog, hours: int) -> None:
    """Of each line one crew is on shift at any hour, the one whose people the plant has at work; the line always is."""
    company.publish_calendars(log, START)
    company.publish_calendars(log, START + DAY)  # started again
    found = Calendars(entry.calendar for entry in calendars(log))
    at = START + hours * HOUR
    working = {person.crew for person in build(7).on_shift(at)}
    assert working == {crew for crew in _crews() if found.scheduled(crew, at) is not None}
    lines = {crew.split("-")[0]: crew for crew in working}
    assert all(found.begins(line, at) == found.begins(crew, at) for line, crew in lines.items())


def test_who_founded_it_stands_in_the_audit_log(records: Records) -> None:
    """Accounts and tokens of the demo are the demo's doing."""
    company.found(records, START)
    with records.reading() as connection:
        assert {"demo"} == set(connection.execute(select(audit.c.actor)).scalars())


def _crews() -> set[str]:
    return {f"{line}-{crew}" for line in ("L01", "L02", "L03") for crew in "AB"}
