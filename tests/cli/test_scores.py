"""scores, explain and verify answer beside a worker and without one, and agree with each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.cli import progress
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part
from schemas.rows import ScoreRow
from stream.keys import employee_key
from stream.state import FORMAT, decode_state, encode_state
from stream.topics import CHANGELOG
from tests.cli.conftest import Run
from tests.cli.scored import append, inspection, output, score

BROKER = ("--broker", "embedded:///./log")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two employees: E1 with four inspections (one corrected, one a day before) and an output, E2 with too few."""
    folder = tmp_path / "log"
    events = [
        inspection("q0", "E1", "2026-03-01T02:00:00Z", 100, 50),
        inspection("q1", "E1", "2026-03-02T04:00:00Z", 40, 38),
        inspection("q2", "E1", "2026-03-02T05:10:00Z", 40, 40),
        inspection("q2", "E1", "2026-03-02T05:10:00Z", 40, 40),
        inspection("c1", "E1", "2026-03-02T05:10:00Z", 0, -2, corrects="q2"),
        inspection("q3", "E2", "2026-03-02T05:00:00Z", 10, 9),
        output("o1", "E1", "2026-03-02T05:20:00Z", 60),
    ]
    append(folder, events)
    score(folder)
    return folder


def test_rows_as_of_last(run: Run, folder: Path) -> None:
    """By default rows are as of the newest scored event; sums, value, points and interval are the contract's."""
    found = run("scores", "--employee", "E1", "--format", "ndjson", *BROKER)
    rows = {(row["indicator"], row["window"]): row for row in found.rows()}
    assert "as of 2026-03-02T05:20:00.000Z (last)" in found.err
    rolling = rows["yield", "rolling 60m"]
    assert {"accepted": 38, "inspected": 40} == rolling["sums"]
    assert (0.95, 100.0, 40, 38, "ok") == tuple(rolling[name] for name in ("value", "points", "n", "good", "status"))
    day = rows["yield", "day"]
    assert {"accepted": 76, "inspected": 80} == day["sums"]
    assert "2026-03-01T16:00:00.000Z" == day["window_start"]
    assert (0.6 * 100 + 0.4 * 120) / 1.0 == pytest.approx(rows["@total", "day"]["value"], rel=1e-12)
    assert "no_data" == rows["@ability", "day"]["status"]


def test_columns_are_the_contracts(run: Run, folder: Path) -> None:
    """A row has the contract's fields in its order; without `case_mix` there is nothing to allow for."""
    first = run("scores", "--format", "ndjson", *BROKER).out.splitlines()[0]
    assert [*json.loads(first), "allowance", "adjusted"] == list(ScoreRow.__struct_fields__)


def test_an_earlier_as_of_comes_from_the_log(run: Run, folder: Path) -> None:
    """Before the employee's newest event the state knows nothing: the events are asked."""
    at = "2026-03-01T12:00:00+08:00"
    rows = run("scores", "--employee", "E1", "--window", "day", "--as-of", at, "--format", "ndjson", *BROKER).rows()
    assert {"accepted": 50, "inspected": 100} == next(r["sums"] for r in rows if r["indicator"] == "yield")


def test_known_at_leaves_out_what_was_logged_later(run: Run, folder: Path) -> None:
    """As known before the correction was logged, the uncorrected sums count."""
    late = [inspection("c2", "E1", "2026-03-01T02:00:00Z", 0, 10, corrects="q0")]
    append(folder, late, template=None, later=3 * 86_400_000)
    score(folder)
    ask = ("scores", "--employee", "E1", "--indicator", "yield", "--window", "day", "--format", "ndjson")
    at = ("--as-of", "2026-03-01T10:00:00Z")
    now = run(*ask, *at, *BROKER).rows()[0]
    before = run(*ask, *at, "--known-at", "2026-03-03T00:00:00Z", *BROKER).rows()[0]
    assert (60, 50) == (now["sums"]["accepted"], before["sums"]["accepted"])


def test_unit_and_filters(run: Run, folder: Path) -> None:
    """--unit keeps the people of a unit, --indicator and --window the rows asked for."""
    ask = ("scores", "--indicator", "yield", "--window", "day", "--format", "ndjson", *BROKER)
    assert ["E1", "E2"] == [row["employee_id"] for row in run(*ask, "--unit", "L01").rows()]
    assert [] == run(*ask, "--unit", "L99").rows()


def test_who_is_unknown_is_said(run: Run, folder: Path) -> None:
    """An employee without rows is an error that names the employee."""
    found = run("scores", "--employee", "E9", *BROKER)
    assert found.code == 1
    assert "'E9'" in found.err


@pytest.mark.parametrize(
    ("option", "given", "meant"),
    [("--indicator", "yeild", "yield"), ("--window", "rolling 60 m", "rolling 60m"), ("--indicator", "zzz", "@total")],
)
def test_a_filter_that_nothing_can_match_is_said(run: Run, folder: Path, option: str, given: str, meant: str) -> None:
    """With what there is, the nearest first."""
    found = run("scores", option, given, *BROKER)
    assert 2 == found.code
    assert f"{option} '{given}'" in found.err
    assert meant in found.err


@pytest.mark.parametrize("text", ["yesterday", "2026-03-02", "2026-03-02T10:00:00"])
def test_a_bad_instant_is_a_usage_error(run: Run, folder: Path, text: str) -> None:
    """--as-of needs a zone, or last, or now."""
    found = run("scores", "--as-of", text, *BROKER)
    assert found.code == 2
    assert text in found.err
    assert "last" in found.err


def test_explain_adds_up(run: Run, folder: Path) -> None:
    """The contributions of the events add up to the sums of the row, corrections included, duplicates not."""
    lines = run("explain", "E1", "yield", "day", "--format", "ndjson", *BROKER).rows()
    *events, last = lines
    total = {name: sum(e["contribution"][name] for e in events) for name in ("accepted", "inspected")}
    assert last["score"]["sums"] == total == {"accepted": 76, "inspected": 80}
    assert ["q1", "q2", "c1"] == [event["event_id"] for event in events]
    assert "value = 76 / 80" == last["score"]["with_numbers"]


def test_explain_of_a_total(run: Run, folder: Path) -> None:
    """A total is explained by its indicators: weighted points add up to it."""
    *parts, last = run("explain", "E1", "@total", "day", "--format", "ndjson", *BROKER).rows()
    assert sum(part["contribution"] for part in parts) == pytest.approx(last["score"]["value"], rel=1e-12)


def test_explain_of_nothing_says_what_there_is(run: Run, folder: Path) -> None:
    """An unknown indicator or window names those that exist."""
    found = run("explain", "E1", "yeild", "day", *BROKER)
    assert found.code == 1
    assert "yield (day)" in found.err


def test_verify_finds_nothing(run: Run, folder: Path) -> None:
    """State and oracle agree after duplicates and corrections."""
    found = run("verify", "--format", "ndjson", *BROKER)
    assert (0, []) == (found.code, found.rows())
    assert "0 differences; 7 records and 2 employees" in found.err


def test_verify_says_how_far_it_is(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it reads, and as it compares what came of it."""
    monkeypatch.setattr(progress, "QUIET_S", 0.0)
    said = run("verify", *BROKER).err
    assert ["compared", "read"] == sorted({line.split()[0] for line in said.splitlines() if line.endswith("/s)")})


def test_verify_finds_a_millionth(run: Run, folder: Path) -> None:
    """A state whose sum is off by a millionth is found and named."""
    with EmbeddedLog.open(folder) as log:
        number, raw = next(
            (number, row[3])
            for number in range(4)
            for row in log.read(CHANGELOG, number, 0, 1000)
            if row[2] == employee_key("E1")
        )
        state = decode_state(raw or b"")
        segment = next(segment for segment in state.segments if segment.unit == "L01")
        segment.groups[0].calendars[0].vector[1] += 1
        log.transact([Part(0, [Outgoing(CHANGELOG, number, 1, employee_key("E1"), encode_state(state, 0))], {})])
    found = run("verify", "--format", "ndjson", *BROKER)
    assert found.code == 1
    wrong = {(row["employee"], row["indicator"], row["window"]) for row in found.rows() if "sums" in row["field"]}
    assert {("E1", "yield", "day")} == wrong


def test_no_log_is_said_in_a_line(run: Run) -> None:
    """Without a log each of them ends with 1 and names the folder."""
    for command in (("scores",), ("explain", "E1", "yield", "day"), ("verify",)):
        found = run(*command, *BROKER)
        assert found.code == 1
        assert "log: there is no log" in found.err


def test_limits_of_a_log_stay(run: Run, folder: Path) -> None:
    """A worker with other limits than the log's records were decided by is refused; queries use the log's."""
    found = run("worker", "--no-restart", "--late-days", "1", *BROKER)
    assert found.code == 1
    assert "late_days=1: this log's records were decided with 7" in found.err
    assert run("verify", "--late-days", "1", *BROKER).code == 0


def test_nothing_scored_yet_is_said(run: Run, tmp_path: Path) -> None:
    """Before the first commit there is no as-of to answer for."""
    append(tmp_path / "log", [])
    found = run("scores", *BROKER)
    assert "nothing is scored yet" in found.err
    assert "1970" not in found.err


@pytest.mark.parametrize("topic", ["ticks", "templates"])
def test_topics_that_have_their_own_door(run: Run, folder: Path, topic: str) -> None:
    """Ticks and templates are not sent as lines."""
    found = run("send", "-", "--topic", topic, *BROKER, stdin=b"{}\n")
    assert found.code == 2
    assert topic in found.err


def test_a_timestamp_beyond_all_calendars_is_listed(run: Run, folder: Path) -> None:
    """A record whose log time is no four-digit year is a dead letter that can be listed."""
    line = b'{"key":"E1","timestamp":9007199254740993000,"value":"huge"}\n'
    assert run("send", "-", "--raw-records", "--topic", "qc-events", *BROKER, stdin=line).code == 0
    score(folder)
    rows = run("dead-letters", "list", "--format", "ndjson", *BROKER).rows()
    assert 1 == len(rows)


def test_a_tick_that_follows_more_than_there_is(run: Run, folder: Path) -> None:
    """Time goes on: such a tick counts as following what there is."""
    with EmbeddedLog.open(folder) as log:
        value = b'{"at":1772460000000,"follows":{"qc-events":99999999}}'
        log.append([Outgoing("ticks", n, 1_772_460_000_000, str(n).encode(), value) for n in range(4)])
    score(folder)
    assert "as of 2026-03-02T14:00:00.000Z (now)" in run("scores", "--as-of", "now", *BROKER).err


def test_a_state_of_another_version_is_said_in_a_line(run: Run, folder: Path) -> None:
    """A value whose format byte is unknown names the format and the remedy."""
    with EmbeddedLog.open(folder) as log:
        log.transact([Part(0, [Outgoing(CHANGELOG, 0, 1, employee_key("E1"), b"\xfe" + bytes(20))], {})])
    found = run("scores", *BROKER)
    assert found.code == 1
    assert f"this version reads {FORMAT}" in found.err
