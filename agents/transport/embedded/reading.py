"""A read asks SQLite few questions, however many batches it takes: which ones, then many of them in one row.

Python gives up the interpreter lock at every step of a query; a reader thread that stepped batch by batch would wait
for a busy event loop each time. Pieces of a few megabytes keep memory near the
processor.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from agents.transport.embedded.records import unpack
from agents.transport.log import Record

_WIDTHS = (1, 4, 16, 64, 512)
_PIECE_BYTES = 4 * 1024 * 1024


class _Chosen(NamedTuple):
    last: int
    records: int
    size: int


def read_batches(connection: sqlite3.Connection, table: str, start: int, limit: int, max_bytes: int) -> list[Record]:
    """Records of `table` from offset `start` on; the connection is inside a snapshot."""
    found: list[Record] = []
    following, more = start, limit > 0
    while more and len(found) < limit:
        at_once = _WIDTHS[-1] if found else _WIDTHS[-2]  # batches are small when the first lot was not enough
        chosen, more = _choose(connection, table, following, limit - len(found), max_bytes, at_once)
        for piece in _pieces(chosen):
            for packed in _fetch(connection, table, [batch.last for batch in piece]):
                found += unpack(packed)
        if more:
            following = chosen[-1].last + 1
            max_bytes -= sum(batch.size for batch in chosen)
    if found and found[0][0] < start:  # the first batch began before `start`
        del found[: bisect_left(found, start, key=_offset)]
    del found[limit:]
    return found


def _offset(record: Record) -> int:
    return record[0]


def _choose(
    connection: sqlite3.Connection, table: str, start: int, limit: int, max_bytes: int, at_once: int
) -> tuple[list[_Chosen], bool]:
    """The batches to take next, and whether to ask again after them."""
    at_most = min(limit, at_once)
    listed = _list(connection, table, start, at_most)
    chosen: list[_Chosen] = []
    records = size = 0
    for batch in listed:
        if chosen and (records >= limit or size + batch.size > max_bytes):
            return chosen, False
        # The first batch may begin before `start`.
        records += batch.records if chosen else min(batch.records, batch.last - start + 1)
        size += batch.size
        chosen.append(batch)
    return chosen, len(listed) == at_most and size < max_bytes


def _list(connection: sqlite3.Connection, table: str, start: int, at_most: int) -> list[_Chosen]:
    (text,) = connection.execute(
        "SELECT group_concat(last || ' ' || count || ' ' || size, ',') FROM"
        f" (SELECT last, count, length(packed) AS size FROM {table} WHERE last >= ? ORDER BY last LIMIT ?)",
        (start, at_most),
    ).fetchone()
    return [_Chosen(*map(int, entry.split())) for entry in text.split(",")] if text else []


def _pieces(chosen: list[_Chosen]) -> Iterator[list[_Chosen]]:
    piece: list[_Chosen] = []
    size = 0
    for batch in chosen:
        piece.append(batch)
        size += batch.size
        if size >= _PIECE_BYTES or len(piece) == _WIDTHS[-1]:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _fetch(connection: sqlite3.Connection, table: str, lasts: list[int]) -> tuple[bytes, ...]:
    width = next(w for w in _WIDTHS if w >= len(lasts))
    padded = lasts + [-1] * (width - len(lasts))
    row: tuple[bytes, ...] = connection.execute(_many(table, width), padded).fetchone()
    return row[: len(lasts)]


@cache
def _many(table: str, width: int) -> str:
    one = f"(SELECT packed FROM {table} WHERE last = ?)"
    return "SELECT " + ", ".join([one] * width)
