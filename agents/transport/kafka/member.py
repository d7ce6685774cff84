"""A member of the group of workers: an aiokafka consumer in a thread of its own, so that heartbeats wait for nobody.

Its positions are only where it fetches. It commits nothing and decides nothing: where reading begins is said to it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import KafkaError, NoOffsetForPartitionError

from agents.transport.errors import TransportFailed
from agents.transport.kafka.assignor import Assignor
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.light import Chunk, drain
from agents.transport.log import TopicPartition as Place

logger: Final = logging.getLogger(__name__)
_T = TypeVar("_T")
_FETCH_BYTES: Final = 4 << 20  # per partition; 1 MB costs 40 % of the rate
_ROUND_BYTES: Final = 32 << 20
_GATHERED_BYTES: Final = 256 << 10  # that many do not wait
_REST_MS: Final = 500  # how long a broker keeps a question when no record comes
_REBALANCE_S: Final = 60.0
_STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`most` records in a round; a partition with few waits for the next of the moments that are `linger` s apart."""

    most: int = 20_000
    few: int = 1_000
    linger: float = 0.05


class Member:
    """One membership: `start`, `subscribe`, then `take` again and again, `stop`.

    `revoked` and `assigned` are called in the loop that called `start`, the second with the generation.
    """

    def __init__(
        self,
        cluster: Cluster,
        instance: str | None,
        assignor: Assignor,
        pace: Pace,
        revoked: Callable[[], Awaitable[None]],
        assigned: Callable[[set[Place], int], Awaitable[None]],
    ) -> None:
        self._cluster = cluster
        self._instance = instance
        self._assignor = assignor
        self._pace = pace
        self._revoked = revoked
        self._assigned = assigned
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._consumer: Any = None
        self._outer: asyncio.AbstractEventLoop | None = None
        self._waiter: Any = None
        self._not_before = 0.0

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        loop.close()

    async def _there(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs something in the thread and waits for it."""
        assert self._loop is not None, "start comes first"
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def start(self) -> None:
        """Connects. TransportFailed when no broker answers."""
        self._outer = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, args=(self._loop,), name="kafka-member", daemon=True)
        self._thread.start()
        await self._there(self._start())

    async def _start(self) -> None:
        access = self._cluster.access
        self._consumer = AIOKafkaConsumer(
            **self._cluster.aiokafka(),
            group_id=access.group,
            group_instance_id=self._instance,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # an offset that is gone is no reason to begin somewhere else
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_bytes=_ROUND_BYTES,
            max_poll_records=None,
            max_poll_interval_ms=24 * 60 * 60 * 1000,  # who works long is alive: the age of the last commit tells
            session_timeout_ms=int(access.session * 1000),
            heartbeat_interval_ms=int(min(500, access.session * 100)),  # how soon one hears of a rebalance
            rebalance_timeout_ms=int(_REBALANCE_S * 1000),
            request_timeout_ms=int((_REBALANCE_S + 10) * 1000),  # joining waits for the slowest
            metadata_max_age_ms=60_000,
        )
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise TransportFailed(f"{self._cluster.name}: cannot join the workers: {error!r}") from error

    async def subscribe(self, topics: Collection[str]) -> None:
        """Join the group for these topics."""

        async def subscribe() -> None:
            self._consumer.subscribe(topics=sorted(topics), listener=_Listener(self))

        await self._there(subscribe())

    def assignment(self) -> set[Place]:
        """What this member reads now."""
        if self._consumer is None:
            return set()
        return {(place.topic, place.partition) for place in self._consumer.assignment()}

    async def seek(self, offsets: Mapping[Place, int]) -> None:
        """Fetch from these offsets on; places that are no longer this member's are passed over."""

        async def seek() -> None:
            for place, offset in offsets.items():
                if place in self.assignment():
                    self._consumer.seek(TopicPartition(*place), offset)
                    self._consumer.resume(TopicPartition(*place))
            self._consumer._fetcher._notify(self._waiter)  # who waits for records waits for other places than now

        await self._there(seek())

    def end(self, place: Place) -> int:
        """Where it ended when it was last fetched from, counting what is committed; 0 when that is not known."""
        where = TopicPartition(*place)
        if place not in self.assignment():
            return 0
        return min(self._consumer.last_stable_offset(where) or 0, self._consumer.highwater(where) or 0)

    async def leave_alone(self, places: Collection[Place]) -> None:
        """Fetch nothing of these places until `seek`."""

        async def pause() -> None:
            for place in map(TopicPartition._make, places):
                if place in self._consumer.assignment():
                    self._consumer.pause(place)
                    self._consumer._fetcher._records.pop(place, None)
            self._consumer._fetcher._notify(self._consumer._fetcher._wait_consume_future)

        await self._there(pause())

    async def take(self, active: Collection[Place], patience: float) -> list[Chunk]:
        """A round of chunks of these places; none after `patience` s, or while the group is rebalancing."""
        return await self._there(self._take(active, patience))

    async def _take(self, active: Collection[Place], patience: float) -> list[Chunk]:
        fetcher = self._consumer._fetcher
        deadline = time.monotonic() + patience
        if (early := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(early)
        self._check()
        chunks = self._drain(fetcher, active)
        if not chunks and (left := deadline - time.monotonic()) > 0:
            self._waiter = fetcher._create_fetch_waiter()
            await asyncio.wait([self._waiter], timeout=left)
            self._waiter.cancel()
            chunks = self._drain(fetcher, active)
        if sum(len(chunk.records) for chunk in chunks) < self._pace.few:
            now, linger = time.monotonic(), self._pace.linger
            self._not_before = (now // linger + 1) * linger
        self._gather(fetcher, flowing=bool(chunks))
        return chunks

    def _gather(self, fetcher: Any, *, flowing: bool) -> None:
        """While records come, brokers gather them for a while: else they answer with each single one.

        A record after a rest is answered with at once.
        """
        fetcher._fetch_min_bytes = _GATHERED_BYTES if flowing else 1
        fetcher._fetch_max_wait_ms = int(self._pace.linger * 1000) if flowing else _REST_MS

    def _check(self) -> None:
        """A member whose tasks have ended looks alive and reads nothing for ever."""
        try:
            self._consumer._coordinator.check_errors()
        except KafkaError as error:
            raise TransportFailed(f"{self._cluster.name}: membership in the workers ended: {error!r}") from error
        for task in (self._consumer._coordinator._coordination_task, self._consumer._fetcher._fetch_task):
            if task.done():
                raise TransportFailed(f"{self._cluster.name}: {task.get_coro().__qualname__} of the consumer ended")

    def _drain(self, fetcher: Any, active: Collection[Place]) -> list[Chunk]:
        chunks: list[Chunk] = []
        left = self._pace.most
        if fetcher._subscriptions.reassignment_in_progress:
            return chunks
        for place in list(fetcher._records):
            if left <= 0:
                break
            if (place.topic, place.partition) not in active:
                continue
            result = fetcher._records[place]
            if not isinstance(result, FetchResult):
                self._fail_for(place, fetcher._records.pop(place))
                continue
            chunk = drain(result, left)
            if chunk is not None:
                chunks.append(chunk)
                left -= len(chunk.records)
            if not result.has_more():
                del fetcher._records[place]
                fetcher._notify(fetcher._wait_consume_future)
        return chunks

    def _fail_for(self, place: Any, error: Any) -> None:
        """A place could not be fetched; before the first seek that is nothing."""
        try:
            error.check_raise()
        except NoOffsetForPartitionError:
            return
        except KafkaError as reason:
            raise TransportFailed(f"{self._cluster.name}: {place.topic}/{place.partition}: {reason!r}") from reason

    async def stop(self, *, leave: bool) -> None:
        """Ends. Who leaves is missed by nobody; who does not may come back under its name within the session."""
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            return
        if self._consumer is not None:
            with suppress(TimeoutError):  # a broker that is gone is not said good-bye to
                await asyncio.wait_for(self._there(self._stop(leave)), _STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)

    async def _stop(self, leave: bool) -> None:
        if leave:
            self._consumer._coordinator._group_instance_id = None  # else a member with a name never says good-bye
        await self._consumer.stop()

    async def _here(self, work: Awaitable[None]) -> None:
        """From the thread: runs something in the loop outside and waits for it."""
        assert self._outer is not None

        async def run() -> None:
            await work

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._outer))


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped here
    """aiokafka's view of a member; heartbeats go on while partitions are given up, not while they are taken."""

    def __init__(self, member: Member) -> None:
        self._member = member

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._member._here(self._member._revoked())

    async def on_partitions_assigned(self, assigned: Any) -> None:
        member = self._member
        places = {(place.topic, place.partition) for place in assigned}
        assert member._outer is not None
        generation = member._consumer._coordinator.generation
        work = member._assigned(places, generation)
        asyncio.run_coroutine_threadsafe(work, member._outer)  # type: ignore[arg-type]  # a coroutine
