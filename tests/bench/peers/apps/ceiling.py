"""Consume and decode, nothing else: what no contender in Python can beat. `ceiling.py librdkafka|aiokafka ...`.

Events are decoded as fast as anybody can: a whole batch joined into one JSON array. Prints one line of JSON; with
`check` the sums are counted too, so that they can be compared, and the time means nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator

import msgspec


class Measures(msgspec.Struct, gc=False):
    """Units; the others are not counted in this job."""

    inspected: int
    accepted: int


class Event(msgspec.Struct, gc=False):
    """What the job needs of an event."""

    employee_id: str
    occurred_at: str
    measures: Measures


BEGAN = time.perf_counter()
DECODER = msgspec.json.Decoder(list[Event])
Batch = list[tuple[int, bytes]]  # timestamp (ms), value


def decoded(values: Iterable[bytes]) -> list[Event]:
    """A batch in one pass."""
    return DECODER.decode(b"[" + b",".join(values) + b"]")


def librdkafka(bootstrap: str, topic: str, events: int, *, stamped: bool) -> Iterator[tuple[list[Event], list[int]]]:
    """Whole batches of `consume`."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "ceiling", "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 2, "queued.min.messages": 1_000_000, "fetch.message.max.bytes": 4_194_304,
        }
    )  # fmt: skip
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    while events > 0:
        records = consumer.consume(20_000, 0.1)
        events -= len(records)
        if records:
            yield decoded([r.value() for r in records]), [r.timestamp()[1] for r in records] if stamped else []
    consumer.close()


async def aiokafka(bootstrap: str, topic: str, events: int, seen: Seen) -> None:
    """Whole fetches of `getmany`."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=4_194_304
    )
    await consumer.start()
    while events > 0:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            events -= len(records)
            seen.add(decoded([r.value for r in records]), [r.timestamp for r in records] if seen.stamped else [])
    await consumer.stop()


class Seen:
    """What was decoded, and since when; with `stamped` also the sums by employee and minute."""

    def __init__(self, *, stamped: bool) -> None:
        self.stamped = stamped
        self.events = self.first = 0
        self.began = self.cpu = self.still = 0.0
        self.last = BEGAN
        self.sums: dict[tuple[str, int], list[int]] = {}

    def add(self, events: list[Event], stamps: list[int]) -> None:
        """The clock begins after the first batch, which only then is not counted."""
        self.events += len(events)
        now = time.perf_counter()
        self.still, self.last = max(self.still, now - self.last), now
        if not self.began:
            self.began, self.cpu, self.first = time.perf_counter(), time.process_time(), len(events)
        for event, stamp in zip(events, stamps, strict=False):
            sums = self.sums.setdefault((event.employee_id, stamp - stamp % 60_000), [0, 0])
            sums[0] += event.measures.inspected
            sums[1] += event.measures.accepted

    def told(self) -> dict[str, object]:
        """Events/s and CPU seconds per million since the first batch, or, of few events, since the beginning."""
        counted, seconds, cpu = (
            self.events - self.first,
            time.perf_counter() - self.began,
            time.process_time() - self.cpu,
        )
        if counted < self.events / 2:
            counted, seconds, cpu = self.events, time.perf_counter() - BEGAN, time.process_time()
        return {
            "events": self.events,
            "rate": counted / seconds,
            "cpu": cpu / counted * 1e6,
            "whole_cpu": time.process_time(),
            "stood_still": self.still if self.still > 1.0 else 0.0,
            "sums": [[*window, *sums] for window, sums in self.sums.items()],
        }


def main(client: str, bootstrap: str, topic: str, events: str, mode: str) -> None:
    seen = Seen(stamped=mode == "check")
    if client == "aiokafka":
        asyncio.run(aiokafka(bootstrap, topic, int(events), seen))
    else:
        for batch, stamps in librdkafka(bootstrap, topic, int(events), stamped=seen.stamped):
            seen.add(batch, stamps)
    json.dump(seen.told(), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
