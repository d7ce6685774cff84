"""Records are read by place and offset: whoever goes on where a reader stands finds the next records there already.

A reader is a librdkafka consumer without a group on one partition, reading what is committed. It fetches ahead, so
that a scan runs at full speed, and is moved when somebody asks for another place.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from agents.transport.errors import BrokerGone, LogError
from agents.transport.kafka.cluster import PATIENCE_S, Cluster
from agents.transport.log import Record, pack_headers
from agents.transport.log import TopicPartition as Place

SILENT_S: Final = 6.0  # s without an answer, after which a reader begins anew
_READERS: Final = 32  # at most, idle
_AT_ONCE: Final = 500
_OPTIONS: Final[dict[str, object]] = {
    "group_id": "scorestream-reader",  # librdkafka wants one; nothing is ever committed under it
    "enable_auto_commit": False,
    "auto_offset_reset": "error",
    "isolation_level": "read_committed",
    "enable_partition_eof": True,
    "fetch_wait_max_ms": 10,  # the end is known after a fetch that finds nothing
    "fetch_queue_backoff_ms": 2,
    "fetch_message_max_bytes": 4 << 20,
    "queued_max_messages_kbytes": 4 << 10,  # of each reader: a process that decodes has one per partition and topic
}


class Readers:
    """Readers of one cluster, for all threads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._idle: list[_Reader] = []  # the longest idle first
        self._lock = Lock()
        self._closed = False

    def read(self, place: Place, start: int, limit: int, max_bytes: int) -> list[Record]:
        """Records from `start` on; none only at the end."""
        reader = self._take(place, start)
        try:
            return reader.read(place, start, limit, max_bytes)
        except BaseException:
            reader.broken = True
            raise
        finally:
            if reader.began_anew:
                reader.began_anew = False
                self._forget(place[0])
            self._give_back(reader)

    def bounds(self, place: Place) -> tuple[int, int]:
        """First offset kept, and that of the next record, committed or not."""
        reader = self._take(place, -1)
        try:
            return reader.bounds(place)
        finally:
            self._give_back(reader)

    def _take(self, place: Place, start: int) -> _Reader:
        with self._lock:
            if self._closed:
                raise LogError(f"{self._cluster.name}: the log has been closed")
            for fits in (lambda r: (r.place, r.position) == (place, start), lambda r: r.place == place):
                for reader in self._idle:
                    if fits(reader):
                        self._idle.remove(reader)
                        return reader
            if len(self._idle) >= _READERS:
                return self._idle.pop(0)
        return _Reader(self._cluster)

    def _give_back(self, reader: _Reader) -> None:
        with self._lock:
            if not self._closed and not reader.broken:
                self._idle.append(reader)
                return
        reader.close()

    def _forget(self, topic: str) -> None:
        """What one had to begin anew for, the others of its topic would have to."""
        with self._lock:
            outdated = [reader for reader in self._idle if reader.place is not None and reader.place[0] == topic]
            self._idle = [reader for reader in self._idle if reader not in outdated]
        for reader in outdated:
            reader.close()

    def close(self) -> None:
        """Ends what is idle now, and what is at work when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()


class _Reader:
    """One consumer; `place` and `position` say where it stands."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._consumer: Any = Consumer(cluster.config(**_OPTIONS))
        self.place: Place | None = None
        self.position = -1
        self.resting = False  # without a partition; `place` is where it was
        self.began_anew = False
        self.broken = False

    def read(self, place: Place, start: int, limit: int, max_bytes: int) -> list[Record]:
        # One that stood there may have been told of an end that is none any more.
        told = (self.place, self.position, self.resting) == (place, start, False)
        self._stand(place, start)
        found: list[Record] = []
        at_end, now = False, time.monotonic()
        anew, deadline = now + SILENT_S, now + PATIENCE_S
        while not found and not at_end:
            first = self._consumer.poll(1.0)
            if first is not None:
                at_end = self._sort([first], place, found)
                if at_end and told:
                    at_end = told = False
                    self.position = -1
                    self._stand(place, start)
            elif (now := time.monotonic()) > deadline:
                raise BrokerGone(f"{self._cluster.name}: {place[0]}/{place[1]} gave nothing for {PATIENCE_S:g} s")
            elif now > anew:
                anew = deadline
                self._begin_anew(place, start)
        size = _size(found)
        while not at_end and len(found) < limit and size < max_bytes:  # and what has come already
            more = self._consumer.consume(min(limit - len(found), _AT_ONCE), 0)
            if not more:
                break
            before = len(found)
            at_end = self._sort(more, place, found)
            size += _size(found[before:])
        # The end is told once: whoever comes again has to ask anew.
        self.position = -1 if at_end else found[-1][0] + 1
        if at_end or self._knows_no_more(place):
            self._rest()
        return found

    def _begin_anew(self, place: Place, start: int) -> None:
        """As somebody who knows nothing: librdkafka takes no news of a topic that was made anew after its leader had
        changed, as the epoch of the new one's is older."""
        self._consumer.close()
        self._consumer = Consumer(self._cluster.config(**_OPTIONS))
        self.place, self.began_anew = None, True
        self._stand(place, start)

    def _knows_no_more(self, place: Place) -> bool:
        """Whether only a transaction's marker lies ahead, by what the last fetch said."""
        _, end = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
        return bool(self.position + 1 >= end)

    def _rest(self) -> None:
        """Fetches nothing more: at the end that would be a question to the broker every few milliseconds, for ever."""
        self._consumer.unassign()
        self.resting = True

    def _sort(self, messages: list[Any], place: Place, found: list[Record]) -> bool:
        """Messages are records, or say that the end was reached: whether it was, at last."""
        records: list[Any] = [
            (m.offset(), m.timestamp()[1], m.key(), m.value(), pack_headers(h) if (h := m.headers()) else None)
            for m in messages
            if m.error() is None
        ]
        found += records
        if len(records) == len(messages):
            return False
        for message in messages:
            if (error := message.error()) is not None and error.code() != KafkaError._PARTITION_EOF:
                if error.code() != KafkaError._AUTO_OFFSET_RESET:
                    raise self._cluster.translation(f"reading {place[0]}/{place[1]}", error)
                return self._outside(place, message.offset())
        return messages[-1].error() is not None

    def _outside(self, place: Place, asked: int) -> bool:
        """An offset that is not there: before the first kept one, which is gone to then, or behind the end."""
        start, _ = self.bounds(place)
        self.place = None
        if asked >= start:
            return True
        self._stand(place, start)
        return False

    def bounds(self, place: Place) -> tuple[int, int]:
        with self._cluster.translated(f"asking for the bounds of {place[0]}/{place[1]}"):
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=PATIENCE_S)
        return int(low), int(high)

    def _stand(self, place: Place, start: int) -> None:
        """Go there, unless it stands there."""
        if (self.place, self.position) == (place, start) and not self.resting:
            return
        where = TopicPartition(*place, start)
        with self._cluster.translated(f"going to {place[0]}/{place[1]} offset {start}"):
            if self.resting or self.place != place or not self._seeks(where):
                if self.place is None or self.place[0] != place[0]:
                    self._consumer.list_topics(place[0], PATIENCE_S)  # else the first records wait up to a second
                self._consumer.assign([where])
        self.place, self.position, self.resting = place, start, False

    def _seeks(self, where: TopicPartition) -> bool:
        """Not in a topic that is gone: one that was made anew since has to be assigned again."""
        try:
            self._consumer.seek(where)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        self._consumer.close()


def _size(records: list[Record]) -> int:
    return sum(len(record[3] or b"") for record in records)
