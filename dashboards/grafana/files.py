"""Boards as files: the same code gives the same bytes, so that a difference is a change that somebody made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import alerts, lag, line, plant, service

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
BOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    "plant": plant.build,
    "line": line.build,
    "alerts": alerts.build,
    "service": service.build,
    "lag": lag.build,
}


def encode(board: Dashboard) -> str:
    """A board as Grafana reads it."""
    return json.dumps(board, cls=JSONEncoder, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def texts() -> dict[str, str]:
    """Every board's file by its name."""
    return {f"{name}.json": encode(build()) for name, build in BOARDS.items()}


def write(folder: Path = FOLDER) -> None:
    """Writes all boards, and takes away what is none of them."""
    wanted = texts()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
