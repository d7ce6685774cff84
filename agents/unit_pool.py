"""Units' values follow from score updates alone; after a start none leaves before all that was there is read again.

Otherwise boards would see a unit grow from nothing. A unit's members lie in any partition, so the updates of all of
them are read, by one worker: the owner of partition UNITS_HOME. What was said of a unit that nobody belongs to any more
is taken back: the worker may have died between its last member's update and its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from agents.slices import Slices, at_once, in_thread, whole
from agents.transport.log import Log, Outgoing, Record, TopicPartition, partition_for, records
from agents.unit_alerts import UnitAlerts
from agents.unit_series import UnitSeries
from schemas.instants import parse_rfc3339
from schemas.updates import Contribution
from stream.meta import Handled
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.topics import SCORE_UPDATES, UNIT_SHARES, UNIT_UPDATES

UNITS_HOME: Final = 0
_AT_ONCE: Final = 2_000  # records of a partition
_EACH: Final = 64  # of them, before others may have the loop
_updates: Final = msgspec.json.Decoder(Contribution)
_encoder: Final = msgspec.json.Encoder()


class Leaving(Protocol):
    """What has to leave in one transaction with the home's meta."""

    outputs: list[Outgoing]
    changes: list[tuple[bytes, bytes | None]]


class UnitPool:
    """All units. Made by the owner of UNITS_HOME, which nobody else is then; `handled` is in that partition's meta.

    `kept`: what its store has of what members were told.
    """

    def __init__(self, log: Log, handled: Handled, kept: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._log = log
        self.turn = asyncio.Lock()  # held by whoever reads or changes units while others have the loop
        self.units = Units()
        self._now = ""  # the newest tick that an update is as of, as text: whose partition ticks ahead of ours
        self.partitions = log.topics()[SCORE_UPDATES].partitions
        numbers = range(self.partitions)
        ends = log.ends([(SCORE_UPDATES, number) for number in numbers])
        starts = log.starts([(SCORE_UPDATES, number) for number in numbers])
        self._positions = {number: starts[SCORE_UPDATES, number] for number in numbers}
        self._unread = {n: end for n in numbers if (end := ends[SCORE_UPDATES, n]) > self._positions[n]}
        self.alerts = UnitAlerts(log, UNITS_HOME, self.partitions, handled, kept)
        self.units.changed |= {unit for number in numbers for unit in _known(log, number)}

    async def read_on(self, ends: Mapping[TopicPartition, int]) -> None:
        """What units are made of, for screens and for alerts; in threads, for a broker may be far."""
        minutes = self.alerts.minutes
        for number, start in list(minutes.behind(ends)):
            rows = await asyncio.to_thread(self._log.read, UNIT_SHARES, number, start, _AT_ONCE)
            async with self.turn:
                minutes.take(number, rows, ends[UNIT_SHARES, number])
        for number, start in self.behind(ends):
            rows = await asyncio.to_thread(self._log.read, SCORE_UPDATES, number, start, _AT_ONCE)
            async with self.turn:
                await whole(self.taking(number, rows, ends[SCORE_UPDATES, number]))

    def behind(self, ends: Mapping[TopicPartition, int]) -> Iterator[tuple[int, int]]:
        """The partitions that have more to read, and where; the one furthest behind first."""
        behind = {n: ends.get((SCORE_UPDATES, n), 0) - position for n, position in self._positions.items()}
        for number in sorted(behind, key=behind.__getitem__, reverse=True):
            if behind[number] > 0:
                yield number, self._positions[number]

    def take(self, partition: int, rows: Sequence[Record], end: int) -> None:
        """As `taking`, at once."""
        at_once(self.taking(partition, rows, end))

    def taking(self, partition: int, rows: Sequence[Record], end: int) -> Slices:
        """Score updates, in the order of the log, from where it stands; none: nothing is left up to `end`."""
        for count, row in enumerate(rows):
            if count % _EACH == 0:
                yield
            if row[3] is not None:
                update = _updates.decode(row[3])
                self.units.take(update)
                if update.as_of > self._now and (update.newest or "") < update.as_of:
                    self._now = update.as_of
        position = self._positions[partition] = rows[-1][0] + 1 if rows else end
        if position >= self._unread.get(partition, 0):
            self._unread.pop(partition, None)

    @property
    def whole(self) -> bool:
        """Whether all that was there at the start is read again."""
        return not self._unread

    async def leave(
        self, rules: Rulebook, now: int, clock: Callable[[], int], updates: list[Outgoing], home: Leaving
    ) -> None:
        """Adds what leaves with the next commit, by the tick `now` (ms): units' updates, what is said of their alerts.

        In a thread: at the end of a minute every member of every unit is looked at. What members are told is in the log
        when it returns. Raises LogFull, LogBusy: nothing may be committed before it is.
        """

        def added() -> None:
            updates.extend(self.changed(rules, now, clock()))
            self.decide(rules, home)

        async with self.turn:
            await in_thread(added)

    async def count(self, figures: UnitSeries, rules: Rulebook, at: int) -> bool:
        """Counts on at the figures of units, as of `at` (ms); whether that was the end of a round."""
        async with self.turn:
            return await in_thread(lambda: figures.step(self.units, rules, at))

    def decide(self, rules: Rulebook, home: Leaving) -> None:
        """Alerts of units, as far as minutes are closed."""
        alerts = self.alerts
        home.outputs.extend(alerts.close(rules))
        home.changes.extend(alerts.memory.take_out())
        if alerts.commands:
            self._log.append(alerts.commands)
            alerts.commands = []

    def changed(self, rules: Rulebook, as_of: int, now: int) -> list[Outgoing]:
        """Updates, stamped `now` (ms), of the units whose members changed; none while it is still reading again.

        They are as of `as_of`, or of a newer tick that some member's sums are as of: sums must not be of the future.
        Before the first tick no instant is known that a unit's windows could be of: its members wait for that.
        """
        as_of = max(as_of, parse_rfc3339(self._now) or as_of if self._now else as_of)
        if self._unread or as_of < 0:
            return []
        updates = []
        for unit in self.units.take_changed(rules.tree, as_of):
            key = unit.encode()
            value = _encoder.encode(self.units.update(unit, rules, as_of))
            updates.append(Outgoing(UNIT_UPDATES, partition_for(key, self.partitions), now, key, value))
        return updates


def _known(log: Log, partition: int) -> set[str]:
    """Units of which something was said before."""
    return {record.key.decode() for record in records(log, UNIT_UPDATES, partition) if record.key is not None}
