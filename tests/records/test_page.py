"""docs/records.md says of the store what is so: its tables are the metadata's, its queries run."""

from __future__ import annotations

import re

from sqlalchemy import insert, text

from agents.records.database import Records
from agents.records.tables import metadata, unit_spans, units
from tests.agents.finals import run
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON, YIELD
from tests.records.page import PAGE, with_tables
from tests.records.test_results import published, rig, settle

__all__ = ["rig"]  # the fixture
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def test_the_page_has_every_table_as_it_is() -> None:
    """`python -m tests.records.page` writes them anew."""
    written = PAGE.read_text("utf-8")
    assert with_tables(written) == written
    assert [] == [name for name in metadata.tables if f"### `{name}`" not in written]


def test_every_column_of_results_says_what_it_means() -> None:
    """To whoever reads them with other tools."""
    obvious = {"template", "points", "subject_kind"}
    assert obvious >= {column.name for column in metadata.tables["results"].columns if not column.comment}


async def test_the_queries_of_the_page_answer(rig: Rig, records: Records) -> None:
    """Over two people of a line, one of whom was corrected afterwards."""
    log = published(YIELD.replace("[day]", "[day, shift, month]"))
    log.calendar(MIDNIGHT - 40 * DAY, units="[L1]")
    for name, accepted in (("E1", 9), ("E2", 6)):
        measures = {"inspected": 10, "accepted": accepted}
        log.send(employee_id=name, dims={"line": "L1"}, measures=measures)
        log.send(employee_id=name, event_id="e2", occurred_at=NOON + DAY, dims={"line": "L1"}, measures=measures)
    await settle(rig, log, MIDNIGHT + 60 * DAY)
    run(rig, records)
    log.send(rig.wall, employee_id="E2", event_id="c", corrects="e1", dims={"line": "L1"}, measures={"accepted": 1})
    await settle(rig, log, MIDNIGHT + 60 * DAY + HOUR)
    run(rig, records)
    with records.writing() as connection:
        connection.execute(insert(units), [{"id": "L1", "kind": "team"}])
        connection.execute(insert(unit_spans), [{"unit": "L1", "begins": 0, "name_zh": "一线", "name_en": "Line 1"}])
    with records.reading() as connection:
        months, restated, shifts, shares = (
            [tuple(row) for row in connection.execute(text(query))] for query in QUERIES
        )
    assert [("L1", "Line 1", "op", 155.0, 1)] == [row[1:] for row in months]
    assert ("employee", "E2", "yield", "day", MIDNIGHT, 0.6, 0.7) in [row[:7] for row in restated]
    assert 15 == len(restated)
    early = MIDNIGHT + 6 * HOUR
    assert [(early + DAY, 150.0, 0, None), (early, 160.0, 1, "correction")] == [(row[3], *row[5:]) for row in shifts]
    assert {("L1", "hall@1", "early")} == {row[:3] for row in shifts}
    assert [("E1", "op", "yield", 20.0, 18.0, 0.9), ("E2", "op", "yield", 20.0, 13.0, 0.65)] == shares
