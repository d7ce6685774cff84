"""Topics as the contenders find them: filled before anything starts, and never thinned out by a broker's clock."""

from __future__ import annotations

from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from tests.bench.peers.job import PARTITIONS, Answers, Job, Sums, messages
from tests.e2e.kafka_topics import create_topic

KEPT: Final = {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}
PATIENCE: Final = 60.0


def fill(bootstrap: str, topic: str, events: int, employees: int) -> Job:
    """A new topic with the job's events in it."""
    create_topic(bootstrap, topic, PARTITIONS, KEPT)
    return Job(bootstrap, topic, events + PARTITIONS, employees, send(bootstrap, topic, events, employees))


def send(bootstrap: str, topic: str, events: int, employees: int) -> Answers:
    """The job's events into a topic that is there, whoever made it; what comes out when they are counted rightly."""
    options = {"linger.ms": 50, "batch.size": 900_000, "queue.buffering.max.messages": 200_000}
    producer = Producer({"bootstrap.servers": bootstrap, **options})
    answers: dict[tuple[str, int], Sums] = {}
    for number, (partition, at, key, value) in enumerate(messages(events, employees, answers)):
        producer.produce(topic, value, key, partition, timestamp=at)
        if number % 1_000 == 0:
            while len(producer) > 100_000:
                producer.poll(0.01)
    assert producer.flush(PATIENCE) == 0, "the topic was not filled"
    return answers


def outputs(bootstrap: str, topic: str) -> list[tuple[bytes, bytes]]:
    """Every committed record of a topic, key and value, each partition in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "answers",
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 2,
        }
    )
    partitions = sorted(consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    found: list[tuple[bytes, bytes]] = []
    open_ends = len(partitions)
    while open_ends:
        for record in consumer.consume(10_000, 1.0):
            if record.error() is None:
                found.append((record.key() or b"", record.value() or b""))
            else:
                open_ends -= 1
    consumer.close()
    return found
