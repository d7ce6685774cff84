"""`scorestream results`: what closed, what it came to, and how it was restated."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from schemas.instants import HOUR
from tests.agents.rig import Rig
from tests.cli.conftest import Run
from tests.oracle.logs import DAY, MIDNIGHT, NOON, PARTITIONS, YIELD, Log, template

NOON_TEXT = "2026-03-02T12:00:00Z"


def closed_twice(tmp_path: Path, run: Run, log: Log) -> tuple[str, str]:
    """A broker with a day's work in which windows closed, then a correction came, and then they were closed again.

    With what the second run said.
    """
    rig = Rig(tmp_path, PARTITIONS)
    broker = f"embedded://{tmp_path / 'log'}"
    log.send(dims={"line": "L1"}, measures={"inspected": 10, "accepted": 9})
    try:
        for wall in (MIDNIGHT + 9 * DAY, MIDNIGHT + 9 * DAY + HOUR):
            rig.write(log)
            rig.wall = wall
            asyncio.run(rig.drain())
            result = run("results", "close", "--broker", broker)
            assert 0 == result.code, result.err
            log.send(NOON + 8 * DAY, event_id="c", corrects="e1", measures={"accepted": -1}, dims={"line": "L1"})
    finally:
        rig.close()
    return broker, result.err


@pytest.fixture
def broker(tmp_path: Path, run: Run) -> str:
    """The same, with results of days."""
    log = Log()
    log.publish(template(), at=MIDNIGHT - DAY)
    made, said = closed_twice(tmp_path, run, log)
    assert "0 new results, 6 restated; 1 people looked at" in said
    return made


def test_results_are_listed_by_subject_and_window(broker: str, run: Run) -> None:
    """All rows, or only what holds now; times are RFC 3339."""
    every = run("results", "list", "--employee", "E1", "--format", "ndjson", "--broker", broker).rows()
    assert 8 == len(every)
    latest = run("results", "list", "--unit", "L1", "--latest", "--format", "ndjson", "--broker", broker).rows()
    (row,) = [row for row in latest if row["indicator"] == "yield"]
    assert (1, 0.8, "2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z") == tuple(
        row[name] for name in ("number", "value", "window_start", "window_end")
    )
    since = ("--since", "2026-03-03T00:00:00Z")
    assert [] == run("results", "list", *since, "--format", "ndjson", "--broker", broker).rows()
    assert "closed until 2026-03-04T01" in run("results", "list", *since, "--broker", broker).err
    assert "" == run("results", "list", "--window", "month", "--format", "ndjson", "--broker", broker).out


def test_a_result_shows_how_it_was_restated(broker: str, run: Run) -> None:
    """Each row, with what changed from which value to which."""
    shown = run("results", "show", "E1", "yield", "day", "--at", NOON_TEXT, "--format", "ndjson", "--broker", broker)
    first, second = shown.rows()
    assert (0, 0.9, {}) == (first["number"], first["value"], first["changed"])
    assert [0.9, 0.8] == second["changed"]["value"]
    assert ['{"accepted":9,"inspected":10}', '{"accepted":8,"inspected":10}'] == second["changed"]["sums"]
    assert {"value", "points", "good", "low", "high", "sums"} == second["changed"].keys()


def test_shifts_are_listed_by_name_and_say_why_they_were_restated(tmp_path: Path, run: Run) -> None:
    """In every format; a row that was written as its shift closed has no cause."""
    log = Log()
    log.publish(template(YIELD.replace("[day]", "[shift]")), at=MIDNIGHT - DAY)
    log.calendar(MIDNIGHT - DAY)
    broker, _ = closed_twice(tmp_path, run, log)
    asked = ("results", "list", "--window", "shift", "--employee", "E1", "--broker", broker)
    found = [row for row in run(*asked, "--format", "ndjson").rows() if row["indicator"] == "yield"]
    names = ("number", "shift", "calendar", "shift_start", "shift_end", "cause")
    named = ("early", "hall@1", "2026-03-02T06:00:00.000Z", "2026-03-02T14:00:00.000Z")
    assert [(0, *named, None), (1, *named, "correction")] == [tuple(row[name] for name in names) for row in found]
    assert "early" in run(*asked).out
    show = ("results", "show", "E1", "yield", "shift", "--at", NOON_TEXT, "--format", "ndjson", "--broker", broker)
    shown = run(*show).rows()
    assert [(None, {}), ("correction", [0.9, 0.8])] == [
        (row["cause"], row["changed"] and row["changed"]["value"]) for row in shown
    ]


def test_what_is_not_there_is_said(broker: str, run: Run) -> None:
    """With the way to what is."""
    result = run("results", "show", "E9", "yield", "day", "--at", NOON_TEXT, "--broker", broker)
    assert 1 == result.code
    assert "no result of 'E9' for 'yield' in a day that holds 2026-03-02T12:00:00.000Z" in result.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "--window", "hour"], "--window 'hour': no such window closes; write one of shift, day, week"),
        (["list", "--employee", "E1", "--unit", "L1"], "--employee and --unit"),
        (["list", "--since", "yesterday"], "--since 'yesterday' is not an RFC 3339 time"),
        (["show", "E1", "yield", "day", "--at", "noon"], "--at 'noon' is not an RFC 3339 time"),
    ],
)
def test_a_wrong_option_is_named(words: list[str], told: str, run: Run) -> None:
    """With its value and what would be right; nothing is opened."""
    result = run("results", *words)
    assert 2 == result.code
    assert told in result.err
    assert not Path("scorestream-data").exists()


def test_nothing_is_closed_without_a_tick(log: object, run: Run) -> None:
    """Exit code 1, and why."""
    result = run("results", "close")
    assert (1, "scorestream: no window is closed: some partition has no tick yet\n") == (result.code, result.err)
