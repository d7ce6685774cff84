"""Fetched bytes become the records that aiokafka would give, and the offsets that they stand for."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from agents.transport.kafka.light import Chunk, drain
from agents.transport.log import Record, pack_headers

PLACE = TopicPartition("events", 3)
COMMIT, ABORT = 1, 0


def batch(base: int, records: list[tuple[int, bytes | None, bytes | None]], producer: int = -1, **how: Any) -> bytes:
    """A batch as brokers send it: records are (offset within it, key, value)."""
    transactional = producer >= 0
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=how.get("codec", 0), is_transactional=transactional, producer_id=producer,
        producer_epoch=0, base_sequence=0, batch_size=1 << 20,
    )  # fmt: skip
    for offset, key, value in records:
        assert builder.append(offset, 1_000 + offset, key, value, how.get("headers", [])) is not None
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, base)
    if how.get("last") is not None:  # compaction keeps the batch's last offset when its last record is gone
        struct.pack_into(">i", raw, 23, how["last"] - base)
        _seal(raw)
    return bytes(raw)


def marker(base: int, producer: int, kind: int) -> bytes:
    """The end of a transaction."""
    raw = bytearray(batch(base, [(0, struct.pack(">hh", 0, kind), b"\0" * 6)], producer))
    (attributes,) = struct.unpack_from(">h", raw, 21)
    struct.pack_into(">h", raw, 21, attributes | 0x20)
    _seal(raw)
    return bytes(raw)


def _seal(raw: bytearray) -> None:
    from aiokafka.record.util import calc_crc32c

    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))


def fetched(data: bytes, offset: int, aborted: list[tuple[int, int]] | None = None) -> tuple[FetchResult, Any]:
    """What a fetch from `offset` has brought, and the consumer's state of the partition."""
    state = SimpleNamespace(position=offset, paused=False)
    state.consumed_to = lambda position: setattr(state, "position", position)
    assignment = SimpleNamespace(active=True, state_value=lambda tp: state)
    parts = PartitionRecords(PLACE, MemoryRecords(data), aborted or [], offset, None, None, True, READ_COMMITTED)
    return FetchResult(PLACE, assignment=assignment, partition_records=parts, backoff=0), state


def drained(result: FetchResult, most: int = 1_000) -> Chunk:
    """A chunk that there is."""
    chunk = drain(result, most)
    assert chunk is not None
    return chunk


def rows(chunk: Chunk) -> list[Record]:
    """Its records."""
    assert isinstance(chunk.records, list)
    return chunk.records


def offsets(chunk: Chunk) -> list[int]:
    """Where they lie."""
    return [row[0] for row in rows(chunk)]


def test_records_are_plain_tuples() -> None:
    """Offset, timestamp, key, value; headers packed, None without any."""
    data = batch(10, [(0, b"k", b"v"), (1, None, None), (2, b"", b"")]) + batch(
        13, [(0, b"k", b"w")], headers=[("a", b"1")]
    )
    result, state = fetched(data, 10)
    chunk = drained(result)
    packed = pack_headers([("a", b"1")])
    expected = [
        (10, 1000, b"k", b"v", None), (11, 1001, None, None, None), (12, 1002, b"", b"", None),
        (13, 1000, b"k", b"w", packed),
    ]  # fmt: skip
    assert (("events", 3), expected, (10, 14)) == chunk
    assert (False, 14) == (result.has_more(), state.position)


def test_a_fetch_begins_with_the_batch_around_its_offset() -> None:
    """What lies before the offset is not given again."""
    result, _ = fetched(batch(10, [(n, b"k", b"%d" % n) for n in range(5)]), 13)
    chunk = drained(result)
    assert ([13, 14], (13, 15)) == (offsets(chunk), chunk.span)


def test_a_large_fetch_is_taken_in_parts() -> None:
    """Whole batches up to about the limit; the consumer's position stands behind what was taken."""
    data = b"".join(batch(10 * n, [(m, b"k", b"v") for m in range(10)]) for n in range(3))
    result, state = fetched(data, 0)
    first = drained(result, 15)
    assert ((0, 20), 20, True, 20) == (first.span, len(first.records), result.has_more(), state.position)
    second = drained(result, 15)
    assert ((20, 30), 10, False, 30) == (second.span, len(second.records), result.has_more(), state.position)


def test_transactions_that_were_taken_back_are_skipped_and_passed_over() -> None:
    """Those that were committed stay, whoever else writes between."""
    data = (
        batch(0, [(0, b"k", b"aborted")], 7) + batch(1, [(0, b"k", b"plain")]) + batch(2, [(0, b"k", b"kept")], 8)
        + marker(3, 7, ABORT) + marker(4, 8, COMMIT) + batch(5, [(0, b"k", b"later")], 7) + marker(6, 7, COMMIT)
    )  # fmt: skip
    result, _ = fetched(data, 0, [(7, 0)])
    chunk = drained(result)
    assert [b"plain", b"kept", b"later"] == [row[3] for row in rows(chunk)]
    assert (0, 7) == chunk.span


def test_markers_alone_are_a_chunk_without_records() -> None:
    """Who waits for the end of the log learns that there is nothing before it."""
    result, state = fetched(marker(8, 7, COMMIT), 8)
    assert (("events", 3), [], (8, 9)) == drained(result)
    assert (False, 9) == (result.has_more(), state.position)


def test_compaction_leaves_gaps() -> None:
    """Between records, and behind the last of a batch."""
    result, state = fetched(batch(20, [(0, b"a", b"1"), (4, b"b", b"2")], last=29), 20)
    chunk = drained(result)
    assert ([20, 24], (20, 30), 30) == (offsets(chunk), chunk.span, state.position)


@pytest.mark.parametrize("codec", range(5))
def test_compressed_batches(codec: int) -> None:
    """Whatever senders compress with: nothing, gzip, snappy, lz4, zstd."""
    result, _ = fetched(batch(0, [(n, b"k", b"v" * 100) for n in range(50)], codec=codec), 0)
    assert 50 == len(drained(result).records)


def test_a_damaged_batch_is_refused() -> None:
    """Its checksum does not fit."""
    data = bytearray(batch(0, [(0, b"k", b"value")]))
    data[-3] ^= 1
    result, _ = fetched(bytes(data), 0)
    with pytest.raises(CorruptRecordException, match="a batch at 0 is damaged"):
        drain(result, 10)


def test_what_was_fetched_before_a_seek_is_nothing() -> None:
    """The partition stands elsewhere by now, is paused, or was given up."""
    for change in ({"position": 5}, {"paused": True}):
        result, state = fetched(batch(0, [(0, b"k", b"v")]), 0)
        vars(state).update(change)
        assert drain(result, 10) is None
    result, _ = fetched(batch(0, [(0, b"k", b"v")]), 0)
    result._assignment.active = False
    assert drain(result, 10) is None
