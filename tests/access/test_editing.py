"""Edits in somebody's name: none is lost to another's, each is in the audit log with what was and what is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from agents.access import editing, naming
from agents.access.audit import verify
from agents.access.editing import ChangedMeanwhile, Seen, Subject, doing, newest, trying
from agents.records.access_tables import audit
from agents.records.database import Records
from agents.records.edits import Edit, all_of, close_unit, hire, leave, rename_unit, show_names, transfer
from agents.records.organisation import change, read
from agents.records.rows import Employee
from agents.records.tables import changes
from agents.records.tree import OrganisationError
from tests.records.conftest import records, records_url
from tests.records.people import BO, COMPANY, DAY, NOW, T0

__all__ = ["records", "records_url"]
ANN, L01 = Subject("employee", "E1"), Subject("unit", "L01")


@pytest.fixture
def acme(records: Records) -> Records:
    """A store with a company in it."""
    change(records, COMPANY, by="os:test", now=NOW)
    return records


def seen(store: Records, *subjects: Subject) -> Seen:
    """What somebody sees who looks now."""
    with store.reading() as connection:
        return Seen(newest(connection), subjects)


def do(store: Records, edit: Edit, looked: Seen, actor: str = "account:li.na") -> int:
    """Makes an edit; how many rows it changed."""
    return len(store.write(doing(edit, looked, "edited", actor, NOW)))


def entries(store: Records) -> list[dict[str, Any]]:
    """The audit log, which holds."""
    with store.reading() as connection:
        assert verify(connection).broken is None
        return [dict(row) for row in connection.execute(select(audit).order_by(audit.c.number)).mappings()]


def test_an_edit_has_its_entry_with_before_and_after(acme: Records) -> None:
    """In the same transaction: the numbers lead to the rows of `changes`."""
    assert 1 == do(acme, rename_unit("L01", "一线", "Line 1", T0), seen(acme, L01))
    (entry,) = entries(acme)
    told = json.loads(entry["detail"])
    assert ("account:li.na", "edited", "unit:L01", "edit-organisation", "done") == tuple(
        entry[name] for name in ("actor", "action", "subject", "right", "outcome")
    )
    (row,) = told["changes"]
    assert ("unit_spans", "L01", "Line 1") == (row["table"], row["was"]["name_en"], row["became"]["name_en"])
    with acme.reading() as connection:
        noted = connection.execute(select(changes).where(changes.c.number == told["numbers"][0])).one()
    assert ("account:li.na", row["became"]) == (noted.made_by, json.loads(noted.became))


def test_what_is_refused_or_changes_nothing_leaves_no_entry(acme: Records) -> None:
    """Neither in the log nor in the tables."""
    with pytest.raises(OrganisationError):
        do(acme, transfer("E1", "operator", "L9", NOW), seen(acme, ANN))
    assert 0 == do(acme, lambda now: now, seen(acme, ANN))
    assert [] == entries(acme)


def test_who_looked_before_another_edit_is_told_of_it(acme: Records) -> None:
    """Their edit is not made; who looks again may make it."""
    looked = seen(acme, ANN)
    do(acme, transfer("E1", "tester", "L02", NOW), looked, "account:bo")
    late = leave("E1", NOW + DAY)
    with pytest.raises(ChangedMeanwhile) as told:
        do(acme, late, looked)
    (found,) = told.value.found
    assert ("account:bo", "assignments", "E1", NOW) == (found.made_by, found.table, found.subject, found.made_at)
    with pytest.raises(ChangedMeanwhile), acme.reading() as connection:
        trying(late, looked)(connection)
    assert 1 == do(acme, late, seen(acme, ANN))


def test_edits_of_others_are_in_nobodys_way(acme: Records) -> None:
    """A unit and an employee of one name are two; who looked at all of it is told of everything."""
    looked, everything = seen(acme, ANN), seen(acme)
    do(acme, hire(BO, "operator", "L02", NOW), seen(acme))
    do(acme, rename_unit("L02", "二线", "Line 2", T0), seen(acme))
    assert 1 == do(acme, transfer("E1", "tester", "L02", NOW), looked)
    with pytest.raises(ChangedMeanwhile):
        do(acme, leave("E2", NOW + DAY), everything)


def test_of_many_at_once_one_is_made(acme: Records) -> None:
    """All of them looked at the same; the others are told who was first."""
    looked = seen(acme, ANN)

    def attempt(number: int) -> str:
        try:
            do(acme, transfer("E1", f"role-{number}", "L02", NOW), looked, f"account:{number}")
        except ChangedMeanwhile as error:
            return error.found[0].made_by
        return "made"

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(attempt, range(8)))
    winner = f"account:{told.index('made')}"
    assert sorted(["made", *[winner] * 7]) == sorted(told)
    assert [winner] == [entry["actor"] for entry in entries(acme)]


def test_an_edit_that_is_tried_changes_nothing(acme: Records) -> None:
    """It says what would be."""
    with acme.reading() as connection:
        tried = trying(close_unit("L02", NOW), seen(acme, Subject("unit", "L02")))(connection)
    assert [("unit_spans", None, NOW)] == [
        (one.table, getattr(one.was, "ends", 0), getattr(one.became, "ends", 0)) for one in tried.changes
    ]
    assert () == tried.reached
    with acme.reading() as connection:
        assert all(span.ends is None for span in read(connection).unit_spans.values())


def test_of_very_many_rows_the_entry_has_a_digest(acme: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says where they are."""
    monkeypatch.setattr(editing, "INLINE", 3)
    many = all_of(*(hire(Employee(f"M{number}", "Name"), "operator", "L01", NOW) for number in range(5)))
    assert 10 == do(acme, many, seen(acme))
    (entry,) = entries(acme)
    told = json.loads(entry["detail"])
    assert ("organisation", 10, 64, False) == (
        entry["subject"], told["count"], len(told["sha256"]), "changes" in told,
    )  # fmt: skip
    with acme.reading() as connection:
        between = changes.c.number.between(*told["numbers"])
        assert 10 == connection.execute(select(func.count()).where(between)).scalar_one()


def test_who_is_named_on_boards_has_an_entry_of_its_own(acme: Records) -> None:
    """By whatever way it is edited, so that whoever looks for such decisions finds them all."""
    do(acme, show_names("L01", "shown"), seen(acme, L01))
    told = [entry for entry in entries(acme) if entry["action"] == naming.ACTION]
    assert [("account:li.na", "unit:L01")] == [(entry["actor"], entry["subject"]) for entry in told]
