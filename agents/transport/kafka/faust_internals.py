"""What Faust does by itself and must not, overridden in one place, each with its reason.

Written against the versions below, by reading their source; another version is refused at start. Faust keeps the
agents, the flow of messages and the order of starting and stopping. Everything about offsets, state and membership is
the application's (`Hooks`) and the member's (`member.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from importlib.metadata import version
from typing import Any, Final

from faust.tables.manager import TableManager as FaustTableManager
from faust.tables.recovery import Recovery as FaustRecovery
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.producer import Producer as FaustProducer
from faust.types import TP, ConsumerMessage, Message

from agents.transport.errors import LogError, TransportFailed
from agents.transport.hooks import Hooks
from agents.transport.kafka.assignor import Assignor
from agents.transport.kafka.backlog import Backlog
from agents.transport.kafka.light import Chunk
from agents.transport.kafka.member import Member

VERSIONS: Final = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}
PATIENCE_S: Final = 1.0  # a round waits for records
SHORT_S: Final = 0.02
BEYOND_S: Final = 10.0  # how long a partition may give records from behind where its reading stands


def demand_versions() -> None:
    """LogError when one of the packages whose insides are used here has another version."""
    for package, known in VERSIONS.items():
        if (found := version(package)) != known:
            raise LogError(f"{package} is {found}, and reading from Kafka needs {known}; install requirements.lock")


class Consumer(FaustConsumer):  # type: ignore[misc]  # faust is untyped here
    """Faust's consumer on a `Member`: whole chunks, no offsets.

    A chunk counts only while its partition stands where the chunk begins. So what was fetched before a seek, or in
    another generation, neither skips a record nor repeats one.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hooks: Hooks = self.transport.hooks
        self._hooks = hooks
        self.member = Member(
            self.transport.cluster,
            self.transport.instance,
            Assignor(hooks.local),
            self.transport.pace,
            self._revoke,
            self._assign,
        )
        self._backlog = Backlog(hooks, self.transport.pace.most)
        self._assigned: set[TP] = set()
        self._positions: dict[TP, int] = {}
        self._beyond: dict[TP, float] = {}  # since when a partition has given nothing but what lies further on
        self._rebalancing = asyncio.Lock()
        self.revocations = 0

    async def on_start(self) -> None:
        """Connects; the group is joined once agents have said what they read."""
        await self.member.start()

    async def on_stop(self) -> None:
        """Leaves. Faust would commit here; the application has, before it stopped the app."""
        await self.member.stop(leave=self.transport.leave)

    # Rebalances. Reason: Faust forgets what was acknowledged before it commits the last time (consumer.py:659), and
    # goes on when that commit is refused. The application commits first, from its state, or fails.

    async def _revoke(self) -> None:
        self.revocations += 1
        async with self._rebalancing:
            if self.should_stop:
                return
            self.app.on_rebalance_start()
            self.stop_flow()
            try:
                await self._hooks.revoked()
                await self.on_partitions_revoked(set(self._assigned))
            except Exception as error:
                self._hooks.failed(error)

    async def _assign(self, places: Iterable[tuple[str, int]], generation: int) -> None:
        async with self._rebalancing:
            if self.should_stop:
                return
            self._assigned = {TP(*place) for place in places}
            self._positions.clear()
            self._beyond.clear()
            self._backlog.clear()
            self.app.consumer_generation_id = generation
            try:
                await self.on_partitions_assigned(set(self._assigned), generation)
            except Exception as error:
                self._hooks.failed(error)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Joins the group of workers for these topics."""
        await self.member.subscribe(list(topics))

    def assignment(self) -> set[TP]:
        """What this worker reads."""
        return set(self._assigned)

    # Positions. Reason: the state says where reading begins, after its restore; committed offsets would skip what a
    # changelog that is older than they are does not hold.

    async def perform_seek(self) -> None:
        """Go where the application says."""
        starts = {TP(*place): offset for place, offset in (await self._hooks.starts(self._assigned)).items()}
        ends = self._hooks.ends()
        much = [place for place, start in starts.items() if self._backlog.takes(place, start, ends.get(place, 0))]
        await self.member.leave_alone(much)
        await self.member.seek({place: start for place, start in starts.items() if place not in much})
        self._positions.update(starts)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """As `perform_seek`."""
        await self.perform_seek()
        return dict(self._positions)

    async def _seek(self, partition: TP, offset: int) -> None:
        await self.member.seek({partition: offset})
        self._positions[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to these offsets."""
        for place, offset in partitions.items():
            await self._seek(place, offset)

    async def position(self, tp: TP) -> int | None:
        """Offset that is handed over next, None before the first seek."""
        return self._positions.get(tp)

    # Chunks. Reason: Faust hands over record by record, at 250 us each; its loop seeks by itself when the flow stops
    # (getmany), waits a whole second when all partitions are paused, and keeps acknowledgements that nobody needs.

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                async for _, message in self.getmany(PATIENCE_S):
                    await self.wait_first(self.callback(message), self.suspend_flow.wait())
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise
        except Exception as error:  # Faust would log it, and read nothing for ever
            self._hooks.failed(error)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109  # Faust's name
        """A round of chunks, after at most `timeout` s."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        generation = self.app.consumer_generation_id
        active = {place for place in self._get_active_partitions() if place in self._positions}
        if not active:
            await asyncio.sleep(SHORT_S)
            return
        for chunk in await self._round(active, timeout):
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            place = TP(*chunk.place)
            if await self._stands_at(place, chunk):
                self._positions[place] = chunk.span.after
                yield place, self._to_message(place, chunk)
                if generation == self.app.consumer_generation_id:
                    await self._share(place, chunk)

    async def _round(self, active: set[TP], patience: float) -> list[Chunk]:
        """Chunks of a round: one of the backlog, and what the member has of the other partitions."""
        chunk, over = await self._backlog.read(self._positions)
        if over is not None:
            await self.member.seek({over: chunk.span.after if chunk else self._positions[TP(*over)]})
        others = active - self._backlog.places
        taken = await self.member.take(others, 0.0 if chunk else patience)
        return [chunk, *taken] if chunk else taken

    async def _share(self, place: TP, chunk: Chunk) -> None:
        """A partition with much to read is read beside the member from here on."""
        if place not in self._backlog.places and self._backlog.takes(place, chunk.span.after, self.member.end(place)):
            await self.member.leave_alone([place])

    async def _stands_at(self, place: TP, chunk: Chunk) -> bool:
        """Whether a chunk goes on where its partition stands. One from further on is fetched again, from there."""
        expected = self._positions.get(place)
        if expected is None:
            return False
        if chunk.span.begin <= expected:
            self._beyond.pop(place, None)
            return chunk.span.after > expected
        since = self._beyond.setdefault(place, time.monotonic())
        if time.monotonic() - since > BEYOND_S:
            raise TransportFailed(
                f"{place.topic}/{place.partition} gives offset {chunk.span.begin}, and {expected} is next; "
                f"for {BEYOND_S:g} s nothing else"
            )
        await self.member.seek({place: expected})
        return False

    def _to_message(self, tp: TP, record: Chunk) -> ConsumerMessage:
        chunk = record
        offset, logged = chunk.last
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            logged / 1000.0,
            0,
            {"span": chunk.span},
            None,
            chunk.records,
            None,
            0,
            len(chunk.records),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _getmany(self, *_: Any, **__: Any) -> dict[TP, list[Any]]:
        raise NotImplementedError("getmany is this transport's own")

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets have gaps; commits come from the application."""

    # Commits. Reason: Faust commits what was acknowledged, jumps over messages in flight (consumer.py:1140, :1215) and
    # counts a refused commit as done (:1080). Offsets go out in the application's transactions only.

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Let the application commit, and forget Faust's list of acknowledged offsets."""
        await self._hooks.commits()
        for tp in list(self._acked):
            self._acked[tp].clear()
            self._acked_index[tp].clear()
        return True

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        raise NotImplementedError("offsets are committed by the application")

    async def wait_empty(self) -> None:
        """Chunks that are not applied are read again."""

    # The rest of Faust's interface.

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Nobody asks."""
        return dict.fromkeys(partitions, 0)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Nobody asks."""
        return dict.fromkeys(partitions, 0)

    def highwater(self, tp: TP) -> int:
        """Nobody asks."""
        return 0

    def topic_partitions(self, topic: str) -> int | None:
        """Of an assigned topic: how many this worker has."""
        return sum(place.topic == topic for place in self._assigned) or None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Nothing is sent through Faust."""
        return partition

    async def create_topic(self, topic: str, partitions: int, replication: int, **kwargs: Any) -> None:
        """Topics are made by the log, with the settings that it needs (Faust takes a timeout in ms for seconds)."""

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)


class Producer(FaustProducer):  # type: ignore[misc]  # faust is untyped here
    """Reason: everything leaves in the log's transactions. Faust's own would open connections for nothing."""

    async def send(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing is sent through Faust."""
        raise NotImplementedError("write with the log: append, append_owned, transact")

    async def flush(self) -> None:
        """Nothing is under way."""

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> Any:
        """Nothing is sent through Faust."""
        return partition


class Recovery(FaustRecovery):  # type: ignore[misc]  # faust is untyped here
    """Reason: the state is restored here, in a task beside the group's heartbeats, by the application.

    Faust's own restore counts a transaction's marker as a record that is missing and waits for it for ever, and its
    check of consistency stays down.
    """

    async def _resume_streams(self, generation_id: int = 0) -> None:
        app, consumer = self.app, self.app.consumer
        hooks: Hooks = consumer._hooks
        assigned, revocations = consumer.assignment(), consumer.revocations

        def outdated() -> bool:
            """The next rebalance has begun meanwhile, and comes by here."""
            return bool(revocations != consumer.revocations or app.should_stop)

        if outdated() or app.consumer_generation_id != generation_id:
            return
        try:
            if not await hooks.assigned({place.partition for place in assigned}) or outdated():
                return
            await consumer.perform_seek()
            await app._fetcher.maybe_start()
        except Exception as error:
            hooks.failed(error)
            return
        if outdated():
            return
        # From here on nothing waits: a rebalance cannot come between.
        consumer.resume_partitions(assigned)
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        hooks.resumed()


class TableManager(FaustTableManager):  # type: ignore[misc]  # faust is untyped here
    """Reason: the recovery above, and a start without the second that Faust waits for tables to be declared."""

    _recovery: Recovery | None = None

    @property
    def recovery(self) -> Recovery:
        """The service that resumes reading after a rebalance."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Ready at once: there are no tables."""
        await self._update_channels()
        await self.recovery.start()
