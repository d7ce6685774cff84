"""Time is an event: one record per partition and second, written by the partition's owner.

A tick is written only once everything that was in the log at its moment has been applied: otherwise a backlog
would look like silence. A tick by which held records become late is written and applied in one go: what it decides
depends on all that was known at its place in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from agents.partition import Partition
from agents.slices import in_thread, whole
from agents.ticks import Tick
from agents.transport.log import Log, Outgoing, TopicPartition
from schemas.event import INPUT_TOPICS, Row
from stream.topics import COMMANDS, TICKS


class Ticker:
    """Ticks of the partitions that are there, which come and go."""

    def __init__(self, log: Log, partitions: Mapping[int, Partition]) -> None:
        self.log = log
        self.partitions = partitions
        self._pending: dict[int, tuple[int, dict[str, int]]] = {}  # partition -> (at, ends at that moment)
        self._written: dict[int, int] = {}

    def urgent(self, now: int) -> bool:
        """Whether a tick at `now` (ms) would make held records late: all rules must be known, and `write` is called."""
        return any(partition.expiring.by(now) for partition in self.partitions.values())

    def due(self, now: int, ends: Mapping[TopicPartition, int], asked: int) -> list[Outgoing]:
        """The ticks whose moment has come by `now`; the log ended at `ends` when it was asked, at `asked` (all ms).

        A partition still reading keeps its moment waiting.
        """
        second = asked // 1000 * 1000
        ticks = []
        for number, partition in self.partitions.items():
            waiting = self._pending.get(number)
            if waiting is None and second > self._written.setdefault(number, partition.meta.now):
                waiting = (second, {topic: ends[topic, number] for topic in (*INPUT_TOPICS, COMMANDS)})
                self._pending[number] = waiting
            if waiting is None:
                continue
            at, reached = waiting
            if at < partition.rules.published_at <= now:
                at = partition.rules.published_at  # what is known already was published before the tick
            applied = partition.meta.applied
            if all(applied.get(topic, 0) >= reached[topic] for topic in INPUT_TOPICS):
                del self._pending[number]
                self._written[number] = at
                follows = {topic: applied.get(topic, 0) for topic in INPUT_TOPICS}
                follows[COMMANDS] = reached[COMMANDS]  # nobody reads these before
                value = msgspec.json.encode(Tick(at, follows))
                ticks.append(Outgoing(TICKS, number, at, str(number).encode(), value))
        return ticks

    def forget(self, number: int) -> None:
        """A partition goes; its next owner ticks."""
        self._pending.pop(number, None)
        self._written.pop(number, None)

    async def write(self, ticks: Sequence[Outgoing]) -> None:
        """Appends ticks and applies them before anything else changes partitions. Raises LogFull, LogBusy."""
        offsets = await in_thread(partial(self.log.append_owned, ticks))
        for number, row in as_rows(ticks, offsets):
            await whole(self.partitions[number].ticking([row]))


def as_rows(ticks: Sequence[Outgoing], offsets: Sequence[int]) -> Iterator[tuple[int, Row]]:
    """Ticks as they are in the log, each with its partition."""
    for tick, offset in zip(ticks, offsets, strict=True):
        yield tick.partition, Row(offset, tick.timestamp, tick.key, tick.value, tick.headers)
