"""What tests ask of a broker beside records: topics, made and deleted, done when the call returns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.cimpl import NewTopic

PATIENCE: Final = 30.0  # seconds


def admin(bootstrap: str, **options: str) -> AdminClient:
    """An admin client that logs nothing. `options` are librdkafka's: `security_protocol="SASL_SSL"` and the like."""
    named = {name.replace("_", "."): value for name, value in options.items()}
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": "0", **named})


def create_topic(bootstrap: str, name: str, partitions: int = 1, settings: Mapping[str, str] | None = None) -> None:
    """A new topic, which every later request sees."""
    client = admin(bootstrap)
    new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(settings or {}))
    client.create_topics([new])[name].result(PATIENCE)
    _wait(client, name, partitions)


def topics(bootstrap: str) -> set[str]:
    """The names of all topics but the broker's own."""
    found = admin(bootstrap).list_topics(timeout=PATIENCE).topics
    return {name for name in found if not name.startswith("__")}


def delete_topics(bootstrap: str) -> None:
    """Takes all topics but the broker's own; a topic of the same name made later is another one."""
    names = topics(bootstrap)
    if names:
        client = admin(bootstrap)  # held until the last answer is there: its requests end with it
        for done in client.delete_topics(sorted(names), operation_timeout=PATIENCE).values():
            done.result(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while topics(bootstrap) & names:  # the answer comes before every broker knows
        assert time.monotonic() < deadline, f"{names} are still there"
        time.sleep(0.02)


def _wait(client: AdminClient, name: str, partitions: int) -> None:
    """Until each partition's leader knows that it is one."""
    deadline = time.monotonic() + PATIENCE
    wanted = {TopicPartition(name, number): OffsetSpec.latest() for number in range(partitions)}
    while True:
        try:
            for found in client.list_offsets(wanted).values():
                found.result(PATIENCE)
            return
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
