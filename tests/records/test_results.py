"""A result is written when its window closes and stays as it is; when the past changes, a further row restates it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from agents.records.database import Records, RecordsError
from agents.records.result_parts import pending
from agents.records.results import Superseded, begin
from agents.results import close
from agents.transport.embedded.log import Outgoing
from schemas.instants import parse_rfc3339
from stream.topics import ORGANISATION, TEMPLATES
from stream.unit_tree import Place, Unit, write_tree
from tests.agents.finals import Row, run, stored, wrong
from tests.agents.rig import LIMITS, Rig
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON, PARTITIONS, YIELD, Log, template

T = TypeVar("T")
Places = Sequence[tuple[str | None, int, int]]
MONTHLY = YIELD.replace("[day]", "[day, month]")
QUOTA = YIELD.replace("value: accepted / inspected", 'value: accepted / target("quota")').replace(
    "target: 0.5", "target: 1"
)
FOREVER = 1 << 62
LONG_AGO = MIDNIGHT - 1_000 * DAY


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A worker over an empty log; it is noon."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    made = Rig(folder, PARTITIONS, NOON, LIMITS)
    yield made
    made.close()
    shutil.rmtree(folder)


async def settle(rig: Rig, log: Log, wall: int) -> None:
    """What was sent is scored, and it is `wall`."""
    rig.write(log)
    rig.wall = wall
    await rig.drain()


def of(records: Records, indicator: str = "yield", **fields: Any) -> list[Row]:
    """All rows of an indicator with these fields."""
    rows = stored(records, latest=False)
    return [row for row in rows if row["indicator"] == indicator and fields.items() <= row.items()]


def values(rows: list[Row]) -> list[tuple[int, str, float | None]]:
    """Number, status and value of each."""
    return [(row["number"], row["status"], row["value"]) for row in rows]


def published(*indicators: str, **fields: Any) -> Log:
    """A log with a template that is for everyone."""
    log = Log()
    log.publish(template(*indicators, **fields), at=MIDNIGHT - 40 * DAY)
    return log


async def test_a_window_closes_when_no_event_can_enter_it_any_more(rig: Rig, records: Records) -> None:
    """Seven days after its end, to the millisecond, by the newest tick of every partition."""
    log = published()
    log.send(dims={"line": "L1"})
    await settle(rig, log, MIDNIGHT + 8 * DAY - 1)
    assert 0 == run(rig, records).written
    await settle(rig, log, MIDNIGHT + 8 * DAY)
    closing = run(rig, records)
    assert (MIDNIGHT + DAY, 10, 0) == (closing.until, closing.written, closing.restated)
    (row,) = of(records, subject_kind="employee")
    expected = {
        "subject": "E1", "template": "op", "version": 1, "window_kind": "day", "window_start": MIDNIGHT, "number": 0,
        "window_end": MIDNIGHT + DAY, "as_of": MIDNIGHT + DAY - 1, "status": "ok", "value": 1.0, "points": 200.0,
        "n": 1.0, "good": 1.0, "target": 0.5, "sums": '{"accepted":1,"inspected":1}', "known_at": MIDNIGHT + 8 * DAY,
        "computed_at": rig.wall, "allowance": None,
    }  # fmt: skip
    assert expected.items() <= row.items()
    assert [("L1", 1.0)] == [(row["subject"], row["value"]) for row in of(records, subject_kind="unit")]


async def test_closing_twice_changes_nothing(rig: Rig, records: Records) -> None:
    """Neither at once nor on the next day."""
    log = published()
    log.send()
    await settle(rig, log, MIDNIGHT + 9 * DAY)
    run(rig, records)
    before = stored(records, latest=False)
    assert 0 == run(rig, records).written
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    assert 0 == run(rig, records).written
    assert before == stored(records, latest=False)


async def test_a_correction_restates_its_windows_and_no_others(rig: Rig, records: Records) -> None:
    """Of the person and of the unit; exactly those that changed, with the next number."""
    log = published(MONTHLY)
    log.send(dims={"line": "L1"}, measures={"inspected": 10, "accepted": 9})
    log.send(event_id="e2", occurred_at=NOON + DAY, dims={"line": "L1"})
    await settle(rig, log, MIDNIGHT + 60 * DAY)
    assert 30 == run(rig, records).written
    log.send(
        rig.wall - HOUR, event_id="c1", corrects="e1", dims={"line": "L1"}, measures={"accepted": -2.000001}
    )  # fmt: skip
    await settle(rig, log, MIDNIGHT + 60 * DAY + HOUR)
    closing = run(rig, records)
    assert (closing.written, closing.restated) == (12, 12)  # yield, @performance and @total, of 2 windows, twice
    day = of(records, subject="L1", window_kind="day", window_start=MIDNIGHT)
    assert [(0, "ok", 0.9), (1, "ok", 0.6999999)] == values(day)
    assert {"accepted": 6.999999, "inspected": 10} == json.loads(day[1]["sums"])
    assert [0] == [row["number"] for row in of(records, subject="E1", window_start=MIDNIGHT + DAY)]
    assert [] == wrong(rig, records, MIDNIGHT + 53 * DAY)


async def test_a_late_assignment_moves_results_from_unit_to_unit(rig: Rig, records: Records) -> None:
    """The unit that has nothing left says so with a numbered row; one that had nothing gets number 0."""
    log = published()
    log.assign(MIDNIGHT - DAY, unit="L1")
    log.send()
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    run(rig, records)
    log.assign(MIDNIGHT, sent_at=MIDNIGHT, unit="L2")  # an import: its log time is its own
    await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)
    run(rig, records)
    assert [(0, "ok", 1.0), (1, "no_data", None)] == values(of(records, subject="L1"))
    assert [(0, "ok", 1.0)] == values(of(records, subject="L2"))
    assert [(0, "ok", 1.0)] == values(of(records, subject="E1"))
    assert [] == wrong(rig, records, MIDNIGHT + 3 * DAY)


async def test_a_role_that_is_taken_back_leaves_no_data(rig: Rig, records: Records) -> None:
    """Nobody assesses them at the window's end any more: every row of it is followed by one without data."""
    log = published(applies_to="{roles: [operator]}")
    log.assign(MIDNIGHT - DAY, role="operator")
    log.send()
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    run(rig, records)
    log.assign(MIDNIGHT - DAY, sent_at=MIDNIGHT - DAY, role="guest")
    await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)
    run(rig, records)
    rows = of(records, subject="E1")
    assert [(0, "ok", 1.0), (1, "no_data", None)] == values(rows)
    assert ("{}", None) == (rows[1]["sums"], rows[1]["n"])
    assert 0 == run(rig, records).written


async def test_a_target_that_comes_late_restates_what_follows_it(rig: Rig, records: Records) -> None:
    """And not the windows that ended before it."""
    log = published(QUOTA)
    log.target(MIDNIGHT - DAY, quota=2)
    log.send(occurred_at=NOON)
    log.send(event_id="e2", occurred_at=NOON + DAY)
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    run(rig, records)
    log.target(MIDNIGHT + DAY, sent_at=MIDNIGHT + DAY, quota=4)
    await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)
    run(rig, records)
    assert [(0, "ok", 0.5)] == values(of(records, window_start=MIDNIGHT, subject="E1"))
    assert [(0, "ok", 0.5), (1, "ok", 0.25)] == values(of(records, window_start=MIDNIGHT + DAY, subject="E1"))


async def test_a_first_template_releases_what_was_held(rig: Rig, records: Records) -> None:
    """Windows that had closed without a result get one, number 0."""
    log = Log()
    log.send()
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    assert 0 == run(rig, records).written
    log.publish(template(effective_from="2026-03-01T00:00:00Z"), at=MIDNIGHT + 10 * DAY)
    await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)
    assert 5 == run(rig, records).written
    assert [(0, "ok", 1.0)] == values(of(records))


async def test_an_import_into_the_past_restates_it(rig: Rig, records: Records) -> None:
    """Plain events whose log time is their own are not late, however old."""
    log = published()
    log.send()
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    run(rig, records)
    log.send(event_id="e2", source="import", measures={"inspected": 3, "accepted": 0})
    await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)
    run(rig, records)
    assert [(0, "ok", 1.0), (1, "ok", 0.25)] == values(of(records))


async def test_what_was_held_for_too_long_is_in_no_result(rig: Rig, records: Records) -> None:
    """It became late at a tick: a template that is published afterwards does not count it any more."""
    log = Log()
    log.send()
    log.send(event_id="e2", occurred_at=NOON + 2 * DAY)
    await settle(rig, log, NOON + 401 * DAY)
    log.publish(template(effective_from="2026-03-01T00:00:00Z"), at=rig.wall)
    await settle(rig, log, NOON + 401 * DAY + HOUR)
    run(rig, records)
    assert [MIDNIGHT + 2 * DAY] == [row["window_start"] for row in of(records)]


async def test_only_what_is_committed_is_in_a_result(rig: Rig, records: Records) -> None:
    """A record that nobody has applied yet restates it once somebody has; nothing waits any more afterwards."""
    log = published()
    log.send(dims={"line": "L1"})
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    log.send(rig.wall, event_id="c", corrects="e1", measures={"accepted": -1}, dims={"line": "L1"})
    rig.write(log)
    run(rig, records)
    assert [(0, "ok", 1.0)] == values(of(records, subject="L1"))
    await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)
    run(rig, records)
    assert [(0, "ok", 1.0), (1, "ok", 0.0)] == values(of(records, subject="L1"))
    with records.reading() as connection:
        assert [] == pending(connection)


async def test_days_of_23_and_25_hours_close_as_days(rig: Rig, records: Records) -> None:
    """In the template's zone."""
    log = published(timezone="Europe/Berlin")
    for number, day in enumerate(("2026-03-29", "2026-10-25")):
        at = parse_rfc3339(f"{day}T12:00:00+01:00")
        assert at is not None
        log.send(event_id=f"e{number}", occurred_at=at)
    await settle(rig, log, MIDNIGHT + 300 * DAY)
    run(rig, records)
    assert [23, 25] == [(row["window_end"] - row["window_start"]) / HOUR for row in of(records)]
    assert [] == wrong(rig, records, MIDNIGHT + 293 * DAY)


async def test_a_version_in_the_middle_of_a_month_cuts_it(rig: Rig, records: Records) -> None:
    """The month's result is of the version in force at its end, over that version's own time; days are whole."""
    log = published(MONTHLY)
    log.publish(template(MONTHLY, version=2, effective_from="2026-03-10T00:00:00Z"), at=MIDNIGHT)
    log.send(measures={"inspected": 2, "accepted": 0}, dims={"line": "L1"})
    log.send(event_id="e2", occurred_at=NOON + 10 * DAY, dims={"line": "L1"})
    await settle(rig, log, MIDNIGHT + 60 * DAY)
    run(rig, records)
    rows = of(records, subject_kind="employee")
    assert [("day", 1, 0.0), ("day", 2, 1.0), ("month", 2, 1.0)] == sorted(
        (row["window_kind"], row["version"], row["value"]) for row in rows
    )
    assert [] == wrong(rig, records, MIDNIGHT + 53 * DAY)


def organisation(l1: Places) -> Outgoing:
    """A plant of two departments, and a line that belongs to them at these times."""
    below: Places = [("plant", LONG_AGO, FOREVER)]
    parents = {"plant": [(None, LONG_AGO, FOREVER)], "north": below, "south": below, "L1": l1}
    units = {
        name: Unit("team", {"zh": name, "en": name}, tuple(Place(*place) for place in places))
        for name, places in parents.items()
    }
    return Outgoing(TEMPLATES, 0, MIDNIGHT, ORGANISATION.encode(), write_tree(units))


async def test_a_unit_that_moved_counts_where_it_was_at_the_end(rig: Rig, records: Records) -> None:
    """With its whole window; a tree that is corrected later restates only what it changes."""
    moved: Places = [("north", LONG_AGO, MIDNIGHT + DAY), ("south", MIDNIGHT + DAY, FOREVER)]
    rig.append([organisation(moved)])
    log = published(MONTHLY)
    for number in range(2):
        log.send(event_id=f"e{number}", occurred_at=NOON + number * DAY, dims={"line": "L1"})
    await settle(rig, log, MIDNIGHT + 60 * DAY)
    run(rig, records)
    where = {
        (row["window_kind"], row["window_start"], row["subject"]) for row in of(records, subject_kind="unit")
    }  # fmt: skip
    march = parse_rfc3339("2026-03-01T00:00:00Z")
    assert where == {
        ("day", MIDNIGHT, "L1"), ("day", MIDNIGHT, "north"), ("day", MIDNIGHT, "plant"),
        ("day", MIDNIGHT + DAY, "L1"), ("day", MIDNIGHT + DAY, "south"), ("day", MIDNIGHT + DAY, "plant"),
        ("month", march, "L1"), ("month", march, "south"), ("month", march, "plant"),
    }  # fmt: skip
    assert [] == wrong(rig, records, MIDNIGHT + 53 * DAY)
    stays: Places = [("north", LONG_AGO, FOREVER)]
    rig.append([organisation(stays)])
    await settle(rig, log, MIDNIGHT + 60 * DAY + HOUR)
    run(rig, records)
    assert [(0, "ok", 1.0), (1, "no_data", None)] == values(of(records, subject="south", window_kind="month"))
    assert [(0, "ok", 1.0)] == values(of(records, subject="north", window_kind="month"))
    assert [0, 0] == [row["number"] for row in of(records, subject="L1", window_kind="day")]
    assert [] == wrong(rig, records, MIDNIGHT + 53 * DAY)


class Killed(Exception):
    """The process ended."""


async def test_whoever_is_killed_anywhere_loses_and_doubles_nothing(
    rig: Rig, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the transactions of a run, and inside each: what the next run leaves is what one run leaves."""
    monkeypatch.setattr("agents.results.ROWS", 1)
    log = published()
    for name in ("E1", "E2", "E5"):
        log.send(employee_id=name, dims={"line": "L1"})
        log.send(employee_id=name, event_id="e2", occurred_at=NOON + DAY, dims={"line": "L2"})
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    write, left, inside = records.write, 0, False

    def dies(work: Callable[[Connection], T], tries: int = 10) -> T:
        nonlocal left
        left -= 1

        def last(connection: Connection) -> T:
            result = work(connection)
            if left == 0 and inside:
                raise Killed
            return result

        result = write(last, tries)
        if left == 0:
            raise Killed
        return result

    monkeypatch.setattr(records, "write", dies)
    for restated in (0, 1):
        left, deaths = 0, 0
        while left <= 0:
            deaths, inside = deaths + 1, not inside
            left = 1 + deaths // 2
            with contextlib.suppress(Killed):
                run(rig, records)
        assert deaths >= 6
        assert [] == wrong(rig, records, MIDNIGHT + 3 * DAY)
        numbers = sorted(row["number"] for row in of(records))
        assert [*[0] * 8, *[1] * 4 * restated] == numbers
        for name in ("E1", "E2", "E5"):
            fields = {"corrects": "e1", "measures": {"accepted": -1}, "dims": {"line": "L1"}}
            log.send(rig.wall, employee_id=name, event_id="c1", **fields)
        await settle(rig, log, MIDNIGHT + 10 * DAY + HOUR)


async def test_a_run_that_began_earlier_writes_no_more(rig: Rig, records: Records) -> None:
    """Two at once: the later one does the work, the earlier one is told."""
    log = published()
    log.send()
    await settle(rig, log, MIDNIGHT + 10 * DAY)

    def somebody_else(_: int) -> None:
        records.write(lambda connection: begin(connection, rig.log.log_id, "another"))

    with pytest.raises(Superseded):
        close(rig.log, records, rig.limits, rig.wall, somebody_else)
    assert [] == stored(records)
    assert 5 == run(rig, records).written


async def test_results_of_another_log_are_not_mixed_in(rig: Rig, records: Records) -> None:
    """The error names both logs and what to do."""
    records.write(lambda connection: begin(connection, "other", "another"))
    await settle(rig, published(), MIDNIGHT + 10 * DAY)
    with pytest.raises(RecordsError, match=rf"are of log other, this is log {rig.log.log_id}; name the store"):
        run(rig, records)


async def test_nothing_is_closed_before_the_first_tick(rig: Rig, records: Records) -> None:
    """And it says why."""
    closing = run(rig, records)
    assert (None, "no window is closed: some partition has no tick yet") == (closing.until, closing.why)


@pytest.mark.parametrize("act", ["UPDATE results SET value = 2", "DELETE FROM results"])
async def test_the_store_itself_keeps_results_as_they_are(rig: Rig, records: Records, act: str) -> None:
    """Whoever changes or deletes a row by hand is refused."""
    log = published()
    log.send()
    await settle(rig, log, MIDNIGHT + 10 * DAY)
    run(rig, records)
    with pytest.raises(DBAPIError, match="results are never changed or deleted"), records.engine.begin() as connection:
        connection.execute(text(act))
