"""One SQLite file of partitions: offsets are dense in the order of commits and are never given out twice."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from agents.transport.embedded import topics
from agents.transport.embedded.reading import read_batches
from agents.transport.embedded.records import batches
from agents.transport.embedded.sqlite import Readers, connect, transaction
from agents.transport.errors import LogError
from agents.transport.log import Outgoing, Record, TopicInfo, TopicPartition


class LogFile:
    """Appends, reads and bookkeeping of one file; safe to use from several threads."""

    def __init__(self, path: Path, *, ledger: bool, read_only: bool, patience_s: float) -> None:
        self.path = path
        self.ledger = ledger
        self._read_only = read_only
        self._patience_s = patience_s
        self._readers = Readers(path, read_only=read_only)
        self._writing = RLock()
        self._writer: sqlite3.Connection | None = None
        self._closed = False
        self.before_commit: Callable[[], None] = _nothing  # within each `write`'s transaction: for tests of crashes

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The file's write connection inside one transaction; other threads and processes wait."""
        with self._writing:
            if self._closed:
                raise LogError(f"{self.path}: the log has been closed")
            if self._writer is None:
                self._writer = connect(self.path, read_only=self._read_only, patience_s=0.0)
            with transaction(self.path, self._writer, self._patience_s):
                yield self._writer

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A read connection that sees one moment and waits for nobody."""
        with self._readers.snapshot() as connection:
            yield connection

    def topics(self) -> dict[str, TopicInfo]:
        """What the file holds now."""
        with self.snapshot() as connection:
            return topics.load(connection, ledger=self.ledger)

    def write(
        self,
        groups: Mapping[tuple[TopicInfo, int], Sequence[Outgoing]],
        committed: Mapping[TopicPartition, int],
        now_ms: int,
    ) -> dict[tuple[TopicInfo, int], int]:
        """Append each group to its partition and store committed offsets, all or nothing. First offset per group."""
        with self.transaction() as connection:
            first = {place: _append(connection, place, records, now_ms) for place, records in groups.items()}
            if committed:
                connection.executemany(
                    "INSERT INTO committed VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
                    [(topic, partition, offset) for (topic, partition), offset in committed.items()],
                )
            self.before_commit()
        return first

    def read(self, topic: TopicInfo, partition: int, start: int, limit: int, max_bytes: int) -> list[Record]:
        """Records from `start` on, at most `limit`, about `max_bytes`, at least one when there is any."""
        with self.snapshot() as connection:
            return read_batches(connection, topics.table(topic.number, partition), start, limit, max_bytes)

    def bounds(self) -> dict[TopicPartition, tuple[int, int]]:
        """First offset kept and next offset of every partition."""
        with self.snapshot() as connection:
            rows = connection.execute(
                "SELECT t.name, p.partition, p.start, p.next FROM partitions p JOIN topics t ON t.id = p.topic"
            ).fetchall()
        return {(name, partition): (start, end) for name, partition, start, end in rows}

    def bound(self, topic: TopicInfo, partition: int) -> tuple[int, int]:
        """First offset kept and next offset of one partition."""
        with self.snapshot() as connection:
            row: tuple[int, int] = connection.execute(
                "SELECT start, next FROM partitions WHERE topic = ? AND partition = ?", (topic.number, partition)
            ).fetchone()
        return row

    def committed(self) -> dict[TopicPartition, int]:
        """Committed offsets: the next one to read."""
        with self.snapshot() as connection:
            rows = connection.execute("SELECT topic, partition, next FROM committed").fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    def close(self) -> None:
        """Close every connection once nothing is under way on it."""
        with self._writing:
            self._closed = True
            if self._writer is not None:
                self._writer.close()
        self._readers.close()


def _nothing() -> None:
    """No test is looking."""


def _append(
    connection: sqlite3.Connection, place: tuple[TopicInfo, int], records: Sequence[Outgoing], now_ms: int
) -> int:
    topic, partition = place
    (first,) = connection.execute(
        "SELECT next FROM partitions WHERE topic = ? AND partition = ?", (topic.number, partition)
    ).fetchone()
    rows = [(last, count, now_ms, packed) for last, count, packed in batches(first, records)]
    connection.executemany(f"INSERT INTO {topics.table(topic.number, partition)} VALUES (?, ?, ?, ?)", rows)
    connection.execute(
        "UPDATE partitions SET next = ?, bytes = bytes + ? WHERE topic = ? AND partition = ?",
        (first + len(records), sum(len(row[3]) for row in rows), topic.number, partition),
    )
    return int(first)
