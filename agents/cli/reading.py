"""A topic is read as one stream: up to its present end, partitions merged by timestamp, each in its own order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Final

from agents.transport.log import Log, Record

_AT_ONCE: Final = 2_000

Placed = tuple[int, Record]
"""A record and its partition."""


def whole_topic(log: Log, topic: str) -> Iterator[Placed]:
    """All records that a topic holds now; none when the log does not have it."""
    info = log.topics().get(topic)
    return present(log, topic, dict.fromkeys(range(info.partitions if info else 0), 0))


def present(log: Log, topic: str, positions: Mapping[int, int]) -> Iterator[Placed]:
    """The records from these offsets (by partition) to the present end."""
    streams = [_stream(log, topic, partition, start) for partition, start in positions.items()]
    return streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_timestamp)


def _stream(log: Log, topic: str, partition: int, start: int) -> Iterator[Placed]:
    end = log.end(topic, partition)
    while start < end and (records := log.read(topic, partition, start, min(_AT_ONCE, end - start))):
        for record in records:
            if record[0] >= end:  # behind a gap that compaction left
                return
            yield partition, record
        start = records[-1][0] + 1


def _timestamp(placed: Placed) -> int:
    return placed[1][1]
