"""A chunk of an input topic as the state wants it: valid events packed by employee, and what is refused, and why.

It also goes between processes, as msgpack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from agents.transport.log import Log
from agents.transport.murmur2 import partition_for
from schemas.chunk import decode_groups
from schemas.columns import EventGroups, Kind, Packed, Tables
from schemas.event import Rejection, Row
from schemas.measures import Dims, Measures
from schemas.memo import Memo


class DecodedChunk(msgspec.Struct, gc=False):
    """Records of one partition, from the offset `first` to `last`."""

    first: int
    last: int
    count: int
    since: int  # log time of the first in ms
    logged: int  # and of the last
    size: int  # bytes, roughly
    groups: EventGroups
    refused: Sequence[tuple[Row, Rejection]] = ()
    rows: Sequence[Row] | None = None  # the records themselves, where they are at hand

    @property
    def after(self) -> int:
        """The next offset."""
        return self.last + 1

    @property
    def skewed(self) -> int:
        """How many of its events are stamped later than they were logged."""
        packed = self.groups.packed
        return int(np.count_nonzero(np.frombuffer(packed.times, np.int64) > np.frombuffer(packed.stamps, np.int64)))

    def __len__(self) -> int:
        return self.count


def memo_of(topic: str, number: int, partitions: int) -> Memo:
    """An empty memo for a partition of an input topic."""
    return Memo(topic, lambda key: partition_for(key, partitions) == number)


def decode(rows: Sequence[Row], memo: Memo) -> DecodedChunk:
    """Decodes records of one partition, at least one."""
    groups, refused = decode_groups([rows], memo)
    groups.unpack()
    first, last = rows[0], rows[-1]
    return DecodedChunk(first[0], last[0], len(rows), first[1], last[1], _size(rows), groups, refused, rows)


def decode_pieces(pieces: Iterable[Sequence[Row]], memo: Memo) -> DecodedChunk | None:
    """The same of records that come in pieces and are not kept; None without any."""
    read = _Read()
    groups, refused = decode_groups(map(read.note, pieces), memo)
    if read.first is None or read.last is None:
        return None
    first, last = read.first, read.last
    return DecodedChunk(first[0], last[0], read.count, first[1], last[1], read.size, groups, refused)


def behind(rows: Sequence[Row] | DecodedChunk) -> int:
    """The offset behind the last of some records, decoded or not."""
    return rows.after if isinstance(rows, DecodedChunk) else rows[-1][0] + 1


def originals(log: Log, topic: str, partition: int, chunk: DecodedChunk) -> dict[int, Row]:
    """The records of a chunk by offset; read again where they were decoded elsewhere."""
    if chunk.rows is not None:
        return {row[0]: Row(*row) for row in chunk.rows}
    found: dict[int, Row] = {}
    start = chunk.first
    while start < chunk.after:
        rows = log.read(topic, partition, start, chunk.after - start)
        found.update((row[0], Row(*row)) for row in rows)
        start = rows[-1][0] + 1
    return found


class _Read:
    """What passed by."""

    def __init__(self) -> None:
        self.first: Row | None = None
        self.last: Row | None = None
        self.count = self.size = 0

    def note(self, rows: Sequence[Row]) -> Sequence[Row]:
        self.first = self.first or rows[0]
        self.last = rows[-1]
        self.count += len(rows)
        self.size += _size(rows)
        return rows


def _size(rows: Sequence[Row]) -> int:
    """Bytes, roughly, from a sample."""
    sample = rows[:: len(rows) // 16 + 1]
    return sum(len(row[3] or b"") + len(row[2] or b"") + 64 for row in sample) * len(rows) // len(sample)


class _Sent(msgspec.Struct, array_like=True):
    """A chunk on its way."""

    head: tuple[int, int, int, int, int, int]
    packed: Packed
    kinds: list[tuple[str, dict[str, str], int, int, int, int]]
    measures: list[tuple[dict[str, int], int, bool]]
    sources: list[str]
    refused: Sequence[tuple[Row, Rejection]]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Sent)


def pack_chunk(chunk: DecodedChunk) -> bytes:
    """A chunk as bytes, without its original records."""
    tables = chunk.groups.tables
    sent = _Sent(
        (chunk.first, chunk.last, chunk.count, chunk.since, chunk.logged, chunk.size),
        chunk.groups.packed,
        [(k.type, k.dims.values, k.dims.digest, k.dims.content, k.digest, k.content) for k in tables.kinds],
        [(measured.micro, measured.digest, measured.inspection) for measured in tables.measures],
        list(tables.sources),
        chunk.refused,
    )
    return _encoder.encode(sent)


def unpack_chunk(raw: bytes) -> DecodedChunk:
    """The chunk that `pack_chunk` made bytes of."""
    sent = _decoder.decode(raw)
    kinds = [
        Kind(name, Dims(values, dims_digest, dims_content), digest, content)
        for name, values, dims_digest, dims_content, digest, content in sent.kinds
    ]
    measures = [Measures(*measured) for measured in sent.measures]
    groups = EventGroups(sent.packed, Tables(kinds, measures, sent.sources))
    groups.unpack()
    return DecodedChunk(*sent.head, groups, sent.refused)
