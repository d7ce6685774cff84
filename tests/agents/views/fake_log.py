"""The published topics in memory, with what a projection asks of a log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from agents.transport.log import Log, Record, TopicInfo
from agents.views.conflate import Published
from stream.topics import ALERTS, SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES

TOPICS = (TEMPLATES, UNIT_UPDATES, SCORE_UPDATES, ALERTS, TICKS)
Place = tuple[str, int]


class FakeLog:
    """A log of some partitions. `trouble` is raised by the next read; `most` limits what one read gives."""

    def __init__(self, *records: Published, log_id: str = "log-1", partitions: int = 1) -> None:
        self.log_id = log_id
        self.partitions = partitions
        self.trouble: Exception | None = None
        self.most = 1_000_000
        self.made: dict[str, str] = {}  # ids of topics that were made anew
        self.reads: list[tuple[str, int, int]] = []
        self._rows: dict[Place, list[Record]] = {}
        self._ends: dict[Place, int] = {}
        self.write(*records)

    @property
    def log(self) -> Log:
        """Itself, as what a projection takes: it asks for nothing that is not here."""
        return cast(Log, cast(Any, self))

    def write(self, *records: Published, gap: int = 0) -> None:
        """Appends; `gap` offsets are left out behind each record, as transactions and compaction do."""
        for record in records:
            rows = self._rows.setdefault((record.topic, record.partition), [])
            offset = self.end(record.topic, record.partition)
            rows.append(Record(offset, record.timestamp, record.key, record.value, None))
            self._ends[record.topic, record.partition] = offset + 1 + gap

    def compact(self) -> None:
        """Keeps the newest record of each key."""
        for place, rows in self._rows.items():
            newest = {row.key: row for row in rows}
            self._rows[place] = sorted(newest.values())

    def topics(self) -> dict[str, TopicInfo]:
        return {topic: TopicInfo(topic, self.partitions, True, True, None, None) for topic in TOPICS}

    def topic_ids(self, names: Collection[str]) -> dict[str, str]:
        return {name: self.made.get(name, "first") for name in names}

    def ends(self, places: Collection[Place]) -> dict[Place, int]:
        return {place: self.end(*place) for place in places}

    def end(self, topic: str, partition: int) -> int:
        return self._ends.get((topic, partition), 0)

    def read(self, topic: str, partition: int, start: int, limit: int, max_bytes: int = 0) -> list[Record]:
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        self.reads.append((topic, partition, start))
        rows = [row for row in self._rows.get((topic, partition), []) if row.offset >= start]
        return rows[: min(limit, self.most)]
