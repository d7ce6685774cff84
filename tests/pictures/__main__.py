"""`make pictures-grafana`: what main boards show of a running service, asked of a real Prometheus, as the README's
pictures. Takes some four minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.e2e.processes import ROOT
from tests.e2e.screens import CHROMIUM
from tests.grafana.panels import Board, boards
from tests.grafana.prometheus_server import Prometheus, Target, configuration, missing, running, until
from tests.pictures.answers import Span, chosen, panels
from tests.pictures.page import take
from tests.pictures.plant import serving

PICTURES: Final = ROOT / "dashboards" / "pictures"
BOARDS: Final = ("plant", "line")
# What somebody would choose on them: a yield, on the line where something goes wrong first.
WISHES: Final = {"indicator": "semi_finished_yield", "unit": "L02"}
MINUTES: Final = 40  # of the plant; no more than an hour, for older alerts are told to nobody
SECONDS: Final = 200.0  # in which they pass
STEP: Final = 1.0  # s, as often as Prometheus asks
NOTE: Final = (
    "Drawn from Prometheus's answers to the queries of deploy/grafana/dashboards/{board}.json, without Grafana."
    " A simulated plant, {minutes} minutes of it in {seconds} s, asked each second; panels without data are left out."
)


def main() -> int:
    """Runs service, plant and Prometheus, then takes the pictures; 1 when something that it needs is missing."""
    absent = missing() or (None if CHROMIUM.exists() else f"{CHROMIUM} is absent: `make browser` installs it on Debian")
    if absent:
        sys.stderr.write(f"{absent}\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        found = _asked(Path(folder))
    take({PICTURES / f"grafana-{name}.png": board for name, board in found.items()})
    return 0


def _asked(folder: Path) -> dict[str, dict[str, Any]]:
    """The boards with what Prometheus answered after the plant's minutes."""
    with serving(folder / "plant", MINUTES) as service:
        config = configuration({"scorestream-worker": [Target(service.port, "/metrics", "worker-1")]})
        with running(folder / "prometheus", config) as prometheus:
            until(lambda: bool(_units(prometheus)), lambda: "no unit has a score")
            start = time.time()
            service.live_through(MINUTES, SECONDS)
            span = Span(start, time.time(), STEP)
            return {name: _board(name, boards()[name], prometheus, span) for name in BOARDS}


def _units(prometheus: Prometheus) -> Any:
    return prometheus.ask("query", query="scorestream_unit_score")["result"]


def _board(name: str, board: Board, prometheus: Prometheus, span: Span) -> dict[str, Any]:
    """A board as draw.js takes it."""
    values = chosen(board, prometheus.ask, WISHES)
    offered = {each["name"]: each for each in board["templating"]["list"]}
    chips = [(offered[key]["label"], "All" if offered[key]["includeAll"] else value) for key, value in values.items()]
    return {
        "name": name, "title": board["title"], "variables": chips, "times": span.times,
        "panels": panels(board, prometheus.ask, values, span),
        "note": NOTE.format(board=name, minutes=MINUTES, seconds=round(SECONDS)),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
