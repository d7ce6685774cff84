"""Time is an event: one record per partition and second, written by the partition's owner.

A tick is written only once everything that was in the log at its moment has been applied: otherwise a backlog
would look like silence. A tick by which held records become late is written and applied in one go: what it decides
depends on all that was known at its place in the log.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agents.partition import Partition, Tick
from agents.transport.log import Log, Outgoing
from schemas.event import INPUT_TOPICS, Row
from stream.topics import TICKS


class Ticker:
    """Ticks of the partitions of one worker."""

    def __init__(self, log: Log, partitions: Sequence[Partition]) -> None:
        self.log = log
        self.partitions = partitions
        self._pending: dict[int, tuple[int, dict[str, int]]] = {}  # partition -> (at, ends at that moment)
        self._written = {partition.number: partition.meta.now for partition in partitions}

    def urgent(self, now: int) -> bool:
        """Whether a tick at `now` (ms) would make held records late: all rules must be known, and `write` is called."""
        return any(partition.expiring.by(now) for partition in self.partitions)

    def due(self, now: int) -> list[Outgoing]:
        """The ticks whose moment has come; `now` in ms. A partition still reading keeps its moment waiting."""
        bounds = self.log.bounds()
        second = now // 1000 * 1000
        ticks = []
        for partition in self.partitions:
            number = partition.number
            waiting = self._pending.get(number)
            if waiting is None and second > self._written[number]:
                waiting = (second, {topic: bounds[topic, number][1] for topic in INPUT_TOPICS})
                self._pending[number] = waiting
            if waiting is None:
                continue
            at, ends = waiting
            if at < partition.rules.published_at <= now:
                at = partition.rules.published_at  # what is known already was published before the tick
            applied = partition.meta.applied
            if all(applied.get(topic, 0) >= end for topic, end in ends.items()):
                del self._pending[number]
                self._written[number] = at
                follows = {topic: applied.get(topic, 0) for topic in INPUT_TOPICS}
                value = msgspec.json.encode(Tick(at, follows))
                ticks.append(Outgoing(TICKS, number, at, str(number).encode(), value))
        return ticks

    def write(self, ticks: Sequence[Outgoing]) -> None:
        """Appends ticks and applies them before anything else happens. Raises LogFull, LogBusy."""
        partitions = {partition.number: partition for partition in self.partitions}
        for tick, offset in zip(ticks, self.log.append(ticks), strict=True):
            partitions[tick.partition].tick([Row(offset, tick.timestamp, tick.key, tick.value, tick.headers)])
