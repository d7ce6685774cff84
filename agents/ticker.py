"""Time is an event: one record per partition and second, written by the partition's owner.

A tick is written only once everything that was in the log at its moment has been applied: otherwise a backlog
would look like silence.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agents.partition import Partition, Tick
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from schemas.event import INPUT_TOPICS
from stream.topics import TICKS


class Ticker:
    """Ticks of the partitions of one worker."""

    def __init__(self, log: EmbeddedLog, partitions: Sequence[Partition]) -> None:
        self.log = log
        self.partitions = partitions
        self._pending: dict[int, tuple[int, dict[str, int]]] = {}  # partition -> (at, ends at that moment)

    def due(self, now: int) -> list[Outgoing]:
        """The ticks whose moment has come; `now` in ms. A partition still reading keeps its moment waiting."""
        bounds = self.log.bounds()
        second = now // 1000 * 1000
        ticks = []
        for partition in self.partitions:
            number = partition.number
            waiting = self._pending.get(number)
            if waiting is None and second > partition.meta.now:
                waiting = (second, {topic: bounds[topic, number][1] for topic in INPUT_TOPICS})
                self._pending[number] = waiting
            if waiting is None:
                continue
            at, ends = waiting
            applied = partition.meta.applied
            if all(applied.get(topic, 0) >= end for topic, end in ends.items()):
                del self._pending[number]
                follows = {topic: applied.get(topic, 0) for topic in INPUT_TOPICS}
                value = msgspec.json.encode(Tick(at, follows))
                ticks.append(Outgoing(TICKS, number, at, str(number).encode(), value))
        return ticks
