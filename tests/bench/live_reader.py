"""Score updates as a reader sees them, with the moment at which it did.

From a broker it reads what is committed, a record at a time; an embedded log's ledger it looks at every two
milliseconds. An update tells, per indicator, how many events the day's window holds: that is how one knows which of
an employee's events it counts, however many updates were conflated into it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.url import folder_of
from agents.transport.kafka.cluster import Cluster, servers_of
from schemas.updates import Contribution
from stream.topics import SCORE_UPDATES

LOOK: Final = 0.002  # s between two looks at an embedded log
_AT_ONCE: Final = 20_000
_PATIENCE: Final = 60.0
_DECODE: Final = msgspec.json.Decoder(Contribution).decode

Update = tuple[bytes, bytes, int]  # key, value, moment (ms)
Days = dict[int, list[int]]  # by the start of a day (ms): its events of each indicator, in the template's order


def updates(url: str) -> Iterator[Update | None]:
    """What comes from the first call on; None whenever there is nothing, for whoever has something else to do."""
    return _embedded(url) if url.startswith("embedded:") else _kafka(url)


def _embedded(url: str) -> Iterator[Update | None]:
    with EmbeddedLog.open(folder_of(url), create=False) as log:
        ends = {place: end for place, (_, end) in log.bounds().items() if place[0] == SCORE_UPDATES}
        version: tuple[int, ...] = ()
        while True:
            if version == (version := log.version()):
                time.sleep(LOOK)
                yield None
                continue
            for (topic, number), start in ends.items():
                rows = log.read(topic, number, start, _AT_ONCE)
                at = time.time_ns() // 1_000_000
                ends[topic, number] = rows[-1][0] + 1 if rows else start
                yield from ((row[2] or b"", row[3] or b"", at) for row in rows)


def _kafka(url: str) -> Iterator[Update | None]:
    from confluent_kafka import Consumer, TopicPartition

    options: dict[str, object] = {"fetch_queue_backoff_ms": 2, "isolation_level": "read_committed"}
    consumer: Any = Consumer(Cluster(servers_of(url)).config(group_id="live-reader", **options))
    try:
        found = consumer.list_topics(SCORE_UPDATES, timeout=_PATIENCE).topics[SCORE_UPDATES].partitions
        places = [TopicPartition(SCORE_UPDATES, number) for number in found]
        for place in places:
            place.offset = consumer.get_watermark_offsets(place, timeout=_PATIENCE)[1]
        consumer.assign(places)
        while True:
            message = consumer.poll(LOOK)
            there = message is not None and message.error() is None
            yield (message.key(), message.value(), time.time_ns() // 1_000_000) if there else None
    finally:
        consumer.close()


def counted(value: bytes) -> Days:
    """How many events of each indicator the days of an update hold."""
    found: Days = {}
    for pool in _DECODE(value).pools:
        # Each indicator has two slots, rolling (which starts at 0) and day; a vector begins with its number of events.
        days = [(start, vector[0]) for start, vector in zip(pool.starts, pool.vectors, strict=True) if start]
        for place, (start, events) in enumerate(days):
            found.setdefault(start, [0] * len(days))[place] += events
    return found
