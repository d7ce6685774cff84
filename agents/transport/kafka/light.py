"""From a fetched partition to plain tuples: aiokafka's parser of batches, without an object of its own per record.

A record object costs more than everything else that is done with a record. What is skipped is what aiokafka's own
iterator skips: control batches, transactions that were taken back, what lies before the offset asked for.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException

from agents.transport.hooks import Prepared, Span
from agents.transport.log import Record, TopicPartition, pack_headers

_READ_COMMITTED: Final = 1


class Chunk(NamedTuple):
    """Records of one partition and the offsets that they stand for; there may be none, only offsets to pass over."""

    place: TopicPartition
    records: list[Record] | Prepared
    span: Span

    @property
    def last(self) -> tuple[int, int]:
        """Offset and timestamp (ms) of the last record; where there is none, of the last offset."""
        if not isinstance(self.records, list):
            return self.span.after - 1, self.records.logged
        return self.records[-1][:2] if self.records else (self.span.after - 1, 0)


def drain(result: FetchResult, most: int) -> Chunk | None:
    """What a fetched partition has, whole batches of it up to about `most` records; None when it is outdated.

    The consumer's position moves behind it. `result.has_more()` says whether anything is left.
    """
    place = result._topic_partition
    if not result.check_assignment(place) or not result.has_more():
        return None
    parts = result._partition_records
    begin = parts.next_fetch_offset
    records: list[Record] = []
    while len(records) < most and parts._records.has_next():
        _take(parts, parts._records.next_batch(), records)
    result._update_position()
    if not parts._records.has_next():
        result._partition_records = None
    return Chunk((place.topic, place.partition), records, Span(begin, parts.next_fetch_offset))


def _take(parts: Any, batch: Any, records: list[Record]) -> None:
    if parts._check_crcs and not batch.validate_crc():
        raise CorruptRecordException(f"{parts._tp}: a batch at {batch.base_offset} is damaged")
    if not (_taken_back(parts, batch) or batch.is_control_batch):
        first = parts.next_fetch_offset
        rows: list[Any] = [
            (r.offset, r.timestamp, r.key, r.value, pack_headers(h) if (h := r.headers) else None) for r in batch
        ]
        records += rows if batch.base_offset >= first else [row for row in rows if row[0] >= first]
    parts.next_fetch_offset = max(parts.next_fetch_offset, batch.next_offset)


def _taken_back(parts: Any, batch: Any) -> bool:
    """Whether a batch belongs to a transaction that was not committed."""
    if parts._isolation_level != _READ_COMMITTED or batch.producer_id is None:
        return False
    parts._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch and parts._contains_abort_marker(batch):
        parts._aborted_producers.discard(batch.producer_id)
    return batch.is_transactional and batch.producer_id in parts._aborted_producers
