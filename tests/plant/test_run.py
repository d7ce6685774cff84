"""The runner sends what is due, when it is due, with the time of sending, and stops when told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from agents.plant import run as running
from agents.plant.model import history
from agents.plant.run import MAX_BATCH, run, send_history
from agents.plant.senders import Sending
from agents.transport.log import Outgoing
from agents.transport.murmur2 import partition_for
from tests.plant.records import START, plant


def partition_of(key: bytes) -> int:
    """One of four partitions."""
    return partition_for(key, 4)


class Log:
    """An in-memory log that remembers its batches; `moves` the clock with every batch."""

    def __init__(self, moves: int = 0) -> None:
        self.now = START
        self.moves = moves
        self.batches: list[list[Outgoing]] = []

    async def append(self, batch: list[Outgoing]) -> None:
        """Keeps a batch."""
        self.batches.append(batch)
        self.now += self.moves

    def clock(self) -> int:
        """The time in ms."""
        return self.now


def sendings(*times: int) -> Iterator[Sending]:
    """Records to be sent so many ms after the start."""
    return (Sending(START + at, "inspection", "qc-events", b"E1101", str(at).encode()) for at in times)


async def test_what_is_due_goes_out_with_the_time_of_sending() -> None:
    """Records of the past moment are sent at once, in order, stamped now; the run ends with the records."""
    log = Log()
    log.now += 500
    sent = await run(
        sendings(0, 100, 500), log.append, partition_of=partition_of, clock=log.clock, stop=asyncio.Event(), start=START
    )
    assert sent == 3
    key, partition = b"E1101", partition_of(b"E1101")
    assert log.batches == [
        [Outgoing("qc-events", partition, START + 500, key, value) for value in (b"0", b"100", b"500")]
    ]


async def test_nothing_is_sent_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record waits until the clock has reached it, and no longer than it has to."""
    log, waits = Log(), []

    async def pause(stop: asyncio.Event, seconds: float) -> None:
        waits.append(seconds)
        log.now += round(seconds * 1000)

    monkeypatch.setattr(running, "_pause", pause)
    stop = asyncio.Event()
    await run(sendings(10_000, 10_050), log.append, partition_of=partition_of, clock=log.clock, stop=stop, start=START)
    assert [record.timestamp - START for batch in log.batches for record in batch] == [10_000, 10_200]
    assert waits == [10.0, running.INTERVAL]


async def test_speed_makes_the_plants_time_run_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """At speed 60 a minute of the plant takes a second, and log time is the plant's."""
    log = Log()

    async def pause(stop: asyncio.Event, seconds: float) -> None:
        log.now += round(seconds * 1000)

    monkeypatch.setattr(running, "_pause", pause)
    stop = asyncio.Event()
    await run(
        sendings(60_000), log.append, partition_of=partition_of, clock=log.clock, stop=stop, start=START, speed=60
    )
    assert (log.now - START, log.batches[0][0].timestamp - START) == (1_000, 60_000)


async def test_a_backlog_is_cut_into_batches() -> None:
    """After a standstill no batch is larger than the limit and nothing is left out."""
    log = Log(moves=1)
    log.now += 10_000
    stop = asyncio.Event()
    await run(
        sendings(*range(2 * MAX_BATCH + 5)),
        log.append,
        partition_of=partition_of,
        clock=log.clock,
        stop=stop,
        start=START,
    )
    assert [len(batch) for batch in log.batches] == [MAX_BATCH, MAX_BATCH, 5]
    assert [batch[0].timestamp - START for batch in log.batches] == [10_000, 10_001, 10_002]


async def test_stop_ends_the_waiting() -> None:
    """A runner that waits for a record an hour away returns as soon as it is told to stop."""
    log, stop = Log(), asyncio.Event()
    task = asyncio.create_task(
        run(sendings(3_600_000), log.append, partition_of=partition_of, clock=log.clock, stop=stop, start=START)
    )
    asyncio.get_running_loop().call_soon(stop.set)
    assert await asyncio.wait_for(task, 5) == 0
    assert log.batches == []


async def test_a_failed_append_ends_the_run() -> None:
    """The error of the log reaches the caller."""

    async def full(batch: list[Outgoing]) -> None:
        raise OSError("disk is full")

    log = Log()
    with pytest.raises(OSError, match="disk is full"):
        await run(sendings(0), full, partition_of=partition_of, clock=log.clock, stop=asyncio.Event(), start=START)


async def test_history_keeps_its_own_time() -> None:
    """The past is sent whole, in batches, each record stamped with its own time and in its key's partition."""
    log = Log()
    records = history(plant(), START)
    assert await send_history(records, log.append, partition_of=partition_of) == len(records)
    sent = [record for batch in log.batches for record in batch]
    assert max(len(batch) for batch in log.batches) == MAX_BATCH
    assert [(r.timestamp, r.partition) for r in sent] == [(r.at, partition_of(r.key)) for r in records]
