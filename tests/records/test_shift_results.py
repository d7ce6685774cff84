"""A shift closes as a result: its own, under its name; what comes to be known later restates it and says why."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from sqlalchemy import Connection, text

from agents.records.database import Records, open_records
from agents.transport.embedded.log import Outgoing
from schemas.instants import parse_rfc3339
from stream.topics import ORGANISATION, TEMPLATES
from stream.unit_tree import Place, Unit, write_tree
from tests.agents.finals import Row, run, stored, wrong
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON, YIELD, Log, template
from tests.records.test_results import FOREVER, LONG_AGO, rig, settle, values

T = TypeVar("T")
__all__ = ["rig"]
SHIFT: Final = YIELD.replace("[day]", "[shift]")
WEEK_LATER: Final = MIDNIGHT + 10 * DAY
TWO: Final = "{first: 2026-03-02, days: [[early, late]]}"
NIGHTS: Final = "{first: 2026-03-02, days: [[night]]}"
SIX: Final = MIDNIGHT + 6 * HOUR
TWO_PM: Final = MIDNIGHT + 14 * HOUR


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "records.sqlite"
    open_records(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Records]:
    """An open store, empty."""
    shutil.copy(empty, tmp_path / "records.sqlite")
    opened = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield opened
    opened.close()


def worked(cycle: str = TWO, **calendar: Any) -> Log:
    """A log with a template for everyone that looks at shifts, and a calendar: early from 06:00, late from 14:00."""
    log = Log()
    log.publish(template(SHIFT), at=MIDNIGHT - 40 * DAY)
    log.calendar(MIDNIGHT - 40 * DAY, cycle=cycle, **calendar)
    return log


def of(store: Records, subject: str, indicator: str = "yield", latest: bool = False) -> list[Row]:
    """The rows of somebody's or a unit's shifts."""
    rows = stored(store, latest=latest)
    return [
        row for row in rows if (row["subject"], row["window_kind"], row["indicator"]) == (subject, "shift", indicator)
    ]


def spans(rows: list[Row]) -> list[tuple[int, int, int, str, str | None]]:
    """When each begins and ends, its number, status and cause."""
    names = ("window_start", "window_end", "number", "status", "cause")
    return [tuple(row[name] for name in names) for row in rows]


def tree(**parents: str | None) -> Outgoing:
    """These units belong there, for ever."""
    units = {
        name: Unit("team", {"zh": name, "en": name}, (Place(parent, LONG_AGO, FOREVER),))
        for name, parent in parents.items()
    }
    return Outgoing(TEMPLATES, 0, MIDNIGHT, ORGANISATION.encode(), write_tree(units))


async def test_a_shift_closes_with_its_end(rig: Rig, store: Records) -> None:
    """Seven days after it, to the millisecond, for the person and the line; the row says which shift it was."""
    log = worked()
    log.send(dims={"line": "L1"}, measures={"inspected": 10, "accepted": 9})
    await settle(rig, log, TWO_PM + 7 * DAY - 1)
    assert 0 == run(rig, store).written
    await settle(rig, log, TWO_PM + 7 * DAY)
    closing = run(rig, store)
    assert (TWO_PM, 10, 0) == (closing.until, closing.written, closing.restated)
    expected = {
        "window_start": SIX, "window_end": TWO_PM, "as_of": TWO_PM - 1, "number": 0, "status": "ok", "value": 0.9,
        "sums": '{"accepted":9,"inspected":10}', "shift": "early", "calendar": "hall@1", "shift_start": SIX,
        "shift_end": TWO_PM, "cause": None, "version": 1,
    }  # fmt: skip
    for subject in ("E1", "L1"):
        (row,) = of(store, subject)
        assert expected == {name: row[name] for name in expected}
        assert "early" == of(store, subject, "@total")[0]["shift"]
    assert [] == wrong(rig, store, TWO_PM)


async def test_who_has_no_calendar_has_no_shift(rig: Rig, store: Records) -> None:
    """Where none is in force there is no result; who helps on a line that has one, and belongs elsewhere, has none."""
    log = worked(units="[L1]")
    log.send(dims={"line": "L2"})
    log.send(employee_id="E5", dims={"line": "L1"})
    log.assign(NOON + HOUR, unit="L1")
    log.send(event_id="e2", occurred_at=NOON + HOUR)
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    assert {"E1", "L1"} == {row["subject"] for row in stored(store)}
    assert [(1.0, 2.0)] == [(one["n"], line["n"]) for one, line in zip(of(store, "E1"), of(store, "L1"), strict=True)]
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


@pytest.mark.parametrize(("day", "length"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-10", 8)])
async def test_a_night_in_which_clocks_change_is_an_hour_off(rig: Rig, store: Records, day: str, length: int) -> None:
    """It belongs to the date on which it starts, and goes on until the next one begins."""
    log = worked(NIGHTS, timezone="Europe/Berlin")
    begins = _instant(f"{day}T22:00:00{'+02:00' if day > '2026-03-29' else '+01:00'}")
    log.send(occurred_at=begins + 3 * HOUR)
    await settle(rig, log, begins + 10 * DAY)
    run(rig, store)
    (row,) = of(store, "E1")
    assert (begins, begins, length) == (row["window_start"], row["shift_start"], (row["shift_end"] - begins) / HOUR)
    assert length + 16 == (row["window_end"] - begins) / HOUR
    assert [] == wrong(rig, store, begins + 3 * DAY)


def _instant(at: str) -> int:
    found = parse_rfc3339(at)
    assert found is not None
    return found


async def test_a_shift_that_is_skipped_has_no_result(rig: Rig, store: Records) -> None:
    """On a holiday nobody works: the late shift of the day before holds what is done all the same; overrides count."""
    log = worked(holidays="[2026-03-03]", overrides="[{date: 2026-03-04, shifts: [late]}]")
    for number, hours in enumerate((12, 36, 60, 63)):  # of three days
        log.send(event_id=f"e{number}", occurred_at=MIDNIGHT + hours * HOUR, dims={"line": "L1"})
    await settle(rig, log, WEEK_LATER + DAY)
    run(rig, store)
    rows = [(row["shift"], row["shift_start"], row["window_end"], row["n"]) for row in of(store, "E1")]
    later = MIDNIGHT + 62 * HOUR  # 14:00 of the third day
    assert [("early", SIX, TWO_PM, 1.0), ("late", TWO_PM, later, 2.0)] == rows[:2]
    assert [("late", later, MIDNIGHT + 78 * HOUR, 1.0)] == rows[2:]
    assert [] == wrong(rig, store, WEEK_LATER - 6 * DAY)


async def test_what_comes_late_restates_its_shift_and_says_why(rig: Rig, store: Records) -> None:
    """An event of an import, then a correction, each one more row of the shift of that time and of no other."""
    log = worked()
    log.send(dims={"line": "L1"})
    log.send(event_id="e2", occurred_at=TWO_PM + HOUR, dims={"line": "L1"})
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    log.send(event_id="e3", source="import", dims={"line": "L1"}, measures={"inspected": 1, "accepted": 0})
    await settle(rig, log, WEEK_LATER + HOUR)
    run(rig, store)
    log.send(rig.wall, event_id="c", corrects="e3", dims={"line": "L1"}, measures={"accepted": 1})
    await settle(rig, log, WEEK_LATER + 2 * HOUR)
    run(rig, store)
    for subject in ("E1", "L1"):
        rows = of(store, subject)
        assert [(0, "ok", 1.0), (1, "ok", 0.5), (2, "ok", 1.0), (0, "ok", 1.0)] == values(rows)
        assert [None, "event", "correction", None] == [row["cause"] for row in rows]
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_a_late_transfer_moves_a_shift_to_another_line(rig: Rig, store: Records) -> None:
    """With the same shifts the person's row stays; with others it is withdrawn, and the shift that was is there."""
    log = worked(units="[L1, L2]")
    log.calendar(MIDNIGHT - 40 * DAY, calendar="nights", units="[L3]", cycle="{first: 2026-03-02, days: [[early]]}")
    log.assign(MIDNIGHT - DAY, unit="L1")
    log.send()
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    log.assign(MIDNIGHT, sent_at=MIDNIGHT, unit="L2")
    await settle(rig, log, WEEK_LATER + HOUR)
    run(rig, store)
    assert [(SIX, TWO_PM, 0, "ok", None)] == spans(of(store, "E1"))
    assert [(0, "ok", None), (1, "no_data", "assignment")] == [row[2:] for row in spans(of(store, "L1"))]
    assert [(SIX, TWO_PM, 0, "ok", "assignment")] == spans(of(store, "L2"))
    log.assign(MIDNIGHT + HOUR, sent_at=MIDNIGHT + HOUR, unit="L3")
    await settle(rig, log, WEEK_LATER + 2 * HOUR)
    run(rig, store)
    rows = of(store, "E1")
    assert [
        (SIX, TWO_PM, 0, "ok", None),
        (SIX, TWO_PM, 1, "withdrawn", "assignment"),
        (SIX, SIX + DAY, 0, "ok", "assignment"),
    ] == spans(rows)
    assert ["hall@1", "hall@1", "nights@1"] == [row["calendar"] for row in rows]
    assert ["withdrawn"] == [row["status"] for row in of(store, "E1", latest=True) if row["window_end"] == TWO_PM]
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_a_calendar_that_comes_later_makes_other_shifts(rig: Rig, store: Records) -> None:
    """One that names the line takes the place of everyone's, from its beginning on; a next version reaches nothing."""
    log = worked()
    log.send(dims={"line": "L1"})
    log.assign(MIDNIGHT - DAY, unit="L1")
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    long = {"calendar": "long", "units": "[L1]", "cycle": "{first: 2026-03-02, days: [[early]]}"}
    log.calendar(rig.wall, **long)
    await settle(rig, log, WEEK_LATER + HOUR)
    run(rig, store)
    for subject in ("E1", "L1"):
        rows = of(store, subject)
        assert [
            (SIX, TWO_PM, 0, "ok", None),
            (SIX, TWO_PM, 1, "withdrawn", "calendar"),
            (SIX, SIX + DAY, 0, "ok", "calendar"),
        ] == spans(rows)
        assert ["hall@1", "hall@1", "long@1"] == [row["calendar"] for row in rows]
    log.calendar(rig.wall, **long, version=2, effective_from="2026-03-13T00:00:00Z", overrides="[]")
    await settle(rig, log, WEEK_LATER + 2 * HOUR)
    assert 0 == run(rig, store).written
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_a_version_that_cuts_a_shift_ends_it(rig: Rig, store: Records) -> None:
    """Of a calendar: two results, each named by its version. Of the template: the one in force at the end."""
    log = worked()
    cut, later = "2026-03-02T12:30:00Z", "2026-03-03T09:00:00Z"
    log.calendar(MIDNIGHT, version=2, effective_from=cut, cycle=TWO)
    log.publish(template(SHIFT, version=2, effective_from=later), at=MIDNIGHT)
    for number, hours in enumerate((12, 13, 32, 34)):
        log.send(event_id=f"e{number}", occurred_at=MIDNIGHT + hours * HOUR, dims={"line": "L1"})
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    middle = _instant(cut)
    for subject in ("E1", "L1"):
        assert [
            (SIX, middle, "hall@1", "early", SIX, 1, 1.0),
            (middle, TWO_PM, "hall@2", "early", SIX, 1, 1.0),
            (SIX + DAY, TWO_PM + DAY, "hall@2", "early", SIX + DAY, 2, 1.0),
        ] == [
            (
                row["window_start"],
                row["window_end"],
                row["calendar"],
                row["shift"],
                row["shift_start"],
                row["version"],
                row["n"],
            )
            for row in of(store, subject)
        ]
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_who_was_lent_has_what_was_done_in_the_shift_of_that_line(rig: Rig, store: Records) -> None:
    """As the board showed it at their own shift's last millisecond; what is done there later restates it."""
    log = worked(units="[L1]")
    log.calendar(MIDNIGHT - 40 * DAY, calendar="day", units="[L2]", cycle="{first: 2026-03-02, days: [[early]]}")
    log.assign(MIDNIGHT, unit="L1")
    log.send()
    log.assign(NOON + HOUR, unit="L2")
    log.send(event_id="e2", occurred_at=NOON + HOUR + 1)
    log.assign(NOON + HOUR + 2, unit="L1")
    log.assign(TWO_PM + HOUR, unit="L2")
    await settle(rig, log, TWO_PM + 7 * DAY + HOUR)
    run(rig, store)
    assert [(SIX, TWO_PM, 0, "ok", None)] == spans(of(store, "E1"))
    log.send(event_id="e3", occurred_at=TWO_PM + 2 * HOUR)  # after what is closed, in the shift of L2 that holds 13:59
    await settle(rig, log, TWO_PM + 7 * DAY + HOUR + 1)
    run(rig, store)
    assert [(2.0, None), (3.0, "event")] == [(row["n"], row["cause"]) for row in of(store, "E1")]
    assert [] == wrong(rig, store, TWO_PM + HOUR)
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_a_unit_waits_for_those_below_it(rig: Rig, store: Records) -> None:
    """L1's shift began with the plant's and lasts longer: the plant's result comes with it, once, as it closes.

    It is of the version in force at the end of the plant's shift, and of those events alone.
    """
    rig.append([tree(plant=None, L1="plant", L2="plant", L3="plant")])
    log = worked(units="[plant, L2]")
    log.calendar(MIDNIGHT - 40 * DAY, calendar="day", units="[L1]", cycle="{first: 2026-03-02, days: [[early]]}")
    log.calendar(MIDNIGHT - 40 * DAY, calendar="rest", units="[L3]", cycle="{first: 2026-03-02, days: [[early], []]}")
    log.publish(template(SHIFT, version=2, effective_from="2026-03-02T15:00:00Z"), at=MIDNIGHT)
    log.send(dims={"line": "L1"})
    log.send(employee_id="E2", dims={"line": "L2"})
    log.send(employee_id="E5", event_id="e2", occurred_at=TWO_PM + 2 * HOUR, dims={"line": "L1"})
    await settle(rig, log, TWO_PM + 7 * DAY + HOUR)
    run(rig, store)
    assert {"L2"} == {row["subject"] for row in stored(store)}
    assert [] == wrong(rig, store, TWO_PM + HOUR)
    log.send(rig.wall, employee_id="E2", event_id="c", corrects="e1", dims={"line": "L2"}, measures={"accepted": -1})
    await settle(rig, log, SIX + 8 * DAY + HOUR)
    run(rig, store)
    assert [] == of(store, "plant")  # L1's is over, that of L3 is not, where nobody did anything
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    assert [(SIX, TWO_PM, 0, "ok", None)] == spans(of(store, "plant"))
    assert [(1, 2.0, 1.0)] == [(row["version"], row["n"], row["good"]) for row in of(store, "plant")]
    assert [(2, 1.0)] == [(row["version"], row["n"]) for row in of(store, "L1")]
    assert [(0, None), (1, "correction")] == [(row["number"], row["cause"]) for row in of(store, "L2")]
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_a_unit_counts_those_whose_shift_lasts_as_long(rig: Rig, store: Records) -> None:
    """At the last millisecond of the plant's long shift L1 has another one than that which began with it."""
    rig.append([tree(plant=None, L1="plant")])
    log = worked(units="[L1]")
    log.calendar(MIDNIGHT - 40 * DAY, calendar="day", units="[plant]", cycle="{first: 2026-03-02, days: [[early]]}")
    log.send(dims={"line": "L1"})
    log.send(employee_id="E2", dims={"line": "plant"})
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    assert [(SIX, SIX + DAY, 0, "ok", None)] == spans(of(store, "plant"))
    assert [1.0, 1.0] == [row["n"] for name in ("plant", "L1") for row in of(store, name)]
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


async def test_a_shift_without_an_end_never_closes(rig: Rig, store: Records) -> None:
    """Nobody works after the last date of the calendar; a unit above does not wait for it."""
    rig.append([tree(plant=None, L1="plant")])
    log = worked(units="[plant]")
    once = {"cycle": "{first: 2026-03-02, days: [[]]}", "overrides": "[{date: 2026-03-02, shifts: [early]}]"}
    log.calendar(MIDNIGHT - 40 * DAY, calendar="once", units="[L1]", **once)
    log.send(dims={"line": "L1"})
    log.send(employee_id="E2", dims={"line": "plant"})
    await settle(rig, log, WEEK_LATER)
    run(rig, store)
    assert {"plant"} == {row["subject"] for row in stored(store)}
    assert [] == wrong(rig, store, WEEK_LATER - 7 * DAY)


class Killed(Exception):
    """The process ended."""


async def test_who_is_killed_anywhere_loses_and_doubles_no_shift(
    rig: Rig, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each transaction and inside each: closing, and restating by a calendar that makes other shifts.

    A store that has forgotten how far it was, and a worker whose state is built anew, write nothing more.
    """
    monkeypatch.setattr("agents.results.ROWS", 1)
    rig.append([tree(plant=None, L1="plant")])
    log = worked()
    for name in ("E1", "E2"):
        log.send(employee_id=name, dims={"line": "L1"})
    await settle(rig, log, WEEK_LATER)
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
    for _ in range(2):
        left, deaths = 0, 0
        while left <= 0:
            deaths, inside = deaths + 1, not inside
            left = 1 + deaths // 2
            with contextlib.suppress(Killed):
                run(rig, records)
        assert deaths >= 6
        assert [] == wrong(rig, records, WEEK_LATER - 7 * DAY)
        halves = "{early: {start: '06:00', end: '12:00'}, late: {start: '12:00', end: '18:00'}}"
        log.calendar(rig.wall, calendar="plant", units="[plant]", cycle=TWO, shifts=halves)
        await settle(rig, log, WEEK_LATER + HOUR)
    assert [
        (SIX, NOON, 0, "ok", "calendar"),
        (SIX, TWO_PM, 0, "ok", None),
        (SIX, TWO_PM, 1, "withdrawn", "calendar"),
    ] == spans(of(records, "plant"))
    assert [[(0, None)]] * 3 == [
        [(row["number"], row["cause"]) for row in of(records, name)] for name in ("E1", "E2", "L1")
    ]
    monkeypatch.setattr(records, "write", write)
    await rig.crash()
    rig.restart("deleted")
    await rig.drain()
    with records.writing() as connection:
        connection.execute(text("DELETE FROM result_progress"))
    assert 0 == run(rig, records).written
