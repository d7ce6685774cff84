"""Held records are read from the log again in ranges: a first template may release very many, a tick end as many."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, cast

from agents.transport.log import Log
from schemas.chunk import decode_groups
from schemas.event import INPUT_TOPICS, Event, Row
from schemas.memo import Memo
from stream.state import Held

HELD_AT_ONCE: Final = 20_000  # records whose events are in memory together
_RANGE: Final = 5_000  # offsets read at once


def events_again(log: Log, partition: int, wanted: Collection[Held]) -> dict[Held, Event]:
    """The events of held records of a partition. What retention has taken is missing: it is held until it is late."""
    found: dict[Held, Event] = {}
    memos = {topic: Memo(topic, lambda key: True) for topic in INPUT_TOPICS}
    for topic, by_offset, rows in _again(log, partition, wanted):
        groups, _ = decode_groups([rows], memos[topic])
        found.update((by_offset[event.offset], event) for event in groups.events())
    return found


def records_again(log: Log, partition: int, wanted: Collection[Held]) -> dict[Held, Row]:
    """The same as they are in the log."""
    return {by_offset[row[0]]: Row(*row) for _, by_offset, rows in _again(log, partition, wanted) for row in rows}


def _again(log: Log, partition: int, wanted: Collection[Held]) -> Iterator[tuple[str, Mapping[int, Held], list[Row]]]:
    """Topic, what is wanted of it by offset, and some of these records at a time."""
    for number, topic in enumerate(INPUT_TOPICS):
        by_offset = {held.offset: held for held in wanted if held.topic == number}
        for rows in _ranges(log, topic, partition, sorted(by_offset)):
            yield topic, by_offset, [row for row in rows if row[0] in by_offset]


def _ranges(log: Log, topic: str, partition: int, offsets: Sequence[int]) -> Iterator[list[Row]]:
    """Records of the log, such that all these offsets are among them; no more than `_RANGE` offsets in one read."""
    place = 0
    while place < len(offsets):
        start = offsets[place]
        last = offsets[bisect_right(offsets, start + _RANGE) - 1]
        rows = cast("list[Row]", log.read(topic, partition, start, last - start + 1))
        if not rows:
            return
        yield rows
        place = bisect_right(offsets, rows[-1][0], place)
