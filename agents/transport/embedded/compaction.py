"""Of every key the newest record stays; an older one goes only while a newer one is there.

Like Kafka's cleaner: a map of the keys in a bounded piece of the new section, then one walk over everything before
the piece's end, a slice per transaction. A walk that is cut off has done no harm and is done again.
"""

import sqlite3
from collections.abc import Iterable

from agents.transport.embedded import topics
from agents.transport.embedded.file import LogFile
from agents.transport.embedded.records import merged, unpack
from agents.transport.log import Record, TopicInfo

MAP_KEYS = 500_000  # about 100 MB
TOMBSTONE_GRACE_MS = 24 * 60 * 60 * 1000  # a reader that is further behind may miss a deletion
_SLICE_BATCHES = 64
_SLICE_BYTES = 4 * 1024 * 1024

_Row = tuple[int, int, int, bytes]  # last, count, appended, packed


def compact_file(file: LogFile, min_dirty: float, now_ms: int, map_keys: int = MAP_KEYS) -> int:
    """Compact every compacted topic of the file; number of records dropped."""
    return sum(
        _compact(file, topic, partition, min_dirty, now_ms, map_keys)
        for topic in file.topics().values()
        if topic.compacted
        for partition in range(topic.partitions)
    )


def _compact(file: LogFile, topic: TopicInfo, partition: int, min_dirty: float, now_ms: int, map_keys: int) -> int:
    with file.snapshot() as connection:
        start, end, cleaned = connection.execute(
            "SELECT start, next, cleaned FROM partitions WHERE topic = ? AND partition = ?", (topic.number, partition)
        ).fetchone()
        clean = connection.execute(
            f"SELECT coalesce(sum(count), 0) FROM {topics.table(topic.number, partition)} WHERE last < ?", (cleaned,)
        ).fetchone()[0]
    dirty = end - max(cleaned, start)
    if dirty < max(1.0, min_dirty * (clean + dirty)):
        return 0
    walk = _Walk(file, topic, partition, end, now_ms)
    dropped = 0
    while cleaned < end:
        newest, cleaned = walk.newest_by_key(cleaned, map_keys)
        dropped += walk.rewrite(newest, cleaned)
    return dropped


class _Walk:
    """One compaction of one partition up to `end`; the partition's very last record always stays."""

    def __init__(self, file: LogFile, topic: TopicInfo, partition: int, end: int, now_ms: int) -> None:
        self._file = file
        self._place = (topic.number, partition)
        self._table = topics.table(topic.number, partition)
        self._end = end
        self._now_ms = now_ms

    def newest_by_key(self, begin: int, map_keys: int) -> tuple[dict[bytes | None, int], int]:
        """Newest offset of each key from `begin` on, until the map is full; and the offset after what it covers."""
        newest: dict[bytes | None, int] = {}
        while begin < self._end and len(newest) < map_keys:
            with self._file.snapshot() as connection:
                rows = self._slice(connection, begin, self._end)
            if not rows:
                return newest, self._end
            for record in _records(rows):
                newest[record[2]] = record[0]
            begin = rows[-1][0] + 1
        return newest, min(begin, self._end)

    def rewrite(self, newest: dict[bytes | None, int], covered: int) -> int:
        """Drop what is older than the map says from all batches before `covered`."""
        dropped, begin = 0, 0
        while begin < covered:
            with self._file.snapshot() as connection:
                rows = self._slice(connection, begin, covered)
            if not rows:
                break
            if len(self._kept(rows, newest)) < sum(count for _, count, _, _ in rows):
                with self._file.transaction() as connection:
                    dropped += self._replace(connection, self._slice(connection, begin, covered), newest)
            begin = rows[-1][0] + 1
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE partitions SET cleaned = ? WHERE topic = ? AND partition = ?", (covered, *self._place)
            )
        return dropped

    def _slice(self, connection: sqlite3.Connection, begin: int, end: int) -> list[_Row]:
        rows: list[_Row] = []
        size = 0
        for row in connection.execute(
            f"SELECT last, count, appended, packed FROM {self._table}"
            " WHERE last >= ? AND last < ? ORDER BY last LIMIT ?",
            (begin, end, _SLICE_BATCHES),
        ):
            rows.append(row)
            size += len(row[3])
            if size >= _SLICE_BYTES:
                break
        return rows

    def _kept(self, rows: list[_Row], newest: dict[bytes | None, int]) -> list[Record]:
        kept: list[Record] = []
        for row in rows:
            forget = self._now_ms - row[2] > TOMBSTONE_GRACE_MS
            for record in _records([row]):
                offset, _, key, value, _ = record
                newer = newest.get(key, -1) if key is not None else -1
                if offset == self._end - 1 or not (newer > offset or (value is None and key is not None and forget)):
                    kept.append(record)
        return kept

    def _replace(self, connection: sqlite3.Connection, rows: list[_Row], newest: dict[bytes | None, int]) -> int:
        """Write the slice's survivors in its place, as few batches."""
        if not rows:
            return 0
        kept = self._kept(rows, newest)
        appended = max(row[2] for row in rows)
        fresh = [(last, count, appended, packed) for last, count, packed in merged(kept)]
        connection.execute(f"DELETE FROM {self._table} WHERE last >= ? AND last <= ?", (rows[0][0], rows[-1][0]))
        connection.executemany(f"INSERT INTO {self._table} VALUES (?, ?, ?, ?)", fresh)
        shrunk = sum(len(row[3]) for row in rows) - sum(len(row[3]) for row in fresh)
        connection.execute(
            "UPDATE partitions SET bytes = bytes - ? WHERE topic = ? AND partition = ?", (shrunk, *self._place)
        )
        return sum(row[1] for row in rows) - len(kept)


def _records(rows: Iterable[_Row]) -> list[Record]:
    return [record for _, _, _, packed in rows for record in unpack(packed)]
