"""A batch is its records' msgpack, one after another: one row in SQLite, one call to pack, one to unpack.

Rows of many records are what makes both directions fast: SQLite works per row, and Python's sqlite3 gives up the
interpreter lock at each of them. Offsets are stored absolute, so that compaction may leave gaps and merge batches.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from agents.transport.errors import LogError

BATCH_RECORDS = 1_000
BATCH_BYTES = 256 * 1024
MAX_RECORD_BYTES = 64 * 1024 * 1024
_RECORD_OVERHEAD = 24  # of msgpack and SQLite, roughly; keeps batches of empty records bounded

_BINARY = frozenset((bytes, type(None)))


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


class Batch(NamedTuple):
    """One row: the offset of its last record, how many there are, and their packed form."""

    last: int
    records: int
    packed: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, int, bytes | None, bytes | None, bytes | None]]).decode


def pack(records: Sequence[tuple[int, int, bytes | None, bytes | None, bytes | None]]) -> bytes:
    """Pack records of one batch; the msgpack array header is left off."""
    header = 1 if len(records) < 16 else 3 if len(records) < 1 << 16 else 5
    return _encode(records)[header:]


def unpack(count: int, packed: bytes) -> list[Record]:
    """The records of one or more batches laid end to end (typed as Record, plain tuples in fact)."""
    return _decode(b"\xdd" + count.to_bytes(4, "big") + packed)  # type: ignore[return-value]


def batches(first: int, records: Sequence[Outgoing]) -> Iterator[Batch]:
    """Give `records` of one partition the offsets from `first` on and cut them into batches."""
    _check(records)
    rows = zip(range(first, first + len(records)), *list(zip(*records, strict=True))[2:], strict=True)
    return merged(rows)


def merged(rows: Iterable[tuple[int, int, bytes | None, bytes | None, bytes | None]]) -> Iterator[Batch]:
    """Cut records, in offset order, into batches of bounded count and size."""
    rows = iter(rows)
    while part := list(islice(rows, BATCH_RECORDS)):
        for piece in _by_size(part):
            yield Batch(piece[-1][0], len(piece), pack(piece))


_Row = tuple[int, int, bytes | None, bytes | None, bytes | None]


def _by_size(part: list[_Row]) -> Iterator[list[_Row]]:
    begin = size = 0
    for i, (_, _, key, value, headers) in enumerate(part):
        size += _RECORD_OVERHEAD + len(key or b"") + len(value or b"") + len(headers or b"")
        if size >= BATCH_BYTES:
            yield part[begin : i + 1]
            begin, size = i + 1, 0
    if begin < len(part):
        yield part[begin:]


def _check(records: Sequence[Outgoing]) -> None:
    """A record of the wrong types would be stored and then break every reader: refuse it here."""
    _, _, timestamps, keys, values, headers = zip(*records, strict=True)
    for name, column in (("key", keys), ("value", values), ("headers", headers)):
        if not _BINARY.issuperset(map(type, column)):
            bad = next(x for x in column if type(x) not in _BINARY)
            raise TypeError(f"record {name} {bad!r} is {type(bad).__name__}; give bytes or None")
    if set(map(type, timestamps)) != {int}:
        bad = next(x for x in timestamps if type(x) is not int)
        raise TypeError(f"record timestamp {bad!r} is {type(bad).__name__}; give milliseconds as int")
    if not -(2**63) <= min(timestamps) <= max(timestamps) < 2**63:
        raise ValueError("record timestamp is beyond 64 bits; give milliseconds since 1970 UTC")
    if max(len(v or b"") + len(k or b"") + len(h or b"") for k, v, h in zip(keys, values, headers, strict=True)) > (
        MAX_RECORD_BYTES
    ):
        raise LogError(f"a record of {records[0].topic} is larger than {MAX_RECORD_BYTES} bytes; send a smaller one")
