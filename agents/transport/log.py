"""What everything above asks of a log, whichever runs: records in partitions, and commits that are whole or not there.

It is a folder (`agents/transport/embedded/`) or lies on brokers (`agents/transport/kafka/`).
`agents/transport/opening.py` opens the one that a broker URL names; nobody else tells one from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from agents.transport.errors import (
    FolderInUse,
    LogBusy,
    LogError,
    LogFull,
    LogMissing,
    RecoverableError,
    TopicMismatch,
    TopicUnknown,
)
from agents.transport.headers import pack_headers, unpack_headers
from agents.transport.murmur2 import partition_for

__all__ = [
    "READ_BYTES",
    "Append",
    "FolderInUse",
    "Log",
    "LogBusy",
    "LogError",
    "LogFull",
    "LogMissing",
    "Outgoing",
    "Part",
    "Record",
    "RecoverableError",
    "TopicInfo",
    "TopicMismatch",
    "TopicPartition",
    "TopicUnknown",
    "pack_headers",
    "partition_for",
    "records",
    "unpack_headers",
]

READ_BYTES = 8 * 1024 * 1024
TopicPartition = tuple[str, int]
_AT_ONCE = 10_000


class Record(NamedTuple):
    """What `read` yields, as a plain tuple of this shape. `timestamp` in ms; `headers` packed, None when empty."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: bytes | None


class Outgoing(NamedTuple):
    """A record on its way into the log. `timestamp` in ms since 1970 UTC; `headers` as `pack_headers` gives them."""

    topic: str
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: bytes | None = None


class Part(NamedTuple):
    """What the owner of one partition commits: records of ledger topics, and offsets (next to read) of its inputs."""

    partition: int
    records: Sequence[Outgoing]
    offsets: Mapping[TopicPartition, int]


class TopicInfo(NamedTuple):
    """What a topic is. Retention None: kept for ever. `ledger`: written by `transact` only."""

    name: str
    partitions: int
    compacted: bool
    ledger: bool
    retention_ms: int | None
    retention_bytes: int | None
    number: int = 0  # within the embedded log's file


Append = Callable[[Sequence[Outgoing]], list[int]]


def records(log: Log, topic: str, partition: int, begin: int = 0) -> Iterator[Record]:
    """What a partition holds from an offset on, up to its end when that is reached."""
    while found := log.read(topic, partition, begin, _AT_ONCE):
        begin = found[-1][0] + 1
        yield from map(Record._make, found)


class Log(Protocol):
    """A log, for all threads of a process. Any call may raise LogError or RecoverableError."""

    @property
    def name(self) -> str:
        """What people call it: its folder, or its brokers."""

    @property
    def log_id(self) -> str:
        """Another log is another id."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""

    @property
    def shared(self) -> bool:
        """Whether several workers share the partitions, which then come and go; else one worker has all of them."""

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

        TopicMismatch when anything else differs from what is there.
        """

    def topics(self) -> dict[str, TopicInfo]:
        """Every topic by name, as of now."""

    def topic_ids(self, names: Collection[str]) -> dict[str, str]:
        """The id of each of these topics that is there: one that was made anew has another."""

    def append(self, records: Sequence[Outgoing]) -> list[int]:
        """Append to topics that are no ledger; durable at return. Offsets in the order of `records`."""

    def alone(self, name: str) -> AbstractContextManager[Append]:
        """One holder of this name at a time, anywhere; what the function it gives appends is whole or not there."""

    def own(self, partition: int) -> None:
        """Become the owner of a partition, to write it with `transact` and `append_owned`: earlier owners cannot any
        more, and nothing that they have begun is there or comes to be there.
        """

    def disown(self, partition: int) -> None:
        """Be its owner no longer."""

    def append_owned(self, records: Sequence[Outgoing]) -> list[int]:
        """As `append`, and only as the owner of the records' partitions; read like what `transact` has written."""

    def transact(self, parts: Sequence[Part]) -> list[list[int]]:
        """Commit parts, each whole or not there; the offsets of each part's records. Only owners may call this.

        It is durable at return. Readers see it then or some milliseconds later, and a next owner at once.
        """

    def before_commit(self, hook: Callable[[], None]) -> None:
        """Have `hook` called in each transaction of `transact`, before its commit: for tests of crashes."""

    def read(self, topic: str, partition: int, start: int, limit: int, max_bytes: int = READ_BYTES) -> list[Record]:
        """Records from offset `start` (or the first kept after it) on, in order, as plain tuples of Record's shape.

        At most `limit`, and not much more than `max_bytes`, but at least one when there is any. Offsets may have gaps.
        """

    def start(self, topic: str, partition: int) -> int:
        """First offset that is kept."""

    def end(self, topic: str, partition: int) -> int:
        """Offset behind the last record that can be read."""

    def starts(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """`start` of each of these."""

    def ends(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """`end` of each of these."""

    def bounds(self) -> dict[TopicPartition, tuple[int, int]]:
        """(start, end) of every partition of every topic."""

    def committed(self) -> dict[TopicPartition, int]:
        """Committed offsets by (topic, partition): the next offset to read."""

    def version(self) -> tuple[int, ...]:
        """Differs from an earlier answer when anything was written in between; cheap."""

    def retain(self, now_ms: int) -> int:
        """Drop what the topics' retention lets go at `now_ms`; records dropped, 0 where the broker does that."""

    def compact(self, *, min_dirty: float = 0.0) -> int:
        """Keep the newest record of every key in compacted topics; records dropped, 0 where the broker does it."""

    def owner(self) -> int | str | None:
        """The process that is the worker of this log, or who its workers are; None when there is none."""

    def close(self) -> None:
        """Let go. Nothing is lost without it."""
