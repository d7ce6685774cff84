"""A round of chunks holds every partition that has something to read, longest waiting first, within one size limit.

A chunk that does not hold all that its partition has ends the round.

A chunk is a list of records of one partition. A partition with little to read waits for the next of the moments that
all share, `linger_s` apart, so that a trickle costs few rounds and few chunks; Faust's overhead is per chunk.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.hooks import AHEAD, Prepared, Reader, Wanted
from agents.transport.log import Record, TopicPartition

_LOOK_S = 0.1  # how often to look for new records while there is something left to read


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How large a chunk grows and how long records may wait for it."""

    max_records: int = 20_000
    max_bytes: int = 32 * 1024 * 1024
    linger_s: float = 0.04
    poll_s: float = 0.015  # how often an idle consumer looks for new records


class Chunk(NamedTuple):
    """Records of one partition, in order, from the position `begin` on."""

    place: TopicPartition
    begin: int
    records: "list[Record] | Prepared"

    @property
    def after(self) -> int:
        """Position behind the chunk."""
        return self.records[-1][0] + 1 if isinstance(self.records, list) else self.records.after


class Chunks:
    """Finds the next round of chunks; used by one thread at a time."""

    def __init__(self, log: EmbeddedLog, settings: ChunkSettings, reader: Reader | None = None) -> None:
        self._reader = reader
        self._log = log
        self._settings = settings
        self._look_at = 0.0
        self._seen: tuple[int, ...] | None = None
        self._bounds: dict[TopicPartition, tuple[int, int]] = {}
        self._due: dict[TopicPartition, float] = {}  # in the order of turns
        self._hollow: dict[TopicPartition, tuple[int, int]] = {}  # ranges without records (retention, compaction)
        self._uneven: set[TopicPartition] = set()  # whose last chunk ended early, by size or for gaps
        self.next_due: float | None = None  # when a lingering partition may be read, None when none waits

    def stale(self) -> bool:
        """Whether anything was committed since `round` last looked."""
        return self._log.version() != self._seen

    def end(self, place: TopicPartition) -> int:
        """Next offset of a partition when last looked at, 0 when never."""
        return self._bounds.get(place, (0, 0))[1]

    def round(self, positions: Mapping[TopicPartition, int], now: float) -> list[Chunk]:
        """Chunks of the partitions from their positions on; none when there is nothing, or only what lingers."""
        ready = self._ready(positions, now)
        if not ready or now >= self._look_at:
            self._look()
            self._look_at = now + _LOOK_S
            ready = self._ready(positions, now)
        chunks: list[Chunk] = []
        records, size = self._settings.max_records, self._settings.max_bytes
        for turn, place in enumerate(ready):
            wanted = self._wanted(place, positions[place], records, size)
            chunk = self._read(wanted, self._following(wanted, ready[turn + 1 :], positions), now)
            if chunk:
                chunks.append(chunk)
                records -= len(chunk.records)
                size -= _size(chunk)
                if records <= 0 or size <= 0 or chunk.after < wanted.end:
                    break
        return chunks

    def _wanted(self, place: TopicPartition, position: int, records: int, size: int) -> Wanted:
        return Wanted(*place, position, self.end(place), records, size)

    def _following(
        self, wanted: Wanted, ready: Sequence[TopicPartition], positions: Mapping[TopicPartition, int]
    ) -> list[Wanted]:
        """What will be wanted next, as far as that can be told now: of these places, and of the one wanted now."""
        following: list[Wanted] = []
        waiting = deque((place, positions[place]) for place in ready)
        last = wanted
        while len(following) < AHEAD:
            behind = last.start + last.records
            if behind < last.end and last[:2] not in self._uneven:
                waiting.append((last[:2], behind))
            if not waiting:
                break
            records = last.records - (last.end - last.start) if behind > last.end else self._settings.max_records
            last = self._wanted(*waiting.popleft(), records, self._settings.max_bytes)
            following.append(last)
        return following

    def _ready(self, positions: Mapping[TopicPartition, int], now: float) -> list[TopicPartition]:
        for place in sorted(positions.keys() - self._due.keys()):  # not in the order of their hashes
            self._due[place] = now
        waiting = [p for p in self._due if p in positions and self._has_records(p, positions[p])]
        lingering = [self._due[p] for p in waiting if self._due[p] > now]
        self.next_due = min(lingering, default=None)
        return [p for p in waiting if self._due[p] <= now]

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

    def _read(self, wanted: Wanted, following: Sequence[Wanted], now: float) -> Chunk | None:
        topic, partition, start, end, records, size = wanted
        place = (topic, partition)
        prepared = self._reader(wanted, following) if self._reader else None
        found = prepared or self._log.read(topic, partition, start, records, size)
        if not found:
            self._hollow[place] = (start, end)
            return None
        chunk = Chunk(place, start, found)
        (self._uneven.discard if chunk.after == min(start + records, end) else self._uneven.add)(place)
        del self._due[place]
        linger = self._settings.linger_s
        self._due[place] = now if chunk.after < end or not linger else (now // linger + 1) * linger
        return chunk


def _size(chunk: Chunk) -> int:
    """Bytes of a chunk, roughly, from a sample."""
    if not isinstance(chunk.records, list):
        return chunk.records.size
    sample = chunk.records[:: len(chunk.records) // 16 + 1]
    return sum(len(r[3] or b"") + len(r[2] or b"") + 64 for r in sample) * len(chunk.records) // len(sample)
