"""A worker whose backlog another process decodes ends every record as one that decodes by itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from random import Random

from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from schemas.instants import DAY
from stream.topics import QC_EVENTS
from tests.bench.workload import TEMPLATE, publish_template, records
from tests.soak.processes import COMMAND, Worker, environment

EVENTS = 12_000
EMPLOYEES = 60


def _spoilt(record: Outgoing, dice: Random) -> Outgoing:
    """Now and then garbage, an event that is late, one known with other content, a correction, somebody else's key."""
    assert record.value is not None
    event = json.loads(record.value)
    match dice.randrange(150):
        case 0:
            return record._replace(value=record.value[: dice.randrange(len(record.value))])
        case 1:
            return record._replace(timestamp=record.timestamp + 8 * DAY)
        case 2:
            return record._replace(key=b"E9999999")
        case 3:
            event["source"] = "another"
        case 4:
            event |= {"corrects": event["event_id"], "event_id": event["event_id"] + "-c"}
        case 5:
            event["measures"] = {"inspected": -1, "accepted": 0}
        case _:
            return record
    return record._replace(value=json.dumps(event).encode())


def _fill(folder: Path) -> None:
    dice = Random(7)
    with EmbeddedLog.open(folder) as log:
        ensure_topics(log, Settings.load({"SCORESTREAM_PARTITIONS": "1"}))
        sound = list(records(EVENTS, EMPLOYEES, 1))
        again = [record for record in sound if record.topic == QC_EVENTS and dice.random() < 0.02]
        log.append([_spoilt(record, dice) for record in (*sound, *again)])
        publish_template(log, TEMPLATE)


def _told(folder: Path, *command: str) -> list[dict[str, object]]:
    whole = [*COMMAND, *command, "--broker", f"embedded://{folder}"]
    done = subprocess.run(whole, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_whoever_decodes(tmp_path: Path) -> None:
    """The same outcomes, dead letters, late events and scores; `verify` is empty for both."""
    folders = {"off": tmp_path / "off", "always": tmp_path / "always"}
    _fill(folders["off"])
    shutil.copytree(folders["off"], folders["always"])
    for how, folder in folders.items():
        worker = Worker(folder, arguments=("--decoder", how, "--chunk-records", "5000"))
        try:
            _told(folder, "status", "--wait-idle", "--timeout", "90", "--format", "ndjson")
            worker.stop()
        finally:
            worker.kill()
        assert [] == _told(folder, "verify", "--format", "ndjson")
    status, other = (_told(folder, "status", "--format", "ndjson")[0] for folder in folders.values())
    assert status["outcomes"] == other["outcomes"]
    assert {"scored", "duplicate", "late", "rejected"} <= {str(name).partition(":")[0] for name in _names(status)}
    for command in (
        ["dead-letters", "list", "--format", "ndjson"],
        ["log", "late-events"],
        ["scores", "--format", "ndjson"],
    ):
        assert _sorted(_told(folders["off"], *command)) == _sorted(_told(folders["always"], *command)), command


def _sorted(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Topics may be read in another order: without the places and times of what was written."""
    told = [{name: value for name, value in row.items() if name not in ("offset", "timestamp")} for row in rows]
    return sorted(told, key=json.dumps)


def _names(status: dict[str, object]) -> list[str]:
    outcomes = status["outcomes"]
    assert isinstance(outcomes, dict)
    return list(outcomes)
