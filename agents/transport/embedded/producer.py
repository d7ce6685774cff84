"""A send's future resolves when its record is on disk: what comes within a few milliseconds goes in one transaction."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from faust.transport.producer import Producer as FaustProducer
from faust.types import TP, RecordMetadata

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.topic_creation import create_topic
from agents.transport.log import Outgoing, TopicInfo, TopicMismatch, TopicUnknown, pack_headers, partition_for

GROUP_S = 0.003  # how long a record waits for company
_GROUP_RECORDS = 50_000

_Waiting = tuple[Outgoing, "asyncio.Future[RecordMetadata]"]


class Producer(FaustProducer):  # type: ignore[misc]  # faust is untyped here
    """Appends to the EmbeddedLog of its transport. Ledger topics are not for it: they are written by `transact`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._log: EmbeddedLog = self.transport.log
        self._topics: dict[str, TopicInfo] = {}
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._keyless = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-log-write")

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> "asyncio.Future[RecordMetadata]":
        """Queue a record (timestamp in seconds, now by default); the future gives its metadata once it is durable."""
        place = self.key_partition(topic, key, partition)
        timestamp_ms = time.time_ns() // 1_000_000 if timestamp is None else round(timestamp * 1000)
        record = Outgoing(topic, place, timestamp_ms, key, value, pack_headers(headers))
        future: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return future

    async def send_and_wait(self, *args: Any, **kwargs: Any) -> RecordMetadata:
        """Send a record and wait until it is durable."""
        return await (await self.send(*args, **kwargs))

    async def _write(self) -> None:
        """Append what waits, group by group, until nothing does."""
        try:
            await asyncio.sleep(GROUP_S)
            while self._waiting:
                group, self._waiting = self._waiting[:_GROUP_RECORDS], self._waiting[_GROUP_RECORDS:]
                await self._append(group)
        finally:
            self._writing = None

    async def _append(self, group: list[_Waiting]) -> None:
        records = [record for record, _ in group]
        try:
            offsets = await asyncio.get_running_loop().run_in_executor(self._thread, self._log.append, records)
        except Exception as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (record, future), offset in zip(group, offsets, strict=True):
            if not future.done():
                future.set_result(_metadata(record, offset))

    async def flush(self) -> None:
        """Until everything sent so far is durable."""
        await self.buffer.flush()
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def on_stop(self) -> None:
        """Write what still waits."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._thread.shutdown(wait=False)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int:
        """The given partition, else the key's (murmur2), else one after the other."""
        info = self._topic(topic)
        if partition is not None:
            return partition
        if key is not None:
            return partition_for(key, info.partitions)
        self._keyless += 1
        return self._keyless % info.partitions

    def _topic(self, topic: str) -> TopicInfo:
        if topic not in self._topics:
            self._topics = self._log.topics()
        info = self._topics.get(topic)
        if info is None:
            raise TopicUnknown(f"{self._log.folder}: no topic {topic!r} to send to; create it first")
        if info.ledger:
            raise TopicMismatch(f"topic {topic} is in the ledger: write it with EmbeddedLog.transact, not with send")
        return info

    async def create_topic(self, topic: str, partitions: int, replication: int, **kwargs: Any) -> None:
        """Create a topic with Faust's options; replication means nothing here."""
        await create_topic(self._log, topic, partitions, **kwargs)

    def supports_headers(self) -> bool:
        """Headers are kept."""
        return True


def _metadata(record: Outgoing, offset: int) -> RecordMetadata:
    tp = TP(record.topic, record.partition)
    return RecordMetadata(record.topic, record.partition, tp, offset, record.timestamp / 1000.0, 0)
