"""Boards on a real Prometheus that scrapes the running service: the demo, with its plant."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from agents.health import PORT_FILE
from tests.e2e.processes import call, free_port, started
from tests.grafana.panels import EVERYTHING, queries, waits
from tests.grafana.prometheus_server import Target, configuration, missing, running, until

CHOSEN: Final = EVERYTHING | {
    "indicator": "semi_finished_yield", "window": "day", "__rate_interval": "10s", "__range": "30s",
}  # fmt: skip


def test_every_panel_finds_the_running_service(tmp_path: Path) -> None:
    """Each query gives series of a worker and a web process that run, those of families apart that nobody fills yet."""
    if reason := missing():
        pytest.skip(reason)
    port = free_port()
    (tmp_path / "wrong.ndjson").write_text('{"type": "qc.inspection", "employee_id": "E1"}\n')  # one to be rejected
    with started("demo", "--port", str(port), "--data", str(tmp_path / "plant"), until=f":{port}/"):
        worker = int((tmp_path / "plant" / PORT_FILE).read_text())
        call("send", str(tmp_path / "wrong.ndjson"), "--broker", f"embedded://{tmp_path / 'plant'}")
        targets = {
            "scorestream-worker": [Target(worker, "/metrics", "worker-1")],
            "scorestream-web": [Target(port, "/metrics", "web")],
        }
        with running(tmp_path, configuration(targets)) as prometheus:
            working: list[str] = []  # the crews of the hour

            def somebody_works() -> bool:
                found = prometheus.ask("query", query="count by (unit) (scorestream_unit_score)")["result"]
                working[:] = sorted(series["metric"]["unit"] for series in found)
                return bool(working)

            until(somebody_works, lambda: working)
            chosen = CHOSEN | {"unit": working[0]}
            silent = [query for query in queries(chosen) if not waits(query.expression)]
            assert len(silent) > 30

            def all_found() -> bool:
                silent[:] = [query for query in silent if not prometheus.ask("query", query=query.expression)["result"]]
                return not silent

            until(all_found, lambda: silent)
