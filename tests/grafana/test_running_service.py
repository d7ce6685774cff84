"""Boards on a real Prometheus that scrapes the running service: the demo, with its plant."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

import pytest

from agents.health import PORT_FILE
from tests.e2e.processes import call, free_port, started
from tests.grafana.panels import EVERYTHING, queries
from tests.grafana.prometheus_server import Target, configuration, missing, running, until

CHOSEN: Final = EVERYTHING | {
    "indicator": "semi_finished_yield", "window": "day", "__rate_interval": "10s", "__range": "30s",
}  # fmt: skip
CREW: Final = "L0[0-9]-[AB]"


def _drop(crew: str) -> dict[str, object]:
    """Fifty pieces of sixty are bad, of the first person of a crew: an alert of theirs, now."""
    person, line = f"E{crew[2]}{1 + 'AB'.index(crew[-1])}01", crew.partition("-")[0]
    return {
        "event_id": "drop-1", "type": "qc.inspection", "employee_id": person, "source": f"line-{crew[2]}-aoi",
        "occurred_at": int(time.time() * 1000), "measures": {"inspected": 60, "accepted": 10},
        "dims": {"stage": "semi_finished", "line": line},
    }  # fmt: skip


def test_every_panel_finds_the_running_service(tmp_path: Path) -> None:
    """Each query gives series of a worker and a web process that run, of alerts and of intervals too."""
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
                found = prometheus.ask("query", query=f'count by (unit) (scorestream_unit_score{{unit=~"{CREW}"}})')
                working[:] = sorted(series["metric"]["unit"] for series in found["result"])
                return bool(working)

            until(somebody_works, lambda: working)
            (tmp_path / "drop.ndjson").write_text(json.dumps(_drop(working[0])) + "\n")
            call("send", str(tmp_path / "drop.ndjson"), "--broker", f"embedded://{tmp_path / 'plant'}")
            silent = list(queries(CHOSEN | {"unit": working[0]}))
            assert len(silent) > 50

            def all_found() -> bool:
                silent[:] = [query for query in silent if not prometheus.ask("query", query=query.expression)["result"]]
                return not silent

            until(all_found, lambda: silent)
