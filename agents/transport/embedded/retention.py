"""Retention drops whole batches from a partition's front; age counts from the append, never from the timestamp."""

import sqlite3

from agents.transport.embedded import topics
from agents.transport.embedded.file import LogFile
from agents.transport.log import TopicInfo

_SLICE = 256  # batches a transaction, so that appenders never wait long


def retain_file(file: LogFile, now_ms: int) -> int:
    """Apply each topic's own retention at `now_ms`; number of records dropped."""
    return sum(
        _retain(file, topic, partition, now_ms)
        for topic in file.topics().values()
        if topic.retention_ms is not None or topic.retention_bytes is not None
        for partition in range(topic.partitions)
    )


def _retain(file: LogFile, topic: TopicInfo, partition: int, now_ms: int) -> int:
    dropped = 0
    while True:
        with file.snapshot() as connection:
            due = _due(connection, topic, partition, now_ms)
        if not due:
            return dropped
        with file.transaction() as connection:
            dropped += _drop(connection, topic, partition, _due(connection, topic, partition, now_ms))


_Due = tuple[int, int, int]  # last offset, records, bytes


def _due(connection: sqlite3.Connection, topic: TopicInfo, partition: int, now_ms: int) -> list[_Due]:
    """The oldest batches that are too old or too much, at most a slice of them."""
    (kept,) = connection.execute(
        "SELECT bytes FROM partitions WHERE topic = ? AND partition = ?", (topic.number, partition)
    ).fetchone()
    oldest = connection.execute(
        f"SELECT last, count, length(packed), appended FROM {topics.table(topic.number, partition)}"
        " ORDER BY last LIMIT ?",
        (_SLICE,),
    )
    due: list[_Due] = []
    for last, count, size, appended in oldest:
        too_old = topic.retention_ms is not None and now_ms - appended > topic.retention_ms
        too_much = topic.retention_bytes is not None and kept > topic.retention_bytes
        if not (too_old or too_much):
            break
        due.append((last, count, size))
        kept -= size
    return due


def _drop(connection: sqlite3.Connection, topic: TopicInfo, partition: int, due: list[_Due]) -> int:
    if not due:
        return 0
    last = due[-1][0]
    connection.execute(f"DELETE FROM {topics.table(topic.number, partition)} WHERE last <= ?", (last,))
    connection.execute(
        "UPDATE partitions SET start = ?, bytes = bytes - ? WHERE topic = ? AND partition = ?",
        (last + 1, sum(size for _, _, size in due), topic.number, partition),
    )
    return sum(count for _, count, _ in due)
