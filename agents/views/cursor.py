"""The published topics, read on from a place: a fair share of each partition at a time, never more than fits a write.

Blocks; it belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from agents.transport.log import Log, TopicPartition
from agents.views.conflate import Latest, Published, conflate, tick_at
from agents.views.port import Batch, Place
from stream.topics import ALERTS, SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES

TOPICS: Final = (TEMPLATES, UNIT_UPDATES, SCORE_UPDATES, ALERTS)
RECORDS: Final = 500  # of one batch
BYTES: Final = 1 << 20  # of one batch: what a store takes in some milliseconds


class Cursor:
    """Reads what comes behind the given places, for their partitions."""

    def __init__(self, log: Log, places: Mapping[int, Place]) -> None:
        self._log = log
        self._places = dict(places)
        self._sources = [(topic, number) for topic in TOPICS for number in sorted(places)]
        self._ticks = [(TICKS, number) for number in sorted(places)]
        self._goals = log.ends(self._sources)
        self._empty: dict[TopicPartition, tuple[int, int]] = {}  # from where to which end nothing was found
        self._told: dict[int, int] = {}  # the end of a partition's ticks when the newest was read
        self.unreadable = 0  # records so far that could not be read

    def poll(self) -> Batch:
        """The next batch; its `after` equals its `before` when nothing is new. Taken only when `advance` is called."""
        ends = self._log.ends([*self._sources, *self._ticks])
        records: list[Published] = []
        offsets = {number: dict(place.offsets) for number, place in self._places.items()}
        for _ in range(len(self._sources)):
            if len(records) >= RECORDS or sum(len(record.value or b"") for record in records) >= BYTES:
                break
            # Whose turn it is goes to the end of the line: nobody waits behind a busy partition for ever.
            source = self._sources.pop(0)
            self._sources.append(source)
            records += self._read(source, offsets[source[1]], RECORDS - len(records), ends[source])
        latest = conflate(records)
        self.unreadable += latest.unreadable
        return self._batch(latest, records, offsets, ends)

    def advance(self, batch: Batch) -> None:
        """The batch is in the views."""
        self._places.update(batch.after)

    def _read(self, source: TopicPartition, offsets: dict[str, int], room: int, end: int) -> Iterator[Published]:
        topic, number = source
        start = offsets.get(topic, 0)
        nothing = start >= end or self._empty.get(source) == (start, end)
        rows = [] if nothing else self._log.read(topic, number, start, room, BYTES)
        if rows:
            offsets[topic] = rows[-1][0] + 1
        else:
            # There was nothing up to this end: behind the last record stand marks of transactions, or gaps.
            self._empty[source] = (start, end)
        if not rows or rows[-1][0] + 1 >= self._goals.get(source, 0):
            self._goals.pop(source, None)
        return (Published(topic, number, row[1], row[2], row[3]) for row in rows)

    def _batch(
        self,
        latest: Latest,
        records: Collection[Published],
        offsets: Mapping[int, dict[str, int]],
        ends: Mapping[TopicPartition, int],
    ) -> Batch:
        behind = {number for _, number in self._goals}
        after: dict[int, Place] = {}
        for number, before in self._places.items():
            now = self._tick(number, before.now, ends[TICKS, number])
            heard = [record.timestamp for record in records if record.partition == number and record.topic != TEMPLATES]
            heard += [at for at in (before.heard, now) if at is not None]
            caught_up = before.caught_up or number not in behind
            after[number] = Place(offsets[number], caught_up, now, max(heard, default=None))
        return Batch(latest.units, latest.employees, latest.templates, latest.alerts, dict(self._places), after)

    def _tick(self, number: int, before: int | None, end: int) -> int | None:
        """The newest tick: of time only the newest matters, and the topic keeps every second."""
        if end == self._told.get(number, 0):
            return before
        self._told[number] = end
        # Two offsets: behind a record there may be the mark of its transaction.
        newest = [tick_at(row[3]) for row in self._log.read(TICKS, number, max(0, end - 2), 2)]
        return max((at for at in (*newest, before) if at is not None), default=None)
