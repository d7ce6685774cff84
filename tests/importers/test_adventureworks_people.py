"""AdventureWorks loads as it is: 290 people, 16 departments, every transfer; the same assignments as its events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from agents.importers import adventureworks, adventureworks_people
from agents.importers.tsv import SourceError
from agents.records.database import Records, open_records
from agents.records.events import messages
from agents.records.organisation import assignment_of, change, members_of, tree_at
from agents.records.rows import NOBODY, differences
from agents.records.statement import stating
from agents.records.tables import outbox
from agents.records.tree import check
from schemas.instants import parse_rfc3339
from stream.topics import PEOPLE_EVENTS
from tests.importers.company import changed, write
from tests.importers.real_data import data_path

NOW = 1_790_000_000_000
Said = set[tuple[str, int | None, str | None, str | None]]


def said(values: Iterator[bytes]) -> Said:
    """Employee, T, role and unit of the assignments among these events."""
    found = (json.loads(value) for value in values)
    return {
        (
            event["employee_id"],
            parse_rfc3339(event["occurred_at"]),
            event["dims"].get("role"),
            event["dims"].get("unit"),
        )
        for event in found
        if event["type"] == "people.assignment"
    }


def by_importer(folder: Path) -> Said:
    """What `scorestream import adventureworks` sends."""
    return said(message.value for message in adventureworks.load(folder).messages)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """A store with the real company."""
    statement = adventureworks_people.load(data_path("adventureworks"))
    assert [] == statement.problems
    opened = open_records(f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.sqlite'}")
    change(opened, stating(statement), by="me", now=NOW)
    yield opened
    opened.close()


def test_the_outbox_says_what_the_importer_sends(records: Records) -> None:
    """All 296 assignments, by employee, instant, role and unit."""
    with records.reading() as connection:
        values = list(connection.execute(select(outbox.c.value).where(outbox.c.topic == PEOPLE_EVENTS)).scalars())
    assert 296 == len(values)
    assert by_importer(data_path("adventureworks")) == said(iter(values))


def test_the_tree_is_that_of_the_company(records: Records) -> None:
    """Six groups, sixteen departments; 290 people, 179 of them in production; a buyer who was in marketing first."""
    with records.reading() as connection:
        tree = tree_at(connection, NOW)
        groups = tree.children()["adventureworks"]
        departments = [unit for group in groups for unit in tree.children()[group]]
        assert (6, 16, 23) == (len(groups), len(departments), len(tree.spans))
        assert 290 == len(members_of(connection, tree.spans, NOW))
        assert 179 == len(members_of(connection, ["production"], NOW))
        assert ["group-manufacturing", "adventureworks"] == tree.ancestors("production")
        now = assignment_of(connection, "AW-250", NOW)
        assert now is not None
        first = assignment_of(connection, "AW-250", now.begins - 1)
        assert ("purchasing", True) == (now.unit, first is not None and first.unit != now.unit)


def test_it_may_be_imported_again(records: Records) -> None:
    """Nothing changes."""
    statement = adventureworks_people.load(data_path("adventureworks"))
    assert [] == change(records, stating(statement), by="me", now=NOW)


def test_a_made_up_company_says_the_same_too(tmp_path: Path) -> None:
    """Transfers and leavers, without the real data."""
    statement = adventureworks_people.load(write(tmp_path))
    organisation = stating(statement)(NOBODY)
    assert [] == [*statement.problems, *check(organisation)]
    told = messages(organisation, differences(NOBODY, organisation), NOW)
    assert by_importer(tmp_path) == said(row["value"] for row in told)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        (0, "9", "EmployeeDepartmentHistory.tsv line 1: employee: '9': no table of the folder has this employee"),
        (1, "9", "EmployeeDepartmentHistory.tsv line 1: department: '9': no table of the folder has this department"),
        (3, "soon", "EmployeeDepartmentHistory.tsv line 1: start: 'soon': a date such as"),
    ],
)
def test_a_broken_folder_is_refused(tmp_path: Path, column: int, value: str, why: str) -> None:
    """With the place of the fault."""
    file = "hr/EmployeeDepartmentHistory.tsv"
    with pytest.raises(SourceError, match=why):
        adventureworks_people.load(write(tmp_path, file, changed(file, 0, column, value)))
