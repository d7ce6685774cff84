"""A read asks SQLite two questions, however many batches it takes: which ones, then all of them in one row.

Python gives up the interpreter lock at every step of a query; a reader thread that stepped batch by batch would wait
for the event loop each time.
"""

import sqlite3
from bisect import bisect_left
from functools import cache
from typing import NamedTuple

from agents.transport.embedded.records import Record, unpack

_WIDTHS = (1, 8, 64, 512)
_AT_ONCE = _WIDTHS[-1]


class _Chosen(NamedTuple):
    last: int
    records: int
    size: int


def read_batches(connection: sqlite3.Connection, table: str, start: int, limit: int, max_bytes: int) -> list[Record]:
    """Records of `table` from offset `start` on; the connection is inside a snapshot."""
    found: list[Record] = []
    more = True
    while more and len(found) < limit:
        chosen, more = _choose(connection, table, start, limit - len(found), max_bytes)
        if not chosen:
            break
        records = _unpacked(chosen, _fetch(connection, table, [last for last, _, _ in chosen]))
        skip = bisect_left(records, start, key=_offset)
        found += records[skip : skip + limit - len(found)]
        start = chosen[-1][0] + 1
        max_bytes -= sum(size for _, _, size in chosen)
    return found


def _unpacked(chosen: list[_Chosen], blobs: tuple[bytes, ...]) -> list[Record]:
    if len(blobs) >= sum(count for _, count, _ in chosen) // 16:  # small batches: one call for all of them
        return unpack(sum(count for _, count, _ in chosen), b"".join(blobs))
    return [record for (_, count, _), blob in zip(chosen, blobs, strict=True) for record in unpack(count, blob)]


def _offset(record: Record) -> int:
    return record[0]


def _choose(
    connection: sqlite3.Connection, table: str, start: int, limit: int, max_bytes: int
) -> tuple[list[_Chosen], bool]:
    """The batches to take next, and whether to ask again after them."""
    at_most = min(limit, _AT_ONCE)
    (text,) = connection.execute(
        "SELECT group_concat(last || ' ' || count || ' ' || size, ',') FROM"
        f" (SELECT last, count, length(packed) AS size FROM {table} WHERE last >= ? ORDER BY last LIMIT ?)",
        (start, at_most),
    ).fetchone()
    listed = [_Chosen(*map(int, entry.split())) for entry in text.split(",")] if text else []
    chosen: list[_Chosen] = []
    records = size = 0
    for batch in listed:
        if chosen and records >= limit:
            break
        if chosen and size + batch.size > max_bytes:
            return chosen, False
        # The first batch may begin before `start`.
        records += batch.records if chosen else min(batch.records, batch.last - start + 1)
        size += batch.size
        chosen.append(batch)
    return chosen, size < max_bytes and len(listed) == at_most


def _fetch(connection: sqlite3.Connection, table: str, lasts: list[int]) -> tuple[bytes, ...]:
    width = next(w for w in _WIDTHS if w >= len(lasts))
    padded = lasts + [-1] * (width - len(lasts))
    row: tuple[bytes, ...] = connection.execute(_many(table, width), padded).fetchone()
    return row[: len(lasts)]


@cache
def _many(table: str, width: int) -> str:
    one = f"(SELECT packed FROM {table} WHERE last = ?)"
    return "SELECT " + ", ".join([one] * width)
