"""Workers on a real broker: what is lost, frozen and moved under load leaves every score, and every output, right."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.event import INPUT_TOPICS
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import delete_topics
from tests.e2e.kafka_workers import KafkaWorld, kafka_world, until

SESSION = 6.0  # s, the least that brokers take by default


@pytest.fixture
def world(empty_kafka: KafkaBroker, tmp_path: Path) -> Iterator[KafkaWorld]:
    """The soak's rules and people on the shared broker."""
    with kafka_world(empty_kafka.bootstrap, tmp_path, session=SESSION) as made:
        yield made


def _committed(world: KafkaWorld) -> int:
    """Records of the inputs that are processed and durable."""
    return sum(offset for (topic, _), offset in world.log.committed().items() if topic.endswith("-events"))


def test_commands_beside_a_worker(world: KafkaWorld) -> None:
    """Send, status, scores, explain, verify, dead letters: as on an embedded log."""
    worker = world.worker("w1")
    worker.start()
    feed = world.feed()
    until(lambda: feed.sent > 1_500, worker.said)
    world.drain()
    status = json.loads(world.command("status", "--format", "ndjson").stdout)
    # Ticks come each second, and units have something to say to their people, whenever a minute closes.
    lag = sum(place["lag"] for place in status["partitions"] if place["topic"] in INPUT_TOPICS)
    assert (feed.sent + 18, 0) == (status["records"], lag)
    assert re.fullmatch(r"scorestream-[0-9a-f]{12} at /127\.0\.0\.1", status["worker"])
    scores = world.command("scores", "--format", "ndjson").stdout.splitlines()
    row = next(row for line in scores if (row := json.loads(line))["n"])
    explained = world.command("explain", row["employee_id"], row["indicator"], row["window"])
    assert 0 == explained.returncode, explained.stderr
    verified = world.command("verify")
    assert (0, True) == (verified.returncode, "0 differences" in verified.stderr), verified
    letters = world.command("dead-letters", "list", "--format", "ndjson").stdout.splitlines()
    assert sum(n for outcome, n in status["outcomes"].items() if outcome.startswith("rejected")) == len(letters)
    assert [] == world.violations()


@pytest.mark.long
def test_workers_that_are_killed_stopped_and_frozen(world: KafkaWorld) -> None:
    """Under load, while rules change: one at once, one in order, one past its session while others have taken over."""
    first, second, third = (world.worker(name) for name in ("w1", "w2", "w3"))
    first.start()
    second.start()
    first.wait_scoring()
    second.wait_scoring()
    feed = world.feed()
    until(lambda: feed.sent > 2_000, second.said)
    second.kill()
    third.start()
    second.start()
    world.publish_later(2)
    third.wait_scoring()
    first.pause()
    frozen, before = time.monotonic(), _committed(world)
    until(lambda: time.monotonic() - frozen > SESSION + 3 and _committed(world) > before + 2_000, third.said)
    first.resume()
    until(lambda: "another worker has taken over" in first.said(), first.said)
    second.stop()
    third.kill()
    world.drain()
    first.wait_scoring()
    assert [] == world.violations()


@pytest.mark.long
def test_a_broker_that_is_killed_and_comes_back(fresh_kafka: KafkaBroker, tmp_path: Path) -> None:
    """Nothing that was acknowledged is lost, nothing counts twice, and nobody has to do anything."""
    with kafka_world(fresh_kafka.bootstrap, tmp_path, session=SESSION) as world:
        for name in ("w1", "w2"):
            world.worker(name).start()
        world.worker("w2").wait_scoring()
        feed = world.feed(500)
        until(lambda: feed.sent > 1_000, world.worker("w1").said)
        fresh_kafka.kill()
        fresh_kafka.start()
        sent = feed.sent
        until(lambda: feed.sent > sent + 500, world.worker("w1").said)
        world.drain()
        for name in ("w1", "w2"):
            world.worker(name).wait_scoring()
        assert [] == world.violations()


@pytest.mark.long
def test_an_empty_broker_is_refused(fresh_kafka: KafkaBroker, tmp_path: Path) -> None:
    """Its data is gone: the worker ends and says so. Nothing is made there that looks like a log without scores."""
    with kafka_world(fresh_kafka.bootstrap, tmp_path, session=SESSION) as world:
        worker = world.worker("w1")
        worker.start()
        worker.wait_scoring()
        worker.stop()
        fresh_kafka.stop()
        fresh_kafka.wipe()
        fresh_kafka.start()
        worker.start()
        until(lambda: not worker.running, worker.said)
        assert 1 == worker.code
        assert "give the broker its data back" in worker.said()
        assert {} == world.log.topics()


def test_topics_that_are_made_anew_are_refused(world: KafkaWorld) -> None:
    """Under a worker that runs, and at its next start: another topic's offsets would skip its records in silence."""
    worker = world.worker("w1")
    worker.start()
    worker.wait_scoring()
    delete_topics(world.bootstrap)
    world.prepare()
    until(lambda: not worker.running, worker.said)
    assert 1 == worker.code
    worker.start()
    until(lambda: not worker.running, worker.said)
    assert re.search(r"topic [a-z-]+ was made anew: the state in .* is of the one before", worker.said())
