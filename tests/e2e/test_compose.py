"""The installation of docker-compose.yml, started as local processes with its own commands, settings and files.

`make compose-test` runs this. Containers become processes in `compose_local`, and nothing else of the file changes.
"""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.instants import format_rfc3339
from tests.e2e.compose_run import Installation, missing
from tests.grafana.panels import EVERYTHING, queries

PEOPLE, EVENTS = 24, 50  # events of each
PATIENCE = 120.0  # s until something is seen, on a machine that is busy
CHOSEN = EVERYTHING | {"unit": "L0", "indicator": "yield", "window": "all", "__rate_interval": "1m", "__range": "5m"}
JVM_ENDED = 143  # what a Java that ends in order after a SIGTERM says
TEMPLATE = """
template: line-yield
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 良品率, en: Yield}
indicators:
  - id: yield
    name: {zh: 良品率, en: Yield}
    definition: {zh: 合格比例, en: accepted / inspected}
    dimension: performance
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    alerts: default
    unit: percent
    target: 0.95
    weight: 1
    windows: [all]
    next_step: {zh: 请查看生产记录, en: Check the production record}
"""


def _events(first: int, number: int) -> list[str]:
    """Events of everybody, each of ten units; how many are good depends on the person. One more line is no event."""
    start = time.time_ns() // 1_000_000 - 3_600_000
    lines = [
        {
            "event_id": f"e{event}",
            "type": "qc.inspection",
            "employee_id": f"E{person:03}",
            "occurred_at": format_rfc3339(start + event),
            "source": "line",
            "measures": {"inspected": 10, "accepted": 5 + person % 6},
            "dims": {"line": f"L{person % 2}"},
        }
        for event in range(first, first + number)
        for person in range(PEOPLE)
    ]
    bad = dict(lines[0], event_id=f"bad{first}", measures={"inspected": 1, "accepted": 2})
    return [json.dumps(line) for line in [*lines, bad]]


def _until(condition: Callable[[], bool], why: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.2)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """What docker-compose.yml describes, not started yet; ended at once when a test leaves it running."""
    if reason := missing():
        pytest.skip(reason)
    made = Installation(tmp_path)
    try:
        yield made
    finally:
        made.kill()


def _line(installation: Installation, name: str, token: str) -> tuple[float, float]:
    """Units inspected and accepted on a line's board; zeros while it has none, or while the views are being read."""
    try:
        rows = installation.ask("web", "8080", f"/api/v1/units/{name}", token)["rows"]
    except urllib.error.HTTPError as error:
        if error.code in (404, 503):
            return 0, 0
        raise
    found = [(row["n"], row["good"]) for row in rows if row["indicator"] == "yield" and row["window"] == "all"]
    assert len(found) <= 1, found
    return found[0] if found else (0, 0)


def _expected(line: int, events: int) -> tuple[float, float]:
    people = range(line, PEOPLE, 2)
    return 10 * events * len(people), sum((5 + person % 6) * events for person in people)


def _send(installation: Installation, lines: list[str]) -> None:
    installation.run("send", "-", given="\n".join(lines) + "\n")
    installation.run("status", "--wait-idle", "--timeout", "60")


def _shown(installation: Installation, events: int, token: str) -> None:
    """The boards come to show these events of everybody, neither more nor fewer."""
    for line in (0, 1):
        _until(
            lambda line=line: _line(installation, f"L{line}", token) == _expected(line, events),  # type: ignore[misc]
            lambda line=line: (_line(installation, f"L{line}", token), _expected(line, events)),  # type: ignore[misc]
        )


def _query(installation: Installation, expression: str) -> list[dict[str, Any]]:
    answer = installation.ask("prometheus", "9090", "/api/v1/query", query=expression)
    assert answer["status"] == "success", answer
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def _workers_up(installation: Installation) -> dict[str, str]:
    found = _query(installation, 'up{job="scorestream-worker"}')
    return {series["metric"]["worker"]: series["value"][1] for series in found}


def _ended_well(installation: Installation) -> None:
    codes = installation.down()
    expected = {name: JVM_ENDED if name == "kafka" else 0 for name in installation.services}
    assert expected == codes, {name: installation.said(name) for name in codes if codes[name] != expected[name]}


@pytest.mark.long
def test_the_installation_runs_as_described(installation: Installation, tmp_path: Path) -> None:
    """It becomes healthy, scores what is sent, shows it, is watched, stops in order, and goes on where it stopped."""
    installation.up()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        installation.ask("web", "8080", "/api/v1/units")
    token = installation.execute("web", "access", "token", "create", "test", "--scope", "read-units").strip()
    template = tmp_path / "line-yield.yaml"
    template.write_text(TEMPLATE)
    installation.run("templates", "publish", str(template))
    lines = _events(0, EVENTS)
    _send(installation, [*lines, *lines[:100]])  # some twice: they count once
    _shown(installation, EVENTS, token)
    assert "0 differences" in installation.run("verify")
    _until(lambda: _workers_up(installation) == {"worker-1": "1", "worker-2": "1"}, lambda: _workers_up(installation))
    _until(lambda: _both_work(installation), lambda: _owned(installation))
    _every_panel_has_data(installation)
    _ended_well(installation)

    installation.up()
    _shown(installation, EVENTS, token)  # from the log: Redis keeps nothing
    _send(installation, _events(EVENTS, 10))
    _shown(installation, EVENTS + 10, token)
    assert "0 differences" in installation.run("verify")
    _ended_well(installation)


def _owned(installation: Installation) -> dict[str, int]:
    """How many partitions each worker says that it owns; what Prometheus shows lags behind what is."""
    found = _query(installation, 'count by (worker) (scorestream_lag_records{topic="qc-events"})')
    return {series["metric"]["worker"]: int(series["value"][1]) for series in found}


def _both_work(installation: Installation) -> bool:
    """Each partition has one owner, and both workers own some."""
    owned = _owned(installation)
    partitions = int(installation.file.environment("worker-1")["SCORESTREAM_PARTITIONS"])
    return owned.keys() == {"worker-1", "worker-2"} and partitions == sum(owned.values())


def _every_panel_has_data(installation: Installation) -> None:
    """The queries of the boards find series on this Prometheus, of open alerts and of intervals too."""
    asked = list(queries(CHOSEN))
    assert len(asked) > 50
    for query in asked:
        _until(
            lambda query=query: bool(_query(installation, query.expression)),  # type: ignore[misc]
            lambda query=query: query,  # type: ignore[misc]
        )
