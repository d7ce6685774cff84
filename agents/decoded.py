"""A chunk of an input topic as the state wants it: valid events packed by employee, and what is refused, and why.

It also goes between processes, as msgpack.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from agents.transport.murmur2 import partition_for
from schemas.chunk import decode_groups
from schemas.columns import EventGroups, Kind, Packed, Tables
from schemas.event import Rejection, Row
from schemas.measures import Dims, Measures
from schemas.memo import Memo

Shared = TypeVar("Shared")


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

    def __len__(self) -> int:
        return self.count


def memo_of(topic: str, number: int, partitions: int) -> Memo:
    """An empty memo for a partition of an input topic."""
    return Memo(topic, lambda key: partition_for(key, partitions) == number)


def decode(rows: Sequence[Row], memo: Memo) -> DecodedChunk:
    """Decodes records of one partition, at least one."""
    groups, refused = decode_groups([rows], memo)
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
    """A chunk on its way. What events share is a number of a list of the distinct ones."""

    head: tuple[int, int, int, int, int, int]
    packed: Mapping[str, Packed]
    kinds: list[int]
    measures: list[int]
    sources: list[int]
    offsets: bytes
    stamps: bytes
    all_kinds: list[tuple[str, dict[str, str], int, int, int, int]]
    all_measures: list[tuple[dict[str, int], int, bool]]
    all_sources: list[str]
    corrects: Mapping[int, str]
    delay: int
    refused: Sequence[tuple[Row, Rejection]]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Sent)


def pack_chunk(chunk: DecodedChunk) -> bytes:
    """A chunk as bytes, without its original records."""
    tables = chunk.groups.tables
    measures, all_measures = _numbered(tables.measures, list(map(id, tables.measures)))
    sources, all_sources = _numbered(tables.sources, tables.sources)
    kinds, digests = _numbered(tables.kinds, tables.kinds)
    all_kinds = map(tables.shapes.__getitem__, digests)
    sent = _Sent(
        (chunk.first, chunk.last, chunk.count, chunk.since, chunk.logged, chunk.size),
        chunk.groups.packed,
        kinds,
        measures,
        sources,
        tables.offsets,
        tables.stamps,
        [(k.type, k.dims.values, k.dims.digest, k.dims.content, k.digest, k.content) for k in all_kinds],
        [(measured.micro, measured.digest, measured.inspection) for measured in all_measures],
        all_sources,
        tables.corrects,
        tables.delay,
        chunk.refused,
    )
    return _encoder.encode(sent)


def unpack_chunk(raw: bytes) -> DecodedChunk:
    """The chunk that `pack_chunk` made bytes of."""
    sent = _decoder.decode(raw)
    kinds = [
        Kind(name, Dims(values, dims_digest, dims_content), digest, content)
        for name, values, dims_digest, dims_content, digest, content in sent.all_kinds
    ]
    measures = [Measures(*measured) for measured in sent.all_measures]
    tables = Tables(
        list(map([kind.digest for kind in kinds].__getitem__, sent.kinds)),
        list(map(measures.__getitem__, sent.measures)),
        list(map(sent.all_sources.__getitem__, sent.sources)),
        sent.offsets,
        sent.stamps,
        sent.corrects,
        sent.delay,
        {kind.digest: kind for kind in kinds},
    )
    return DecodedChunk(*sent.head, EventGroups(tables, sent.packed), sent.refused)


def _numbered(column: Sequence[Shared], marks: Sequence[Hashable]) -> tuple[list[int], list[Shared]]:
    """Each entry's number among the distinct ones, and these; entries of one mark are the same."""
    distinct = dict(zip(marks, column, strict=True))
    numbers = dict(zip(distinct, range(len(distinct)), strict=True))
    return list(map(numbers.__getitem__, marks)), list(distinct.values())
