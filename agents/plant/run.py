"""The plant meets the clock here and nowhere else: what is due is appended in small batches, in real time or faster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from agents.plant.senders import Sending
from agents.transport.log import Outgoing

Append = Callable[[list[Outgoing]], Awaitable[object]]
PartitionOf = Callable[[bytes], int]

MAX_BATCH: Final = 1_000
INTERVAL: Final = 0.2  # seconds between batches at most


async def run(
    records: Iterator[Sending],
    append: Append,
    *,
    partition_of: PartitionOf,
    clock: Callable[[], int],
    stop: asyncio.Event,
    start: int,
    speed: float = 1.0,
) -> int:
    """Sends `records` as they fall due until `stop` is set or there are none left; returns how many were sent.

    `clock` gives ms; the plant's time is the clock's, or from `start` (ms, on the same clock) on `speed` times as
    fast. Log time is the plant's time at the moment of sending. What `append` raises ends the run.
    """
    sent = 0
    upcoming = next(records, None)
    while upcoming is not None and not stop.is_set():
        now = start + round((clock() - start) * speed)
        batch: list[Outgoing] = []
        while upcoming is not None and upcoming.at <= now and len(batch) < MAX_BATCH:
            batch.append(outgoing(upcoming, now, partition_of))
            upcoming = next(records, None)
        if batch:
            await append(batch)
            sent += len(batch)
        if upcoming is not None and upcoming.at > now:
            await _pause(stop, max(INTERVAL, (upcoming.at - now) / 1000 / speed))
    return sent


async def send_history(records: Iterable[Sending], append: Append, *, partition_of: PartitionOf) -> int:
    """Sends what lies in the past, each record with its own time as log time; returns how many were sent."""
    rest, sent = iter(records), 0
    while batch := [outgoing(record, record.at, partition_of) for record in islice(rest, MAX_BATCH)]:
        await append(batch)
        sent += len(batch)
    return sent


def outgoing(record: Sending, timestamp: int, partition_of: PartitionOf) -> Outgoing:
    """A record for the log with its log time in ms."""
    return Outgoing(record.topic, partition_of(record.key), timestamp, record.key, record.value)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
