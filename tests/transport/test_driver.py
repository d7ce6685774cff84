"""A real Faust app on a folder: chunks in order, offsets by the application, durable sends, clean ends."""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest
from faust.types import TP

from agents.transport.embedded.chunks import ChunkSettings
from agents.transport.embedded.driver import Transport, register, share, shared_log
from agents.transport.embedded.log import (
    EmbeddedLog,
    Outgoing,
    Part,
    TopicMismatch,
    TopicUnknown,
    pack_headers,
    partition_for,
)
from agents.transport.embedded.url import url_of
from tests.transport.conftest import numbered, values
from tests.transport.processes import BATCH, running

Place = tuple[str, int]


class Worker:
    """An app with one agent that notes what it gets, and commits what it has noted."""

    def __init__(self, folder: Path, *topics: str, commit_interval: float = 0.05) -> None:
        register()
        self.log = shared_log(folder / "log")
        self.app = faust.App(
            "worker",
            broker=url_of(folder / "log"),
            datadir=str(folder / "faust"),
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_buffer_maxsize=2,
            stream_wait_empty=True,
            broker_commit_interval=commit_interval,
        )
        self.transport: Transport = self.app.transport
        self.transport.commit_hook = self.commit
        self.chunks: list[tuple[Place, int, list[Any]]] = []
        self.applied: dict[Place, int] = {}
        self.arrivals: list[tuple[float, list[Any]]] = []
        self.records = 0
        self.commits = 0
        self.keep = True
        self.gate = asyncio.Event()
        self.gate.set()
        topic = self.app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        self.app.agent(topic)(self.process)

    async def process(self, stream: Any) -> AsyncIterator[None]:
        """The agent: one message is one chunk."""
        async for event in stream.events():
            await self.gate.wait()
            message = event.message
            if self.keep:
                self.arrivals.append((time.time(), event.value))
                self.chunks.append(((message.topic, message.partition), message.offset, event.value))
            self.records += len(event.value)
            self.applied[message.topic, message.partition] = message.offset + 1
            yield

    async def commit(self) -> None:
        """What the real application does: everything applied so far, in one transaction."""
        self.commits += 1
        self.log.transact([Part(0, [], self.applied)])

    def offsets(self, topic: str, partition: int = 0) -> list[int]:
        """Offsets of a partition's records in the order in which they came."""
        return [record[0] for place, _, chunk in self.chunks if place == (topic, partition) for record in chunk]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Worker"]:
        """Started, and stopped at the end."""
        await self.app.start()
        try:
            yield self
        finally:
            await self.app.stop()


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition; the test fails when it does not come true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # conditions are plain expressions over what was noted
            await asyncio.sleep(0.005)


@pytest.fixture
def folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """A folder whose shared log has topics `a` and `b`; afterwards nothing may have been complained about."""
    log = shared_log(tmp_path / "log")
    for topic in ("a", "b"):
        log.create_topic(topic, 2)
    yield tmp_path
    shared_log(tmp_path / "log").close()
    gc.collect()  # a task that nobody awaited complains when it is collected
    said = [*caplog.get_records("call"), *caplog.records]
    loud = [record.getMessage() for record in said if record.levelno >= logging.WARNING]
    assert [text for text in loud if not text.startswith("Timer commit is ")] == []  # a machine may be busy


async def test_chunks_of_all_partitions_come_in_order(folder: Path) -> None:
    """Every record of two topics with two partitions each arrives once, in order, in chunks of plain tuples."""
    worker = Worker(folder, "a", "b")
    worker.transport.chunk = ChunkSettings(max_records=1000)
    places = [(topic, partition) for topic in ("a", "b") for partition in (0, 1)]
    for topic, partition in places:
        worker.log.append(numbered(range(2500), topic, partition))
    async with worker.running():
        await until(lambda: worker.records >= 10_000)
        worker.log.append([Outgoing("a", 1, 42, b"key", b"value", pack_headers([("h", b"1")]))])
        await until(lambda: worker.records >= 10_001)
    for topic, partition in places:
        expected = list(range(2501 if (topic, partition) == ("a", 1) else 2500))
        assert expected == worker.offsets(topic, partition)
    assert max(len(chunk) for _, _, chunk in worker.chunks) == 1000
    assert worker.chunks[-1] == (("a", 1), 2500, [(2500, 42, b"key", b"value", pack_headers([("h", b"1")]))])
    assert worker.log.committed() == dict.fromkeys(places, 2500) | {("a", 1): 2501}


async def test_other_processes_append_meanwhile(folder: Path) -> None:
    """Records of two processes that append while the worker reads all arrive, in order."""
    shared_log(folder / "log").create_topic("events", 2)
    worker = Worker(folder, "events", "a")
    async with worker.running():
        with running("append_batches", folder / "log", "x", 60), running("append_batches", folder / "log", "y", 60):
            await until(lambda: worker.records >= 120 * BATCH)
    assert worker.offsets("events") == list(range(120 * BATCH))


async def test_restart_goes_on_from_the_committed_offsets(folder: Path) -> None:
    """Without a start hook a second run begins where the first committed, and a third finds nothing new."""
    first = Worker(folder, "a")
    first.log.append(numbered(range(100), "a"))
    async with first.running():
        await until(lambda: first.records == 100)
    first.log.append(numbered(range(100, 150), "a"))
    second = Worker(folder, "a")
    async with second.running():
        await until(lambda: second.records >= 50)
    assert second.offsets("a") == list(range(100, 150))


async def test_start_hook_decides_where_reading_begins(folder: Path) -> None:
    """The application names the position of each partition, whatever was committed."""
    worker = Worker(folder, "a")
    worker.log.append([*numbered(range(10), "a"), *numbered(range(10), "a", 1)])
    worker.log.transact([Part(0, [], {("a", 0): 9, ("a", 1): 9})])
    asked: list[set[TP]] = []

    async def start(places: set[TP]) -> Mapping[TP, int]:
        asked.append(places)
        return {TP("a", 0): 4, TP("a", 1): 0}

    worker.transport.start_hook = start
    async with worker.running():
        await until(lambda: worker.records >= 16)
    assert asked[0] == {TP("a", 0), TP("a", 1)}
    assert (worker.offsets("a", 0), worker.offsets("a", 1)) == (list(range(4, 10)), list(range(10)))


async def test_other_processes_records_come_at_once(folder: Path) -> None:
    """An append of another process is delivered within tens of milliseconds."""
    shared_log(folder / "log").create_topic("events", 2)
    worker = Worker(folder, "events")
    async with worker.running():
        with running("append_timed", folder / "log", 60, 0.02):
            await until(lambda: worker.records >= 60)
    delays = sorted(at - record[1] / 1000 for at, chunk in worker.arrivals for record in chunk)
    assert delays[30] < 0.06  # a machine under load; alone it is 0.015


async def test_memory_of_acknowledgements_stays_bounded(folder: Path) -> None:
    """After a thousand chunks Faust remembers no acknowledged offset or message that was committed."""
    worker = Worker(folder, "a")
    worker.keep = False
    worker.transport.chunk = ChunkSettings(max_records=100)
    for _ in range(20):
        worker.log.append(numbered(range(5_000), "a"))
    most = 0
    consumer = worker.app.consumer

    async def commit() -> None:
        nonlocal most
        most = max(most, sum(map(len, consumer._acked.values())), len(consumer._unacked_messages))

    worker.transport.commit_hook = commit
    async with worker.running():
        await until(lambda: worker.records == 100_000, 60)
        await until(lambda: not consumer._unacked_messages)
        await consumer.commit()
        assert sum(map(len, consumer._acked.values())) == 0
        assert sum(map(len, consumer._acked_index.values())) == 0
        assert not consumer._gap
    assert 0 < most < 500  # of 1000 chunks


async def test_slow_agent_holds_reading_back(folder: Path) -> None:
    """While the agent is busy only a few chunks are in memory, and none is lost."""
    worker = Worker(folder, "a", "b")
    worker.transport.chunk = ChunkSettings(max_records=100)
    for topic in ("a", "b"):
        worker.log.append([*numbered(range(5000), topic), *numbered(range(5000), topic, 1)])
    worker.gate.clear()
    async with worker.running():
        consumer = worker.app.consumer
        await until(lambda: sum(consumer._positions.values()) >= 300)
        for _ in range(50):
            await asyncio.sleep(0.005)
        assert sum(consumer._positions.values()) <= 1000
        worker.gate.set()
        await until(lambda: worker.records == 20_000)
    for topic in ("a", "b"):
        for partition in (0, 1):
            assert worker.offsets(topic, partition) == list(range(5000))


async def test_pausing_and_seeking_neither_lose_nor_repeat(folder: Path) -> None:
    """A paused partition is not read; resumed, it goes on where it stood; a seek is obeyed exactly."""
    worker = Worker(folder, "a")
    worker.transport.chunk = ChunkSettings(max_records=10)
    tp = TP("a", 0)
    async with worker.running():
        consumer = worker.app.consumer
        worker.log.append(numbered(range(1000), "a"))
        await until(lambda: worker.records >= 200)
        consumer.pause_partitions({tp})
        worker.log.append(numbered(range(5), "a", 1))
        await until(lambda: worker.offsets("a", 1) == list(range(5)))
        consumer.resume_partitions({tp})
        await until(lambda: worker.records >= 1005)
        await consumer.seek(tp, 990)
        await until(lambda: worker.records >= 1015)
    assert worker.offsets("a") == [*range(1000), *range(990, 1000)]


async def test_stop_commits_a_last_time(folder: Path) -> None:
    """A stop waits for the chunk in hand, commits it, and is quick; nothing is left running."""
    worker = Worker(folder, "a", "b")
    await worker.app.start()
    worker.gate.clear()
    worker.log.append(numbered(range(10), "a"))
    await until(lambda: worker.app.consumer._unacked_messages)
    loop = asyncio.get_running_loop()
    loop.call_later(0.1, worker.gate.set)
    began = time.monotonic()
    await worker.app.stop()
    assert time.monotonic() - began < 2.0
    assert worker.log.committed() == {("a", 0): 10}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stop_during_a_commit_commits_what_came_after_its_snapshot(folder: Path) -> None:
    """A commit that is under way when the stop comes took its snapshot too early; another one follows it."""
    worker = Worker(folder, "a", commit_interval=0.5)
    committing, go_on = asyncio.Event(), asyncio.Event()

    async def commit() -> None:
        snapshot = dict(worker.applied)
        committing.set()
        await go_on.wait()
        worker.log.transact([Part(0, [], snapshot)])

    await worker.app.start()
    worker.transport.commit_hook = commit
    await committing.wait()
    worker.log.append(numbered(range(10), "a"))
    await until(lambda: worker.records == 10)
    asyncio.get_running_loop().call_later(0.1, go_on.set)
    await worker.app.stop()
    assert worker.log.committed() == {("a", 0): 10}


async def test_failed_commit_crashes_the_app(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An error in the commit hook is the app's crash reason, for the application's supervisor to see."""
    worker = Worker(folder, "a")
    reason = OSError("refused")

    async def commit() -> None:
        raise reason

    async with worker.running():
        worker.transport.commit_hook = commit
        await until(lambda: worker.app.crashed)
        worker.transport.commit_hook = None
    assert worker.app.crash_reason is reason
    caplog.clear()


async def test_missing_topic_crashes_the_app(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Subscribing to a topic that nobody made is an error that names it, not a silent wait."""
    worker = Worker(folder, "nowhere")
    starting = asyncio.create_task(worker.app.start())
    await until(lambda: worker.app.crashed)
    assert isinstance(worker.app.crash_reason, TopicUnknown)
    assert "no topic nowhere" in str(worker.app.crash_reason)
    await worker.app.stop()
    await asyncio.wait([starting])
    caplog.clear()


async def test_topics_outside_coalesce_come_one_by_one(folder: Path) -> None:
    """Records of a topic that is not to be coalesced are messages of their own, with key and value."""
    worker = Worker(folder, "a")
    worker.transport.coalesce = {"a"}
    got: list[tuple[int, Any, Any]] = []
    topic = worker.app.topic("b", key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    @worker.app.agent(topic, name="singles")  # type: ignore[untyped-decorator]
    async def singles(stream: Any) -> AsyncIterator[None]:
        async for event in stream.events():
            got.append((event.message.offset, event.key, event.value))
            yield

    worker.log.append([*numbered(range(3), "b"), *numbered(range(3), "a")])
    async with worker.running():
        await until(lambda: len(got) == 3 and worker.records == 3)
    assert got == [(n, b"k", b"%d" % n) for n in range(3)]


async def test_sends_are_durable_when_they_resolve(folder: Path) -> None:
    """Sends at the same moment go in one transaction; each future resolves with the record's place in the log."""
    worker = Worker(folder, "a")
    async with worker.running():
        producer = worker.app.producer
        before = worker.log.version()
        sent = [await producer.send("b", b"E%d" % n, b"%d" % n, None, 1.5, {"h": b"x"}) for n in range(100)]
        assert not any(future.done() for future in sent)
        assert worker.log.version() == before
        found = await asyncio.gather(*sent)
        for n, metadata in enumerate(found):
            assert metadata.partition == partition_for(b"E%d" % n, 2)
            record = worker.log.read("b", metadata.partition, metadata.offset, 1)[0]
            assert record == (metadata.offset, 1500, b"E%d" % n, b"%d" % n, pack_headers({"h": b"x"}))
        batches = worker.log._log.snapshot()
        with batches as connection:
            assert connection.execute("SELECT count(*) FROM batches_2_0").fetchone() == (1,)
        metadata = await producer.send_and_wait("b", None, b"keyless", 1, None, None)
        assert metadata.partition == 1


async def test_flush_and_stop_write_what_waits(folder: Path) -> None:
    """Flush returns when everything sent is on disk, and a stop leaves nothing behind."""
    worker = Worker(folder, "a")
    async with worker.running():
        producer = worker.app.producer
        await producer.send("b", b"k", b"1", 0, None, None)
        await producer.flush()
        assert values(worker.log, "b") == [b"1"]
        await producer.send("b", b"k", b"2", 0, None, None)
    assert values(worker.log, "b") == [b"1", b"2"]


async def test_bad_sends_are_refused_alone(folder: Path) -> None:
    """An unknown topic or one of the ledger is an error at the send, with no harm to the others in the group."""
    worker = Worker(folder, "a")
    worker.log.create_topic("state", 1, ledger=True)
    async with worker.running():
        producer = worker.app.producer
        good = await producer.send("b", b"k", b"1", 0, None, None)
        with pytest.raises(TopicUnknown, match="no topic 'nowhere' to send to"):
            await producer.send("nowhere", b"k", b"v", None, None, None)
        with pytest.raises(TopicMismatch, match="state is in the ledger"):
            await producer.send("state", b"k", b"v", None, None, None)
        assert (await good).offset == 0


def test_log_is_shared_by_folder(tmp_path: Path) -> None:
    """One folder is one object in a process, whatever the spelling, until it is closed."""
    log = shared_log(tmp_path / "x")
    assert shared_log(tmp_path / "." / "y" / ".." / "x") is log
    log.close()
    again = shared_log(tmp_path / "x")
    assert again is not log
    again.close()
    with EmbeddedLog.open(tmp_path / "x", patience_s=1.0) as own:
        share(own)
        assert shared_log(tmp_path / "x") is own
