"""An installation moves from the embedded log to Kafka as docs/operations.md says, and all scores come out the same."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest

from agents.publishing import publish
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from schemas.event import INPUT_TOPICS
from schemas.instants import DAY, MINUTE
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.processes import COMMAND, call, environment, started
from tests.soak.templates import template
from tests.soak.workload import PARTITIONS, Sender, first_assignments

IN_THIS_ORDER: Final = ("templates", "people-events", "business-events", "qc-events", "commands", "ticks")
RECORDS: Final = 3_000


@pytest.mark.long
def test_everything_moves_and_what_came_since_follows(empty_kafka: KafkaBroker, tmp_path: Path) -> None:
    """`verify` is empty before and after; scores, outcomes and dead letters are the old ones."""
    folder, old, new = tmp_path / "old", f"embedded://{tmp_path / 'old'}", f"kafka://{empty_kafka.bootstrap}"
    now = time.time_ns() // 1_000_000
    records = Sender("moving", now - 10 * MINUTE).records()
    with EmbeddedLog.open(folder) as log:
        ensure_topics(log, Settings.load({}, {"broker": old, "partitions": PARTITIONS}))
        log.append(first_assignments(now))
        for name in ("line", "sales"):
            publish(log, template(name, 1, now - 60 * DAY), now)
        log.append(list(islice(records, RECORDS)))
    before = _scored(old)
    letters = call("dead-letters", "list", "--broker", old, "--format", "ndjson").splitlines()
    call("dead-letters", "retry", json.loads(letters[0])["id"], "--broker", old)  # a record of `commands`
    before = _scored(old)
    for topic in IN_THIS_ORDER:
        _move(topic, old, new, tmp_path)
    assert before == _scored(new, tmp_path / "worker")
    more = list(islice(records, RECORDS // 10))
    with EmbeddedLog.open(folder) as log:
        log.append(more)
    for topic in INPUT_TOPICS:
        _move(topic, old, new, tmp_path, "--after", str(tmp_path / f"{topic}.ndjson"))
    after = _scored(old)
    assert before != after
    assert after == _scored(new, tmp_path / "worker")


def _move(topic: str, old: str, new: str, folder: Path, *options: str) -> None:
    """A topic by way of a file, as it is kept for what comes later."""
    file = folder / f"{topic}{'-since' * bool(options)}.ndjson"
    file.write_text(call("log", topic, "--broker", old, *options))
    call("send", str(file), "--raw-records", "--topic", topic, "--broker", new, "--partitions", str(PARTITIONS))


def _scored(broker: str, data: Path | None = None) -> Mapping[str, Any]:
    """What a worker makes of a log: rows by their names, how records ended, what is in dead letters."""
    where = ("--broker", broker)
    folder = ("--data", str(data)) if data is not None else ()
    with started("worker", *where, *folder, until="worker of"):
        call("status", *where, "--wait-idle", "--timeout", "60")
        verified = subprocess.run([*COMMAND, "verify", *where], env=environment(), capture_output=True, text=True)
        assert (0, True) == (verified.returncode, "0 differences" in verified.stderr), verified
        status = json.loads(call("status", *where, "--format", "ndjson"))
        rows = [json.loads(line) for line in call("scores", *where, "--format", "ndjson").splitlines()]
        letters = [json.loads(line) for line in call("dead-letters", "list", *where, "--format", "ndjson").splitlines()]
    assert rows
    named = {tuple(row[name] for name in ("employee_id", "template", "indicator", "window")): row for row in rows}
    return {"rows": named, "outcomes": status["outcomes"], "letters": sorted(map(repr, letters))}
