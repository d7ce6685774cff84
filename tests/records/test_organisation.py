"""The organisation in a store: a change is whole or not there, its events with it; look-ups answer for any instant."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from agents.records.database import Records
from agents.records.edits import (
    Edit,
    all_of,
    close_unit,
    correct_assignment,
    hire,
    leave,
    move_unit,
    remove_assignment,
    rename_unit,
    set_manager,
    transfer,
    unset_manager,
)
from agents.records.organisation import (
    assignment_of,
    change,
    charges_at,
    managers_of,
    members_of,
    preview,
    read,
    tree_at,
)
from agents.records.rows import NOBODY, Assignment, Charge, Employee
from agents.records.tables import changes, outbox
from agents.records.tree import OrganisationError
from schemas.event import Event, decode_one
from stream.topics import PEOPLE_EVENTS
from tests.records.people import BO, COMPANY, DAY, NOW, T0, company, unit

A, B, C = T0 + 10 * DAY, T0 + 20 * DAY, T0 + 90 * DAY


def do(records: Records, *edits: Edit) -> None:
    """One change per edit."""
    for edit in edits:
        change(records, edit, by="hr", now=NOW)


def said(records: Records) -> list[dict[str, Any]]:
    """The events that wait, as they were written; each is one that a worker takes."""
    with records.reading() as connection:
        mine = select(outbox).where(outbox.c.topic == PEOPLE_EVENTS).order_by(outbox.c.number)
        rows = connection.execute(mine).all()
    for row in rows:
        found = decode_one(row.value, row.key, row.topic, max(NOW, row.due_at), lambda key: True)
        assert isinstance(found, Event), found
        assert row.due_at == found.occurred_at
    return [json.loads(row.value) for row in rows]


def dims(records: Records) -> list[tuple[str, dict[str, str]]]:
    """Instant, role and unit of the events that wait, without those of the beginning."""
    return [(event["occurred_at"][:10], event["dims"]) for event in said(records)][1:]


def test_the_store_holds_what_the_edits_made(records: Records) -> None:
    """Added, changed and removed rows of every table, one transaction each."""
    edits = (
        hire(BO, "lead", "L02", A), set_manager("D1", "E2", A), rename_unit("L01", "一", "One", A),
        move_unit("L02", "north", B), unset_manager("D1", "E2", B), leave("E1", B), close_unit("L01", B),
        remove_assignment("E1", B), correct_assignment("E1", T0, "tester", "L02"),
    )  # fmt: skip
    plan = [COMPANY, *edits[:5], all_of(*edits[5:7]), all_of(*edits[7:])]
    do(records, *plan)
    with records.reading() as connection:
        assert all_of(*plan)(NOBODY) == read(connection)


def test_what_is_refused_changes_nothing(records: Records) -> None:
    """Neither tables nor outbox; all that is wrong is in the error."""
    do(records, COMPANY)
    with pytest.raises(OrganisationError) as refused:
        do(records, close_unit("D1", A))
    assert ["unit L01", "unit L02"] == [str(breach.subject) for breach in refused.value.breaches]
    with pytest.raises(OrganisationError):
        preview(records, close_unit("L01", A))
    with records.reading() as connection:
        assert company() == read(connection)
    assert 1 == len(said(records))


def test_a_preview_changes_nothing(records: Records) -> None:
    """It says what the change would."""
    do(records, COMPANY)
    expected = preview(records, leave("E1", A))
    with records.reading() as connection:
        assert company() == read(connection)
    assert expected == change(records, leave("E1", A), by="hr", now=NOW)


def test_each_change_of_an_assignment_is_an_event(records: Records) -> None:
    """Added, corrected, moved in time and removed: at its instant, and where one was removed, it says what holds."""
    here, there = {"role": "operator", "unit": "L01"}, {"role": "tester", "unit": "L02"}
    do(records, COMPANY, transfer("E1", "tester", "L02", B))
    do(records, correct_assignment("E1", B, "lead", "L02"), correct_assignment("E1", B, "tester", "L02", A))
    do(records, remove_assignment("E1", A), remove_assignment("E1", T0))
    assert [
        ("2026-01-21", there),
        ("2026-01-21", {"role": "lead", "unit": "L02"}),
        ("2026-01-11", there),
        ("2026-01-21", there),
        ("2026-01-11", here),
        ("2026-01-21", here),
        ("2026-01-01", {}),
        ("2026-01-11", {}),
        ("2026-01-21", {}),
    ] == dims(records)


def test_units_and_managers_say_nothing_to_the_log(records: Records) -> None:
    """Events name units by id; where these belong is looked up."""
    do(records, COMPANY, set_manager("L01", "E1", A), move_unit("L01", "north", A))
    assert [] == dims(records)


def test_what_is_said_afterwards_is_a_correction_of_its_own_source(records: Records) -> None:
    """So the log takes it; what begins from now on is a plain event of the source `records`. Ids are all different."""
    do(records, COMPANY, transfer("E1", "tester", "L02", C), transfer("E1", "lead", "L02", B))
    first, ahead, late = said(records)
    assert ("records", None) == (ahead["source"], ahead.get("corrects"))
    assert ("records:2026-01-21T00:00:00.000Z", f"assignment:{B}") == (late["source"], late["corrects"])
    assert 3 == len({first["event_id"], ahead["event_id"], late["event_id"]})


def test_who_changed_what_is_kept(records: Records) -> None:
    """By whom, when, from what to what."""
    do(records, COMPANY, correct_assignment("E1", T0, "tester", "L02"))
    with records.reading() as connection:
        row = connection.execute(select(changes).order_by(changes.c.number.desc())).first()
    assert row is not None
    assert ("hr", NOW, "assignments", "E1") == (row.made_by, row.made_at, row.table, row.subject)
    assert ("operator", "tester") == (json.loads(row.was)["role"], json.loads(row.became)["role"])


def test_changes_at_once_follow_each_other(records: Records) -> None:
    """Four people hire ten each into one line: all are there, with their events."""
    do(records, COMPANY)

    def hires(group: int) -> None:
        for number in range(10):
            do(records, hire(Employee(f"G{group}-{number}", "New"), "operator", "L01", A))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(hires, range(4)))
    with records.reading() as connection:
        assert 41 == len(members_of(connection, ["L01"], A))
    assert 41 == len(said(records))


def test_the_tree_of_an_instant(records: Records) -> None:
    """Ancestors and subtree are those of that instant; a unit that does not exist has neither."""
    do(records, COMPANY, unit("D2", "department", "acme", A), move_unit("L01", "D2", B))
    with records.reading() as connection:
        before, after = tree_at(connection, A), tree_at(connection, B)
        assert {} == tree_at(connection, T0 - 1).spans
    assert ["D1", "north", "acme"] == before.ancestors("L01")
    assert ["D2", "acme"] == after.ancestors("L01")
    assert ["north", "D1", "L01", "L02"] == before.subtree("north")
    assert ["north", "D1", "L02"] == after.subtree("north")
    assert ([], []) == (after.ancestors("L9"), after.subtree("L9"))


def test_people_of_an_instant(records: Records) -> None:
    """Role and unit of one; members of a unit alone and with all below it; leavers are in none."""
    do(records, COMPANY, hire(BO, "lead", "D1", A), transfer("E1", "tester", "L02", B), leave("E1", C))
    with records.reading() as connection:
        assert None is assignment_of(connection, "E1", T0 - 1)
        assert Assignment("E1", T0, "operator", "L01") == assignment_of(connection, "E1", B - 1)
        assert Assignment("E1", B, "tester", "L02") == assignment_of(connection, "E1", B)
        assert ["E1"] == [row.employee for row in members_of(connection, ["L01"], A)]
        assert [] == members_of(connection, ["L01"], B)
        assert ["E1", "E2"] == [row.employee for row in members_of(connection, tree_at(connection, B).subtree("D1"), B)]
        assert ["E2"] == [row.employee for row in members_of(connection, tree_at(connection, C).subtree("acme"), C)]


def test_managers_of_an_instant(records: Records) -> None:
    """Those of the unit first, then those above it; nobody is their own."""
    do(records, COMPANY, hire(BO, "lead", "D1", A), hire(Employee("E3", "Cy"), "head", "acme", A))
    do(records, set_manager("D1", "E2", A, C), set_manager("acme", "E3", A), set_manager("L01", "E1", A))
    with records.reading() as connection:
        assert ["E2", "E3"] == [row.employee for row in managers_of(connection, "E1", B)]
        assert ["E3"] == [row.employee for row in managers_of(connection, "E2", B)]
        assert ["E3"] == [row.employee for row in managers_of(connection, "E1", C)]
        assert [] == managers_of(connection, "E9", B)
        assert [Charge("D1", "E2", A, C)] == charges_at(connection, B, ["D1"])


def test_the_queries_of_the_docs_say_the_same(records: Records) -> None:
    """Who reads the tables with other tools finds what the look-ups find."""
    page = (Path(__file__).parents[2] / "docs" / "organisation.md").read_text("utf-8")
    people, below = re.findall(r"^```sql\n(.*?);\n```", page, re.MULTILINE | re.DOTALL)
    do(records, COMPANY, hire(BO, "lead", "D1", A), transfer("E1", "tester", "L02", B), leave("E1", C))
    with records.reading() as connection:
        for at in (A, B, C):
            tree = tree_at(connection, at)
            found = {(row.employee, row.role, row.unit) for row in connection.execute(text(people), {"T": at})}
            assert {(m.employee, m.role, m.unit) for m in members_of(connection, tree.spans, at)} == found
            units = connection.execute(text(below), {"T": at, "U": "north"}).scalars()
            assert set(tree.subtree("north")) == set(units)
