"""Events by HTTP and events straight to Kafka end alike, whatever becomes of the web process in between.

Two installations, one after the other on one broker, get the same events. The one that gets them by HTTP loses its web
process with SIGKILL while batches are under way; its client does what clients are told to: it sends each batch again
under the same key until it is answered.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from agents.cli.opening import NAMES
from agents.publishing import publish
from agents.records.idempotency import LEASE_MS
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing, partition_for
from schemas.event import INPUT_TOPICS, TOPIC_OF
from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339
from stream.topics import DEAD_LETTERS, LATE_EVENTS, SCORE_UPDATES, UNIT_UPDATES
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import delete_topics
from tests.e2e.kafka_workers import KafkaWorker
from tests.e2e.processes import COMMAND, call, environment, free_port, started
from tests.soak.evidence import whole

BATCHES: Final = 60
SIZE: Final = 50
PEOPLE: Final = 40
KILLS: Final = (0.0, 0.005, 0.015, 0.03)  # s from a batch's last byte to the end of who takes it
PARTITIONS: Final = 4
# Windows that do not slide while a test runs: what differs then, differs.
TEMPLATE: Final = """
template: everybody
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
title: {zh: 全员, en: Everybody}
indicators:
  - id: yield
    name: {zh: 良品率, en: Yield}
    definition: {zh: 合格 / 检验, en: accepted / inspected}
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    target: 0.9
    windows: [all]
  - id: collected
    name: {zh: 回款, en: Collected}
    definition: {zh: 回款 / 目标, en: collected / target}
    from: business.payment
    value: collected / target("collected")
    target: 1
    windows: [all]
"""


def _batches(now: int) -> list[list[bytes]]:
    """Good events, repeats across batches, corrections, conflicts, what is refused and what is late.

    Which of two events of one id counts is told by their order: those two stand in one batch.
    """
    dice, made, sent = Random(11), [], list[dict[str, Any]]()
    for batch in range(BATCHES):
        events = [_event(dice, f"{batch}-{number}", now) for number in range(SIZE)]
        if sent:
            events += dice.sample(sent, min(5, len(sent)))
            events.append(_correction(dice.choice([each for each in sent if each["type"] == "qc.inspection"]), batch))
        sent += events[:SIZE]
        events.append({**events[0], "measures": {**events[0]["measures"], "extra": 1}})  # a conflict
        events.append({**events[1], "event_id": f"late-{batch}", "occurred_at": format_rfc3339(now - 8 * DAY)})
        lines = [json.dumps(event).encode() for event in events]
        lines += [_refused(events[2], batch), b"no json at all"]
        made.append(lines)
    return made


def _event(dice: Random, name: str, now: int) -> dict[str, Any]:
    employee = f"E{dice.randrange(PEOPLE):03d}"
    at = format_rfc3339(now - HOUR + dice.randrange(50) * MINUTE)
    common = {"event_id": f"e-{name}", "employee_id": employee, "occurred_at": at, "source": "test"}
    if dice.random() < 0.7:
        inspected = dice.randrange(1, 20)
        measures = {"inspected": inspected, "accepted": dice.randrange(inspected + 1)}
        return common | {"type": "qc.inspection", "measures": measures, "dims": {"line": f"L{employee[-1]}"}}
    return common | {"type": "business.payment", "measures": {"collected": dice.randrange(1, 10**6) / 100}, "dims": {}}


def _correction(of: Mapping[str, Any], batch: int) -> dict[str, Any]:
    return {**of, "event_id": f"c-{batch}", "corrects": of["event_id"], "measures": {"inspected": 3, "accepted": 1}}


def _refused(event: Mapping[str, Any], batch: int) -> bytes:
    measures = {"inspected": 1, "accepted": 2} if batch % 2 else {"no number": "x"}
    wrong = {**event, "event_id": f"bad-{batch}", "type": "qc.inspection", "measures": measures}
    return json.dumps(wrong).encode()


def _people(now: int) -> list[dict[str, Any]]:
    """Everybody's own target."""
    return [
        {
            "event_id": f"target-{number}", "type": "people.target", "employee_id": f"E{number:03d}", "source": "hr",
            "occurred_at": format_rfc3339(now - 2 * HOUR), "measures": {"collected": 1_000 + number},
        }
        for number in range(PEOPLE)
    ]  # fmt: skip


class Installation:
    """Topics with the template on a broker, and a worker; what they made of what came."""

    def __init__(self, bootstrap: str, folder: Path, now: int) -> None:
        self.broker = f"kafka://{bootstrap}"
        self.folder = folder
        folder.mkdir()
        self.log = KafkaLog(Cluster(bootstrap), NAMES)
        settings = Settings.load({}, {"broker": self.broker, "partitions": PARTITIONS})
        ensure_topics(self.log, settings)
        publish(self.log, TEMPLATE, now)
        self.worker = KafkaWorker(bootstrap, folder / "worker")
        self.append([json.dumps(event).encode() for event in _people(now)])

    def append(self, lines: list[bytes]) -> None:
        """As a sender does that talks to the broker itself."""
        records = []
        for line in lines:
            event = json.loads(line)
            key = event["employee_id"].encode()
            topic = TOPIC_OF[event["type"].partition(".")[0]]
            at = time.time_ns() // 1_000_000
            records.append(Outgoing(topic, partition_for(key, PARTITIONS), at, key, line))
        self.log.append(records)

    def ends(self) -> list[int]:
        """How long each partition of the inputs is."""
        return [self.log.end(topic, number) for topic in INPUT_TOPICS for number in range(PARTITIONS)]

    def outcome(self) -> dict[str, object]:
        """Scores, what was published of people and units, dead letters, late events; the oracle agrees with it."""
        call("status", "--broker", self.broker, "--wait-idle", "--timeout", "120")
        scores = call("scores", "--broker", self.broker, "--format", "ndjson").splitlines()
        assert "0 differences" in _errors("verify", "--broker", self.broker)
        return {
            "scores": [_timeless(json.loads(line)) for line in scores],
            **{topic: self._latest(topic) for topic in (SCORE_UPDATES, UNIT_UPDATES)},
            **{topic: self._bytes(topic) for topic in (DEAD_LETTERS, LATE_EVENTS)},
        }

    def _latest(self, topic: str) -> dict[str, object]:
        records = [record for number in range(PARTITIONS) for record in whole(self.log, topic, number)]
        return {
            (key or b"").decode(): [_timeless(row) for row in json.loads(value or b"{}")["rows"]]
            for _, _, key, value, *_ in records
        }

    def _bytes(self, topic: str) -> set[tuple[bytes | None, bytes | None]]:
        """Whose and what; a batch that was sent again may have put one in twice."""
        return {record[2:4] for number in range(PARTITIONS) for record in whole(self.log, topic, number)}

    def close(self) -> None:
        """Ends the worker."""
        self.worker.close()
        self.log.close()


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("as_of", "window_start")}


def _errors(*arguments: str) -> str:
    """What a command that ends well says beside its output."""
    done = subprocess.run([*COMMAND, *arguments], env=environment(), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stderr


class Client:
    """Sends batches under keys, until each is answered. `address`: where the web process is now."""

    def __init__(self) -> None:
        self.address = ""
        self.answers: dict[int, dict[str, Any]] = {}
        self.cut = 0  # batches that nobody answered

    def begin(self, number: int, lines: list[bytes]) -> http.client.HTTPConnection:
        """A request that is sent, and not answered yet."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"content-type": "application/x-ndjson", "idempotency-key": f"batch-{number}"}
        connection.request("POST", "/api/v1/events", b"\n".join(lines), headers)
        return connection

    def end(self, number: int, connection: http.client.HTTPConnection) -> bool:
        """Whether it was taken; not where nobody answers, or the batch is said to be under way."""
        with closing(connection):
            try:
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                self.cut += 1
                return False
        if answer.status == 409:  # under way, as the one who died has left it
            return False
        assert answer.status == 202, text[:500]
        self.answers[number] = json.loads(text)
        return True

    def send(self, number: int, lines: list[bytes]) -> bool:
        """One whole try."""
        return self.end(number, self.begin(number, lines))


@pytest.mark.long
def test_events_by_http_end_as_those_that_went_straight_to_kafka(empty_kafka: KafkaBroker, tmp_path: Path) -> None:
    """The same scores, updates and dead letters, both right by the oracle; nothing is lost, nothing counts twice."""
    now = time.time_ns() // 1_000_000
    batches = _batches(now)
    with _installed(empty_kafka.bootstrap, tmp_path / "http", now) as at:
        client = _by_http(at, batches)
        assert client.cut
        told = {number: answer["accepted"] + answer["refused"] for number, answer in client.answers.items()}
        assert {number: len(lines) for number, lines in enumerate(batches)} == told
        assert sum(answer["in_log"] for answer in client.answers.values()) == sum(map(len, batches)) - BATCHES
        by_http = at.outcome()
    delete_topics(empty_kafka.bootstrap)
    with _installed(empty_kafka.bootstrap, tmp_path / "kafka", now) as at:
        for lines in batches:
            at.append(lines[:-1])  # what is no JSON has no place: HTTP leaves it out too
        straight = at.outcome()
    assert straight["scores"]
    for name, expected in straight.items():
        assert expected == by_http[name], name


def _by_http(at: Installation, batches: list[list[bytes]]) -> Client:
    """All of them taken, though the web process is killed while batches are under way."""
    client, dice, waiting = Client(), Random(3), list(range(len(batches)))
    kills = sorted(dice.sample(range(5, len(batches)), len(KILLS)))
    while kills:
        with _web(at) as (pid, client.address):
            while waiting and waiting[0] != kills[0]:
                number = waiting.pop(0)
                assert client.send(number, batches[number])
            number, _ = waiting.pop(0), kills.pop(0)
            connection = client.begin(number, batches[number])
            time.sleep(KILLS[len(kills)])  # some die before they append, some after
            os.kill(pid, signal.SIGKILL)
            if not client.end(number, connection):
                waiting.append(number)
    with _web(at) as (_, client.address):
        _until_taken(client, waiting, batches)
        ends = at.ends()
        before = dict(client.answers)
        for number in dice.sample(range(len(batches)), 5):  # the answer got lost on its way, say
            assert client.send(number, batches[number])
        assert (before, ends) == (client.answers, at.ends())
    return client


def _until_taken(client: Client, waiting: list[int], batches: list[list[bytes]]) -> None:
    """What died under way may be sent again when its lease is over; the others need not wait for it."""
    deadline = time.monotonic() + LEASE_MS / 1000 + 60
    while waiting:
        assert time.monotonic() < deadline, waiting
        left = [number for number in waiting if not client.send(number, batches[number])]
        if left == waiting:
            time.sleep(2.0)  # as Retry-After says
        waiting[:] = left


@contextmanager
def _web(at: Installation) -> Iterator[tuple[int, str]]:
    """A web process on the installation's log and records: its id, and where it is."""
    where = ["--broker", at.broker, "--data", str(at.folder / "web")]
    nowhere = ["--redis", f"redis://127.0.0.1:{free_port()}/0", "--intake-rate", "off", "--request-rate", "off"]
    with started("web", "--demo", *where, *nowhere, until="http://") as (process, line):
        yield process.pid, urlsplit(line.strip()).netloc


@contextmanager
def _installed(bootstrap: str, folder: Path, now: int) -> Iterator[Installation]:
    """An installation at work."""
    with closing(Installation(bootstrap, folder, now)) as made:
        made.worker.start()
        made.worker.wait_scoring()
        yield made
