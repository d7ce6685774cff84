"""The import rules fire: what a room must not use is planted in a copy of the rules, and the linter finds it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = {
    "schemas": [
        "import stream.window", "import agents.settings", "import dashboards.web", "import faust", "import sqlite3",
    ],
    "stream": [
        "import agents.settings", "from dashboards import web", "import faust", "import mode", "import aiokafka",
        "import redis", "import prometheus_client", "import sqlalchemy", "import litestar", "import sqlite3",
        "import rocksdict", "import random", "from random import random", "import os\nx = os.environ",
        "from os import environ", "import os\nx = os.getenv('A')", "import time\nx = time.time()",
        "from time import monotonic", "import datetime\nx = datetime.datetime.now()",
        "from datetime import datetime\nx = datetime.utcnow()", "def f() -> None:\n    import faust",
    ],
    "agents": [
        "import dashboards.web", "def f() -> None:\n    from dashboards import web", "import os\nx = os.environ",
    ],
    "agents/transport": [
        "import stream.window", "from schemas import event", "import dashboards", "import agents.settings",
    ],
    "agents/oracle": ["import agents.settings", "import schemas.event", "import stream", "import dashboards"],
    "dashboards": ["import uplot", "import os\nx = os.getenv('A')"],
}  # fmt: skip
ALLOWED = {
    "schemas": ["import json", "from datetime import datetime, UTC\nx = datetime.fromtimestamp(0, UTC)"],
    "stream": ["from schemas import event", "import zoneinfo"],
    "agents": [
        "from stream import window",
        "from schemas import event",
        "import time\nx = time.time()",
        "import faust",
    ],
    "agents/transport": ["import sqlite3", "import faust", "from agents.transport import murmur2"],
    "agents/oracle": ["import yaml", "import sqlite3"],
    "dashboards": ["from agents import settings", "from stream import window"],
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Every line above as a module of its room in a copy of the rules: its file -> the rules that fired."""
    house = tmp_path_factory.mktemp("house")
    for name in ("pyproject.toml", *_rule_files()):
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, house / name)
    fired: dict[str, set[str]] = {}
    for kind, table in (("forbidden", FORBIDDEN), ("allowed", ALLOWED)):
        for room, lines in table.items():
            for number, line in enumerate(lines):
                path = house / room / f"{kind}_{number}.py"
                path.write_text(f'"""Planted."""\n\n{line}\n')
                fired[str(path.relative_to(house))] = set()
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID", "--output-format", "json", "."]
    for finding in json.loads(subprocess.run(command, cwd=house, capture_output=True, check=False).stdout):
        fired[str(Path(finding["filename"]).resolve().relative_to(house.resolve()))].add(finding["code"])
    return fired


def test_the_import_rules_fire(planted: dict[str, set[str]]) -> None:
    """Each forbidden import, planted in its room, is found by the lint command."""
    silent = [_line(name) for name, codes in planted.items() if "forbidden" in name and "TID251" not in codes]
    assert silent == []


def test_the_import_rules_leave_the_rest_alone(planted: dict[str, set[str]]) -> None:
    """What a room may use is not complained about, so that the rules are not simply noise."""
    assert {_line(name): codes for name, codes in planted.items() if "allowed" in name and codes} == {}


def _line(name: str) -> str:
    kind, number = Path(name).stem.split("_")
    table = FORBIDDEN if kind == "forbidden" else ALLOWED
    return f"{Path(name).parent}: {table[str(Path(name).parent)][int(number)]}"


def _rule_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "*ruff.toml"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_the_oracle_bans_every_room_beside_it() -> None:
    """The oracle's list keeps up with the shell: a new module of agents is banned there too."""
    rules = tomllib.loads((ROOT / "agents" / "oracle" / "ruff.toml").read_text("utf-8"))
    banned = set(rules["lint"]["flake8-tidy-imports"]["banned-api"])
    ours = [path for path in (ROOT / "agents").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    rooms = {f"agents.{path.stem}" for path in ours if path.stem not in ("oracle", "__init__")}
    assert "agents" in banned or rooms <= banned, f"add to agents/oracle/ruff.toml: {sorted(rooms - banned)}"
