"""Faust gets whole chunks, and never decides about offsets: the application says where to start and what is committed.

A position moves only when its chunk is handed over, and a chunk that was read ahead counts only while its partition
still stands where the chunk begins. So a seek or a pause at any moment neither skips a record nor repeats one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

from faust.transport.consumer import Consumer as FaustConsumer
from faust.types import TP, ConsumerMessage, Message

from agents.transport.embedded.chunks import Chunk, Chunks, ChunkSettings
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.topic_creation import create_topic
from agents.transport.hooks import Prepared
from agents.transport.log import Record, TopicUnknown

StartHook = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]
CommitHook = Callable[[], Awaitable[None]]

STOP_PATIENCE_S = 5.0  # how long a stop waits for chunks that are being processed


class Consumer(FaustConsumer):  # type: ignore[misc]  # faust is untyped here
    """Reads an EmbeddedLog. Its transport carries `log`, `chunk`, `coalesce`, `reader` and the hooks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._log: EmbeddedLog = self.transport.log
        self._settings: ChunkSettings = self.transport.chunk
        self._chunks = Chunks(self._log, self._settings, self.transport.reader)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-log-read")
        self._ahead: asyncio.Future[list[Chunk]] | None = None
        self._asked: dict[TP, int] = {}
        self._positions: dict[TP, int] = {}
        self._assigned: set[TP] = set()

    # Assignment: one worker owns the folder, so it gets every partition of what it subscribes to.

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Take all partitions of `topics`; the assignment itself follows in a task, as Faust expects."""
        self.add_future(self._assign(set(topics)))

    async def _assign(self, topics: set[str]) -> None:
        there = await asyncio.get_running_loop().run_in_executor(self._thread, self._log.topics)
        if missing := topics - there.keys():
            raise TopicUnknown(
                f"{self._log.folder}: no topic {', '.join(sorted(missing))}; create it before subscribing"
            )
        assigned = {TP(topic, partition) for topic in topics for partition in range(there[topic].partitions)}
        self.app.on_rebalance_start()
        if self._assigned:
            await self.on_partitions_revoked(set(self._assigned))
            self._positions.clear()
        self._assigned = assigned
        self.app.assignor._active_tps = set(assigned)
        self.app.assignor._assignment.actives = {t: list(range(there[t].partitions)) for t in topics}
        self.app.consumer_generation_id += 1
        await self.on_partitions_assigned(set(assigned), self.app.consumer_generation_id)

    def assignment(self) -> set[TP]:
        """All partitions of the subscribed topics."""
        return set(self._assigned)

    # Positions.

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go where the application's `start_hook` says; by default to the committed offset, else the log's start."""
        hook: StartHook = self.transport.start_hook or self._committed_or_start
        starts = await hook(self.assignment())
        self._positions.update(starts)
        return starts

    async def _committed_or_start(self, places: set[TP]) -> Mapping[TP, int]:
        run = asyncio.get_running_loop().run_in_executor
        committed = await run(self._thread, self._log.committed)
        bounds = await run(self._thread, self._log.bounds)
        return {tp: max(committed.get(tp, 0), bounds[tp][0]) for tp in places}

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to these offsets."""
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def position(self, tp: TP) -> int | None:
        """Offset that is handed over next, None before the first seek."""
        return self._positions.get(tp)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """First offset kept of each partition."""
        bounds = self._log.bounds()
        return {tp: bounds[tp][0] for tp in partitions}

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Next offset of each partition."""
        bounds = self._log.bounds()
        return {tp: bounds[tp][1] for tp in partitions}

    def highwater(self, tp: TP) -> int:
        """Next offset of a partition when last looked at."""
        return self._chunks.end(tp)

    # Chunks.

    async def _drain_messages(self, fetcher: Any) -> None:
        """Faust's loop without its tasks and timers per message; what is stopped meanwhile is cancelled with it."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(timeout=1.0):
                    await self.callback(message)
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109  # Faust's name
        """A round of chunks (or of their single records, for topics not coalesced), after at most `timeout` s."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        for chunk in await self._next_round(monotonic() + timeout):
            tp = TP(*chunk.place)
            if not self._coalesced(tp):
                async for message in self._singly(tp, chunk):
                    yield tp, message
            elif self._stands_at(tp, chunk.begin):
                self._positions[tp] = chunk.after
                yield tp, self._to_message(tp, chunk.records)

    async def _singly(self, tp: TP, chunk: Chunk) -> AsyncIterator[Message]:
        expected = chunk.begin
        for record in chunk.records if isinstance(chunk.records, list) else ():
            if not self._stands_at(tp, expected):
                return
            self._positions[tp] = expected = record[0] + 1
            yield self._to_message(tp, [record])

    def _coalesced(self, tp: TP) -> bool:
        coalesce: Collection[str] | None = self.transport.coalesce
        return not self._is_changelog_tp(tp) if coalesce is None else tp.topic in coalesce

    def _stands_at(self, tp: TP, position: int) -> bool:
        """Whether the partition is being read and `position` is what comes next."""
        readable = tp in self._get_active_partitions() or tp in self._buffered_partitions
        return self.flow_active and readable and self._positions.get(tp) == position

    async def _next_round(self, deadline: float) -> list[Chunk]:
        while self.flow_active and not self.should_stop and monotonic() < deadline:
            if self._ahead is None:
                self._read_ahead(self._wanted())
            if self._ahead is None:
                await asyncio.sleep(self._settings.poll_s)
                continue
            await asyncio.wait([self._ahead])
            chunks, self._ahead = self._ahead.result(), None
            if chunks:
                self._read_ahead(self._wanted() | {TP(*chunk.place): chunk.after for chunk in chunks})
                return chunks
            await self._wait_for_records(deadline)
        return []

    def _read_ahead(self, positions: dict[TP, int]) -> None:
        """Have a round read from these positions on while the loop does something else."""
        if positions:
            self._asked = positions
            loop = asyncio.get_running_loop()
            self._ahead = loop.run_in_executor(self._thread, self._chunks.round, positions, monotonic())

    def _wanted(self) -> dict[TP, int]:
        positions = self._positions
        return {tp: positions[tp] for tp in self._get_active_partitions() if tp in positions}

    async def _wait_for_records(self, deadline: float) -> None:
        """Until lingering partitions are due; without any, until something is committed or others are wanted."""
        due = self._chunks.next_due
        while self.flow_active and not self.should_stop and self._wanted() == self._asked:
            left = min(deadline, due or deadline) - monotonic()
            if left <= 0 or (due is None and self._chunks.stale()):
                return
            await asyncio.sleep(min(left, self._settings.poll_s))

    def _to_message(self, tp: TP, records: list[Record] | Prepared) -> ConsumerMessage:
        coalesced = self._coalesced(tp)
        if isinstance(records, list):
            offset, timestamp, key, value, _ = records[-1]
        else:
            offset, timestamp, key, value = records.after - 1, records.logged, None, None
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            timestamp / 1000.0,
            0,
            None,
            None if coalesced else key,
            records if coalesced else value,
            None,
            0,
            len(records),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _getmany(self, *_: Any, **__: Any) -> dict[TP, list[Any]]:
        raise NotImplementedError("getmany is this transport's own")

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps between offsets mean nothing: commits come from the application."""

    # Commits.

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Let the application commit, and forget Faust's list of acknowledged offsets."""
        sensor_state = self.app.sensors.on_commit_initiated(self)
        hook: CommitHook | None = self.transport.commit_hook
        if hook is not None:
            await hook()
        for tp in list(self._acked):
            self._acked[tp].clear()
            self._acked_index[tp].clear()
        self.app.sensors.on_commit_completed(self, sensor_state)
        return hook is not None

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        raise NotImplementedError("offsets are committed by the application, in commit_hook")

    async def wait_empty(self) -> None:
        """Give chunks that are being processed a moment to end, then commit a last time."""
        deadline = monotonic() + STOP_PATIENCE_S
        while any(not message.acked for message in list(self._unacked_messages)) and monotonic() < deadline:
            await self._wait_for_ack(timeout=1.0)
        while await self.maybe_wait_for_commit_to_finish():
            """A commit under way took its snapshot too early: the last one must begin after it."""
        await self.commit_and_end_transactions()

    async def on_stop(self) -> None:
        """Commit a last time and end the reading thread."""
        await self.wait_empty()
        if self._ahead is not None:
            await asyncio.gather(self._ahead, return_exceptions=True)
        self._thread.shutdown(wait=False)

    # The rest of Faust's interface.

    def topic_partitions(self, topic: str) -> int | None:
        """Number of partitions of a topic, None when there is no such topic."""
        info = self._log.topics().get(topic)
        return info.partitions if info else None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Partition of a key, or the one given."""
        placed: int | None = self.app.producer.key_partition(topic, key, partition)
        return placed

    async def create_topic(self, topic: str, partitions: int, replication: int, **kwargs: Any) -> None:
        """Create a topic with Faust's options; replication means nothing here."""
        await create_topic(self._log, topic, partitions, **kwargs)

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)
