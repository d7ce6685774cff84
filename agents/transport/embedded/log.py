"""What `append` or `transact` returned for is on disk, whole; what they raised for is not there at all.

`log.sqlite` is appended to by any number of processes, `ledger.sqlite` only by the owner of the folder
(`FolderLock`): its topics and the committed offsets change together in one transaction.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NoReturn

from agents.transport.embedded.compaction import compact_file
from agents.transport.embedded.create import LEDGER, LOG, prepare
from agents.transport.embedded.file import LogFile
from agents.transport.embedded.lock import FolderLock, alone
from agents.transport.embedded.retention import retain_file
from agents.transport.embedded.sqlite import PATIENCE_S, can_write
from agents.transport.embedded.topics import demand_partition, insert, settled, update_retention
from agents.transport.embedded.watch import Watch
from agents.transport.log import (
    READ_BYTES,
    Append,
    FolderInUse,
    LogError,
    LogFull,
    LogMissing,
    Outgoing,
    Part,
    Record,
    RecoverableError,
    TopicInfo,
    TopicMismatch,
    TopicPartition,
    TopicUnknown,
    pack_headers,
    partition_for,
    unpack_headers,
)

__all__ = [
    "EmbeddedLog",
    "FolderInUse",
    "FolderLock",
    "LogError",
    "LogFull",
    "LogMissing",
    "Outgoing",
    "Part",
    "Record",
    "RecoverableError",
    "TopicInfo",
    "TopicMismatch",
    "TopicUnknown",
    "pack_headers",
    "partition_for",
    "unpack_headers",
]


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class EmbeddedLog:
    """A log in a folder. One object serves all threads of a process; do not carry it across a fork."""

    shared = False

    def __init__(self, folder: Path, log_id: str, clock: Callable[[], int], patience_s: float) -> None:
        self.folder = folder
        self.log_id = log_id
        self.closed = False
        self._clock = clock
        read_only = not can_write(folder)
        self._log = LogFile(folder / LOG, ledger=False, read_only=read_only, patience_s=patience_s)
        self._ledger = LogFile(folder / LEDGER, ledger=True, read_only=read_only, patience_s=patience_s)
        self._watch = Watch((folder / LOG, folder / LEDGER), read_only=read_only)
        self._topics: dict[str, TopicInfo] = {}

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        create: bool = True,
        clock: Callable[[], int] = _wall_ms,
        patience_s: float = PATIENCE_S,
    ) -> "EmbeddedLog":
        """Open the log in `folder`, making it when there is none.

        `clock` gives milliseconds since 1970 UTC; it stamps the moment of appending, from which retention counts.
        `patience_s`: how long a write waits for other processes' writes before it gives up with LogBusy.
        Raises LogMissing (none there and not `create`), LogIncomplete, LogVersionUnknown, LogCorrupt.
        """
        return cls(folder, prepare(folder, create=create), clock, patience_s)

    @property
    def name(self) -> str:
        """Its folder."""
        return str(self.folder)

    def create_topic(
        self,
        topic: str,
        partitions: int,
        *,
        compacted: bool = False,
        ledger: bool = False,
        retention_ms: int | None = None,
        retention_bytes: int | None = None,
    ) -> None:
        """Make a topic; when it exists, only its retention may differ and is taken over (None: as it is, -1: no limit).

        Retention is per partition, counts from the append, and acts when `retain` is called.
        Raises TopicMismatch when partitions, compacted or ledger differ from what is there.
        """
        if partitions < 1:
            raise ValueError(f"topic {topic}: partitions is {partitions}; give 1 or more")
        wanted = TopicInfo(topic, partitions, compacted, ledger, retention_ms, retention_bytes, 0)
        found = self.topics().get(topic)
        if found is not None and settled(found, wanted) == found:
            return
        with self._log.transaction() as naming:  # for ledger topics too: one name is one topic, whoever else asks now
            found = self.topics().get(topic)
            fresh = settled(wanted if found is None else found, wanted)
            store = insert if found is None else update_retention
            if ledger:
                with self._ledger.transaction() as connection:
                    store(connection, fresh)
            else:
                store(naming, fresh)

    def topics(self) -> dict[str, TopicInfo]:
        """Every topic by name, as of now."""
        self._topics = {**self._log.topics(), **self._ledger.topics()}
        return dict(self._topics)

    def topic_ids(self, names: Collection[str]) -> dict[str, str]:
        """A topic is as old as its log: it cannot be taken out and made anew."""
        return dict.fromkeys(set(names) & self.topics().keys(), self.log_id)

    def append(self, records: Sequence[Outgoing]) -> list[int]:
        """Append to topics of `log.sqlite`; one transaction, on disk at return. Offsets in the order of `records`.

        Raises TopicUnknown, TopicMismatch (a ledger topic), LogFull, LogBusy, TypeError; nothing is written then.
        """
        return self._write(self._log, records, {})

    @contextmanager
    def alone(self, name: str) -> Iterator[Append]:
        """Holds the folder's lock of this name, for which other processes wait; what is given is `append`."""
        with alone(self.folder, name):
            yield self.append

    def own(self, partition: int) -> None:
        """Whoever holds the folder's FolderLock owns all partitions."""

    def disown(self, partition: int) -> None:
        """As `own`: the lock decides."""

    def append_owned(self, records: Sequence[Outgoing]) -> list[int]:
        """As `append`: nobody but the holder of the FolderLock calls this."""
        return self.append(records)

    def transact(self, parts: Sequence[Part]) -> list[list[int]]:
        """Append to ledger topics and store committed offsets (next to read), all parts in ONE transaction; `append`.

        Only the process that holds the folder's FolderLock may call this.
        """
        records = [record for part in parts for record in part.records]
        offsets = {place: offset for part in parts for place, offset in part.offsets.items()}
        given = iter(self._write(self._ledger, records, offsets))
        return [list(islice(given, len(part.records))) for part in parts]

    def before_commit(self, hook: Callable[[], None]) -> None:
        """Have `hook` called in each transaction of `transact`, before its commit: for tests of crashes."""
        self._ledger.before_commit = hook

    def read(self, topic: str, partition: int, start: int, limit: int, max_bytes: int = READ_BYTES) -> list[Record]:
        """Records from offset `start` (or the first kept after it) on, in order, as plain tuples of Record's shape.

        At most `limit`, and not much more than `max_bytes`, but at least one when there is any. Compaction leaves
        gaps between offsets. Never waits for a writer.
        """
        info = self._topic(topic, partition)
        return self._file(info).read(info, partition, start, limit, max_bytes)

    def start(self, topic: str, partition: int) -> int:
        """First offset that retention has kept."""
        info = self._topic(topic, partition)
        return self._file(info).bound(info, partition)[0]

    def end(self, topic: str, partition: int) -> int:
        """Offset that the next record will get."""
        info = self._topic(topic, partition)
        return self._file(info).bound(info, partition)[1]

    def starts(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """`start` of each of these."""
        bounds = self.bounds()
        return {place: bounds[place][0] for place in places}

    def ends(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """`end` of each of these."""
        bounds = self.bounds()
        return {place: bounds[place][1] for place in places}

    def bounds(self) -> dict[TopicPartition, tuple[int, int]]:
        """(start, end) of every partition of every topic, in two queries."""
        return {**self._log.bounds(), **self._ledger.bounds()}

    def committed(self) -> dict[TopicPartition, int]:
        """Committed offsets by (topic, partition): the next offset to read."""
        return self._ledger.committed()

    def owner(self) -> int | None:
        """The process that holds the folder's FolderLock, None when there is none."""
        return FolderLock.owner(self.folder)

    def version(self) -> tuple[int, ...]:
        """Differs from an earlier answer when any process has committed in between; costs some microseconds."""
        return self._watch.version()

    def retain(self, now_ms: int) -> int:
        """Drop what the topics' retention lets go at `now_ms`. Returns the number of records dropped.

        Ledger topics are included: call it where `transact` may be called.
        """
        return retain_file(self._log, now_ms) + retain_file(self._ledger, now_ms)

    def compact(self, *, min_dirty: float = 0.0) -> int:
        """Keep the newest record of every key in compacted topics. Returns the number of records dropped.

        `min_dirty`: leave a partition alone while less than this share of its records is new since the last time.
        Only the process that holds the folder's FolderLock may call this.
        """
        return compact_file(self._log, min_dirty, self._clock()) + compact_file(self._ledger, min_dirty, self._clock())

    def close(self) -> None:
        """Close all connections. Nothing is lost without it."""
        self.closed = True
        self._watch.close()
        self._log.close()
        self._ledger.close()

    def __enter__(self) -> "EmbeddedLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _file(self, topic: TopicInfo) -> LogFile:
        return self._ledger if topic.ledger else self._log

    def _topic(self, topic: str, partition: int) -> TopicInfo:
        info = self._topics.get(topic) or self.topics().get(topic)
        if info is None:
            there = ", ".join(sorted(self._topics)) or "none"
            raise TopicUnknown(f"{self.folder}: no topic {topic!r}; there are: {there}")
        demand_partition(info, partition)
        return info

    def _write(self, file: LogFile, records: Sequence[Outgoing], offsets: Mapping[TopicPartition, int]) -> list[int]:
        if not records and not offsets:
            return []
        where = _by_place(records)
        places = [(self._writable(file, topic, partition), partition) for topic, partition in where]
        groups = dict(zip(places, ([records[i] for i in indices] for indices in where.values()), strict=True))
        first = file.write(groups, offsets, self._clock())
        given = [0] * len(records)
        for place, indices in zip(places, where.values(), strict=True):
            for offset, index in enumerate(indices, first[place]):
                given[index] = offset
        return given

    def _writable(self, file: LogFile, topic: str, partition: int) -> TopicInfo:
        info = self._topic(topic, partition)
        if self._file(info) is not file:
            _wrong_door(info)
        return info


def _by_place(records: Sequence[Outgoing]) -> Mapping[TopicPartition, Sequence[int]]:
    """Which records go to which partition, by index."""
    places = [(record[0], record[1]) for record in records]
    if len(set(places)) == 1:
        return {places[0]: range(len(records))}
    where: dict[TopicPartition, list[int]] = {}
    for index, place in enumerate(places):
        where.setdefault(place, []).append(index)
    return where


def _wrong_door(topic: TopicInfo) -> NoReturn:
    if topic.ledger:
        raise TopicMismatch(f"topic {topic.name} is in the ledger: only the folder's worker writes it, with transact()")
    raise TopicMismatch(f"topic {topic.name} is not in the ledger: write it with append()")
