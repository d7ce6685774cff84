"""A batch is one row in SQLite: its records' msgpack, one call to pack, one to unpack.

Rows of many records are what makes both directions fast: SQLite works per row, and Python's sqlite3 gives up the
interpreter lock at each of them. Offsets are stored absolute, so that compaction may leave gaps and merge batches.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from agents.transport.log import Outgoing, Record

BATCH_RECORDS = 1_000
BATCH_BYTES = 256 * 1024
MAX_RECORD_BYTES = 64 * 1024 * 1024

_BINARY = frozenset((bytes, type(None)))


class Batch(NamedTuple):
    """One row: the offset of its last record, how many there are, and their packed form."""

    last: int
    records: int
    packed: bytes


_Row = tuple[int, int, bytes | None, bytes | None, bytes | None]  # what a Record is on the hot path

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, int, bytes | None, bytes | None, bytes | None]]).decode


def pack(records: Sequence[_Row]) -> bytes:
    """Pack the records of one batch."""
    return _encode(records)


def unpack(packed: bytes) -> list[Record]:
    """The records of one batch (typed as Record, plain tuples in fact)."""
    return _decode(packed)  # type: ignore[return-value]


def batches(first: int, records: Sequence[Outgoing]) -> Iterator[Batch]:
    """Give `records` of one partition the offsets from `first` on and cut them into batches.

    Raises TypeError, ValueError for a record that could be stored but then would break every reader.
    """
    _, _, timestamps, keys, values, headers = zip(*records, strict=True)
    _check_times(timestamps)
    for name, column in (("key", keys), ("value", values), ("headers", headers)):
        _check_bytes(name, column)
    return merged(zip(range(first, first + len(records)), timestamps, keys, values, headers, strict=True))


def merged(rows: Iterable[_Row]) -> Iterator[Batch]:
    """Cut records, in offset order, into batches of bounded count and size."""
    rows = iter(rows)
    while part := list(islice(rows, BATCH_RECORDS)):
        yield from _cut(part)


def _cut(part: list[_Row]) -> Iterator[Batch]:
    packed = pack(part)
    if len(packed) > BATCH_BYTES and len(part) > 1:
        pieces = min(len(part), -(-len(packed) // BATCH_BYTES))
        step = -(-len(part) // pieces)
        for begin in range(0, len(part), step):
            yield from _cut(part[begin : begin + step])
    elif len(packed) > MAX_RECORD_BYTES:
        raise ValueError(
            f"a record of {len(packed)} bytes; the most a log takes is {MAX_RECORD_BYTES}, send it in parts"
        )
    else:
        yield Batch(part[-1][0], len(part), packed)


def _check_bytes(name: str, column: Sequence[object]) -> None:
    if not _BINARY.issuperset(map(type, column)):
        bad = next(x for x in column if type(x) not in _BINARY)
        raise TypeError(f"record {name} {bad!r} is {type(bad).__name__}; give bytes or None")


def _check_times(timestamps: Sequence[object]) -> None:
    for bad in timestamps if set(map(type, timestamps)) != {int} else ():
        if type(bad) is not int:
            raise TypeError(f"record timestamp {bad!r} is {type(bad).__name__}; give milliseconds as int")
    if not -(2**63) <= min(timestamps) <= max(timestamps) < 2**63:  # type: ignore[type-var,operator]  # all int
        raise ValueError("record timestamp is beyond 64 bits; give milliseconds since 1970 UTC")
