"""The next chunk is of the partition that has waited longest among those that have something to read.

A chunk is a list of records of one partition. A partition with little to read waits `linger_s` after its last chunk,
so that a trickle costs few chunks; Faust's overhead is per chunk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agents.transport.embedded.file import TopicPartition
from agents.transport.embedded.log import EmbeddedLog, Record

_LOOK_S = 0.1  # how often to look for new records while there is something left to read


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How large a chunk grows and how long records may wait for it."""

    max_records: int = 20_000
    max_bytes: int = 8 * 1024 * 1024
    linger_s: float = 0.02
    poll_s: float = 0.015  # how often an idle consumer looks for new records


class Chunk(NamedTuple):
    """Records of one partition, in order, from the position `begin` on."""

    place: TopicPartition
    begin: int
    records: list[Record]

    @property
    def after(self) -> int:
        """Position behind the chunk."""
        return self.records[-1][0] + 1


class Chunks:
    """Finds the next chunk; used by one thread at a time."""

    def __init__(self, log: EmbeddedLog, settings: ChunkSettings) -> None:
        self._log = log
        self._settings = settings
        self._look_at = 0.0
        self._seen: tuple[int, ...] | None = None
        self._bounds: dict[TopicPartition, tuple[int, int]] = {}
        self._due: dict[TopicPartition, float] = {}  # in the order of turns
        self._hollow: dict[TopicPartition, tuple[int, int]] = {}  # ranges without records (retention, compaction)
        self.next_due: float | None = None  # when a lingering partition may be read, None when none waits

    def stale(self) -> bool:
        """Whether anything was committed since `next` last looked."""
        return self._log.version() != self._seen

    def end(self, place: TopicPartition) -> int:
        """Next offset of a partition when last looked at, 0 when never."""
        return self._bounds.get(place, (0, 0))[1]

    def next(self, positions: Mapping[TopicPartition, int], now: float) -> Chunk | None:
        """A chunk of one of the partitions, from its position on; None when there is nothing, or only what lingers."""
        if now >= self._look_at or not self._known(positions):
            self._look()
            self._look_at = now + _LOOK_S
        self.next_due = None
        for place in positions.keys() - self._due.keys():
            self._due[place] = now
        for place, due in list(self._due.items()):
            if place not in positions or not self._has_records(place, positions[place]):
                continue
            if due > now:
                self.next_due = due if self.next_due is None else min(due, self.next_due)
            elif chunk := self._read(place, positions[place], now):
                return chunk
        return None

    def _known(self, positions: Mapping[TopicPartition, int]) -> bool:
        return any(self._has_records(place, position) for place, position in positions.items())

    def _look(self) -> None:
        version = self._log.version()  # before the bounds, so that a commit in between is seen the next time
        if version != self._seen:
            self._bounds = self._log.bounds()
            self._seen = version

    def _has_records(self, place: TopicPartition, position: int) -> bool:
        start, end = self._bounds.get(place, (0, 0))
        low, high = self._hollow.get(place, (0, 0))
        if low <= position < high:
            position = high
        return max(position, start) < end

    def _read(self, place: TopicPartition, position: int, now: float) -> Chunk | None:
        end = self.end(place)
        records = self._log.read(*place, position, self._settings.max_records, self._settings.max_bytes)
        if not records:
            self._hollow[place] = (position, end)
            return None
        chunk = Chunk(place, position, records)
        del self._due[place]
        self._due[place] = now if chunk.after < end else now + self._settings.linger_s
        return chunk
