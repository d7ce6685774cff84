"""Time is an event: one record per partition and second, written by the partition's owner.

A tick is written only once everything that was in the log at its moment has been applied: otherwise a backlog
would look like silence. A tick at which something may be decided is written and applied in one go: it decides by what
is known at its place in the log, and by nothing that comes after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from agents.partition import Partition
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
        self._under_way: dict[int, int] = {}  # partition -> the offset of a tick that is written and maybe not applied

    def urgent(self, now: int) -> bool:
        """Whether something may be decided at a tick at `now` (ms): it is applied before any other record is."""
        return any(partition.decides(now) for partition in self.partitions.values())

    def closing(self, now: int) -> bool:
        """Whether a tick at `now` (ms) closes a minute for units somewhere, which takes its time."""
        return any(partition.closes(now) for partition in self.partitions.values())

    def under_way(self) -> bool:
        """Whether a tick is written and not applied yet: what comes to be known now is not known at it."""
        partitions = self.partitions
        return any(
            number in partitions and partitions[number].meta.applied.get(TICKS, 0) <= offset
            for number, offset in self._under_way.items()
        )

    def due(
        self, now: int, ends: Mapping[TopicPartition, int], asked: int, only: Collection[int] | None = None
    ) -> list[Outgoing]:
        """The ticks whose moment has come by `now`; the log ended at `ends` when it was asked, at `asked` (all ms).

        Of all partitions, or of some `only`. A partition still reading keeps its moment waiting.
        """
        second = asked // 1000 * 1000
        ticks = []
        for number, partition in self.partitions.items():
            if only is not None and number not in only:
                continue
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
                value = msgspec.json.encode(Tick(at, follows, partition.rules.ends or None))
                ticks.append(Outgoing(TICKS, number, at, str(number).encode(), value))
        return ticks

    def forget(self, number: int) -> None:
        """A partition goes; its next owner ticks."""
        self._pending.pop(number, None)
        self._written.pop(number, None)
        self._under_way.pop(number, None)

    def write(self, ticks: Sequence[Outgoing]) -> list[tuple[int, Row]]:
        """Appends ticks; what they are as records, with their partitions. Raises LogFull, LogBusy."""
        offsets = self.log.append_owned(ticks)
        self._under_way |= {tick.partition: offset for tick, offset in zip(ticks, offsets, strict=True)}
        return [
            (tick.partition, Row(offset, tick.timestamp, tick.key, tick.value, tick.headers))
            for tick, offset in zip(ticks, offsets, strict=True)
        ]
