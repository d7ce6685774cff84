"""alerts of a unit: somebody acts on them as on those of a person."""

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
    """Five of six people of a line drift since just now, and their line is alerted."""
    at = format_rfc3339(time.time_ns() // 1_000_000 - 60_000)
    events = [inspection("one", f"E{n}", at, 10, 10 if n == 6 else 2) for n in range(1, 7)]
    append(FOLDER, events, template=TEMPLATE.replace("    min_sample: 30\n", RULES))
    score(FOLDER)
    work(FOLDER)


def _open(run: Run) -> list[dict[str, object]]:
    rows = run("alerts", "list", "--unit", "L01", "--format", "ndjson").rows()
    return [row for row in rows if row["rule"] == "common_cause"]


def test_acknowledge_without_a_worker(run: Run) -> None:
    """It is kept, and done by the next worker; acting on what has moved on is an error then."""
    (row,) = _open(run)
    alert = str(row["alert_id"])
    result = run("alerts", "ack", alert, "--reason", "at it", "--by", "lee", "--timeout", "0")
    assert result.code == 0
    assert f"alert {alert}: kept, and done when a worker runs" in result.err
    work(FOLDER)
    (row,) = _open(run)
    assert (None, "acknowledged", "lee", "at it") == (row["employee_id"], row["state"], row["by"], row["reason"])
    result = run("alerts", "ack", alert)
    assert result.code == 1
    assert f"alert {alert} is acknowledged by lee since" in result.err
    assert "refused" not in run("dead-letters", "list").out


def test_the_answer_of_a_worker_is_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its new state is told; a refusal is an error in the worker's words."""
    (row,) = _open(run)
    alert = str(row["alert_id"])
    monkeypatch.setattr("agents.cli.alerts.time.sleep", lambda _: work(FOLDER))
    result = run("alerts", "shelve", alert, "--for", "2h")
    assert result.code == 0
    assert f"alert {alert} is shelved until " in result.err
    monkeypatch.setattr(alerts, "objection", lambda *_: "")  # as if somebody else had been faster
    assert f"alert {alert} is firing" in run("alerts", "unshelve", alert).err
    result = run("alerts", "unshelve", alert)
    assert result.code == 1
    assert "there is nothing to unshelve" in result.err
    assert "refused" in run("dead-letters", "list", "--reason", "refused").out
    assert f"alert {alert} is cleared" in run("alerts", "clear", alert).err
    assert [] == _open(run)
    result = run("alerts", "ack", alert)
    assert result.code == 1
    assert f"alert {alert} is not open" in result.err
