"""A topic's partitions, kind and file are fixed when it is made; only its retention may be changed later."""

import sqlite3

from agents.transport.errors import TopicMismatch, TopicUnknown
from agents.transport.log import TopicInfo


def load(connection: sqlite3.Connection, *, ledger: bool) -> dict[str, TopicInfo]:
    """All topics of one file."""
    rows = connection.execute("SELECT name, partitions, compacted, retention_ms, retention_bytes, id FROM topics")
    return {name: TopicInfo(name, n, bool(c), ledger, ms, size, number) for name, n, c, ms, size, number in rows}


def insert(connection: sqlite3.Connection, wanted: TopicInfo) -> None:
    """Make a topic, inside the caller's transaction."""
    number = connection.execute(
        "INSERT INTO topics (name, partitions, compacted, retention_ms, retention_bytes) VALUES (?, ?, ?, ?, ?)",
        (wanted.name, wanted.partitions, wanted.compacted, wanted.retention_ms, wanted.retention_bytes),
    ).lastrowid
    for partition in range(wanted.partitions):
        connection.execute("INSERT INTO partitions (topic, partition) VALUES (?, ?)", (number, partition))
        connection.execute(
            f"CREATE TABLE {table(number or 0, partition)} (last INTEGER PRIMARY KEY, count INTEGER NOT NULL,"
            " appended INTEGER NOT NULL, packed BLOB NOT NULL)"
        )


def update_retention(connection: sqlite3.Connection, topic: TopicInfo) -> None:
    """Store the retention that `topic` names, inside the caller's transaction."""
    connection.execute(
        "UPDATE topics SET retention_ms = ?, retention_bytes = ? WHERE id = ?",
        (topic.retention_ms, topic.retention_bytes, topic.number),
    )


def table(number: int, partition: int) -> str:
    """Name of the table of batches: last offset, count, moment of appending (ms), packed records."""
    return f"batches_{number}_{partition}"


def settled(found: TopicInfo, wanted: TopicInfo) -> TopicInfo:
    """`found` with the retention of `wanted`. Raises TopicMismatch when anything else differs."""
    for field in ("partitions", "compacted", "ledger"):
        have, want = getattr(found, field), getattr(wanted, field)
        if have != want:
            raise TopicMismatch(
                f"topic {found.name}: {field} is {have}, asked for {want}; that is fixed, use {have} or another topic"
            )
    return found._replace(
        retention_ms=_limit(wanted.retention_ms, found.retention_ms),
        retention_bytes=_limit(wanted.retention_bytes, found.retention_bytes),
    )


def _limit(wanted: int | None, found: int | None) -> int | None:
    """None asks for nothing, a negative number for no limit."""
    if wanted is None:
        return found
    return None if wanted < 0 else wanted


def demand_partition(topic: TopicInfo, partition: int) -> None:
    """Raises TopicUnknown when `topic` has no such partition."""
    if not 0 <= partition < topic.partitions:
        raise TopicUnknown(f"topic {topic.name}: no partition {partition}, it has 0 to {topic.partitions - 1}")
