"""alerts: what was raised, and what somebody does about it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agents.cli import alerts
from schemas.instants import format_rfc3339
from tests.cli.conftest import Run
from tests.cli.scored import TEMPLATE, append, inspection, score, work

RULES = "    min_sample: 30\n    alerts: [{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}}]\n"
FOLDER = Path("scorestream-data")


@pytest.fixture(autouse=True)
def _raised() -> None:
    """E1 has an alert, E2 is well, E3 had one that is over; just now."""
    now = time.time_ns() // 1_000_000
    at = [format_rfc3339(now - ago) for ago in (60_000, 30_000)]
    events = [
        inspection("bad", "E1", at[0], 10, 2), inspection("good", "E2", at[0], 10, 10),
        inspection("bad", "E3", at[0], 10, 2), inspection("good", "E3", at[1], 100, 100),
    ]  # fmt: skip
    append(FOLDER, events, template=TEMPLATE.replace("    min_sample: 30\n", RULES))
    score(FOLDER)


def _id(run: Run) -> str:
    (row,) = run("alerts", "list", "--format", "ndjson").rows()
    return str(row["alert_id"])


def test_list(run: Run) -> None:
    """What is not cleared; with --all everything, with --state what is in it."""
    (row,) = run("alerts", "list", "--format", "ndjson").rows()
    assert ("E1", "drop", "firing", "warning", "L01") == tuple(
        row[name] for name in ("employee_id", "rule", "state", "severity", "unit")
    )
    assert (0.2, 10, 2, 0.95) == (row["value"], row["n"], row["good"], row["threshold"])
    assert {"zh", "en"} == row["message"].keys()
    everything = run("alerts", "list", "--all", "--format", "ndjson").rows()
    assert ["E1", "E3"] == sorted(row["employee_id"] for row in everything)
    (over,) = run("alerts", "list", "--state", "cleared", "--format", "ndjson").rows()
    assert "E3" == over["employee_id"]
    assert [] == run("alerts", "list", "--unit", "L02", "--format", "ndjson").rows()
    assert [] == run("alerts", "list", "--employee", "E2", "--format", "ndjson").rows()


def test_table(run: Run) -> None:
    """What fits beside each other."""
    result = run("alerts", "list")
    assert result.code == 0
    assert "message" not in result.out
    assert "drop" in result.out


def test_show(run: Run) -> None:
    """Whole, by its first characters too; what is not there is an error."""
    result = run("alerts", "show", _id(run)[:6])
    assert result.code == 0
    assert "Yield has dropped since" in result.out
    assert "良品率自" in result.out
    result = run("alerts", "show", "nothing")
    assert (result.code, result.out) == (1, "")
    assert "there is no alert 'nothing'" in result.err


def test_rules_say_why_or_why_not(run: Run) -> None:
    """For everybody, or for one; the numbers that are compared."""
    rows = run("alerts", "rules", "--format", "ndjson").rows()
    assert [("E1", "firing", 0.2), ("E2", "ok", None), ("E3", "ok", None)] == [
        (row["employee_id"], row["state"], row["value"]) for row in rows
    ]
    (row,) = run("alerts", "rules", "--employee", "E1", "--format", "ndjson").rows()
    assert row["why"].startswith("statistic 6.00 of 3") or row["bound"] >= 3
    assert [] == run("alerts", "rules", "--indicator", "output", "--format", "ndjson").rows()
    result = run("alerts", "rules", "--employee", "E9")
    assert result.code == 1
    assert "nobody of this id has a score" in result.err


def test_acknowledge_without_a_worker(run: Run) -> None:
    """It is kept, and done by the next worker; acting on what has moved on is an error then."""
    alert = _id(run)
    result = run("alerts", "ack", alert, "--reason", "at it", "--by", "lee", "--timeout", "0")
    assert result.code == 0
    assert f"alert {alert}: kept, and done when a worker runs" in result.err
    work(FOLDER)
    (row,) = run("alerts", "list", "--format", "ndjson").rows()
    assert ("acknowledged", "lee", "at it") == (row["state"], row["by"], row["reason"])
    result = run("alerts", "ack", alert)
    assert result.code == 1
    assert f"alert {alert} is acknowledged by lee since" in result.err


def test_the_answer_of_a_worker_is_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its new state is told; a refusal is an error in the worker's words."""
    alert = _id(run)
    monkeypatch.setattr("agents.cli.alerts.time.sleep", lambda _: work(FOLDER))
    result = run("alerts", "shelve", alert, "--for", "2h")
    assert result.code == 0
    assert f"alert {alert} is shelved until " in result.err
    monkeypatch.setattr(alerts, "objection", lambda *_: "")  # as if somebody else had been faster
    result = run("alerts", "unshelve", alert)
    assert f"alert {alert} is firing" in result.err
    result = run("alerts", "unshelve", alert)
    assert result.code == 1
    assert "there is nothing to unshelve" in result.err
    assert "refused" in run("dead-letters", "list", "--reason", "refused").out


@pytest.mark.parametrize(
    ("text", "said"), [("2", "write 30m, 4h or 2d"), ("2020-01-01T00:00:00Z", "not in the future")]
)
def test_shelve_wants_a_time(run: Run, text: str, said: str) -> None:
    """A span, or an instant to come."""
    result = run("alerts", "shelve", _id(run), "--for", text)
    assert result.code == 2
    assert said in result.err


def test_review(run: Run) -> None:
    """Of an alert that is open or over; the last word counts."""
    (over,) = run("alerts", "list", "--state", "cleared", "--format", "ndjson").rows()
    for verdict, reason in (("right", "nozzle 3"), ("wrong", "dirty camera")):
        result = run("alerts", "review", over["alert_id"], verdict, "--reason", reason, "--by", "lee")
        assert (result.code, f"noted as {verdict}" in result.err) == (0, True)
    (over,) = run("alerts", "list", "--state", "cleared", "--format", "ndjson").rows()
    assert ("wrong", "lee", "dirty camera") == (over["review"], over["reviewed_by"], over["review_reason"])
    (open_,) = run("alerts", "list", "--format", "ndjson").rows()
    assert open_["review"] is None
    assert 2 == run("alerts", "review", over["alert_id"], "maybe", "--reason", "x").code
    work(FOLDER)
    assert "not found" not in run("dead-letters", "list").out


def test_clear(run: Run) -> None:
    """By hand."""
    run("alerts", "clear", _id(run), "--timeout", "0")
    work(FOLDER)
    assert [] == run("alerts", "list", "--format", "ndjson").rows()
