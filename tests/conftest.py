"""Real servers for tests, one of each kind for the run. Where one cannot be had, its tests say so and are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e import kafka_broker
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import delete_topics


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """The broker of this run, shared: leave it running and use names of your own (`kafka_prefix`)."""
    yield from _broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def kafka_prefix() -> str:
    """The beginning of this test's own names of topics and groups."""
    return f"t{uuid4().hex[:8]}-"


@pytest.fixture
def empty_kafka(kafka: KafkaBroker) -> KafkaBroker:
    """The shared broker without any topic, for what has fixed names; do not kill it."""
    delete_topics(kafka.bootstrap)
    return kafka


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker of this test alone, started, to be killed, paused and wiped."""
    yield from _broker(tmp_path / "kafka")


def _broker(folder: Path) -> Iterator[KafkaBroker]:
    if reason := kafka_broker.missing():
        pytest.skip(reason)
    broker = KafkaBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
