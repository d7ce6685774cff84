"""A minute is decided once every partition has closed it; what each wrote before that counts, and nothing after.

Shares are read from their start by whoever takes over. What lies before the last decided minute is taken as it is;
then it goes on where that one ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from agents.transport.log import Log, Record, TopicPartition
from schemas.shares import MINUTE_KEY, ORDER_KEY, MinuteClosed, Share, UnitOrder
from schemas.updates import Contribution
from stream.meta import Handled
from stream.pool import Units
from stream.topics import UNIT_SHARES

HOME: Final = 0  # whose tick says which rules a minute is decided under
_share: Final = msgspec.json.Decoder(Share)
_closed: Final = msgspec.json.Decoder(MinuteClosed)
_order: Final = msgspec.json.Decoder(UnitOrder)


class Ordered(NamedTuple):
    """A command about a unit's alert, and the partition that it lies in."""

    partition: int
    order: UnitOrder


class UnitMinutes:
    """Of all partitions. `units`: shares as of the minute that `steps` has come to, which `handled.minute` is."""

    def __init__(self, log: Log, handled: Handled) -> None:
        numbers = range(log.topics()[UNIT_SHARES].partitions)
        starts = log.starts([(UNIT_SHARES, number) for number in numbers])
        self.units = Units()
        self._handled = handled
        self._positions = {number: starts[UNIT_SHARES, number] for number in numbers}
        self._waiting: dict[int, deque[Record]] = {number: deque() for number in numbers}

    def behind(self, ends: Mapping[TopicPartition, int]) -> Iterator[tuple[int, int]]:
        """The partitions that have more to read, and where."""
        for number, position in self._positions.items():
            if position < ends.get((UNIT_SHARES, number), 0):
                yield number, position

    def take(self, partition: int, rows: Sequence[Record], end: int) -> None:
        """Records, in the order of the log, from where it stands; none: nothing is left up to `end`."""
        self._waiting[partition].extend(rows)
        self._positions[partition] = rows[-1][0] + 1 if rows else end

    def steps(self) -> Iterator[Ordered | MinuteClosed]:
        """What is to be done next, one after the other, as far as it is read: commands, and minutes to be decided."""
        while True:
            closed: dict[int, MinuteClosed] = {}
            for number in self._waiting:
                yield from self._up_to_a_minute(number, closed)
            if len(closed) < len(self._waiting):
                return
            newest = max(minute.at for minute in closed.values())
            for number, minute in closed.items():  # who has not closed the newest yet, does later
                if minute.at < newest:
                    self._waiting[number].popleft()
            if all(minute.at == newest for minute in closed.values()):
                self._handled.minute = newest
                yield closed[HOME]

    def _up_to_a_minute(self, number: int, closed: dict[int, MinuteClosed]) -> Iterator[Ordered]:
        """Takes what a partition wrote before the next minute that is not decided, which goes into `closed`."""
        waiting = self._waiting[number]
        while waiting:
            _, _, key, value, _ = waiting[0]
            if key == MINUTE_KEY:
                minute = _closed.decode(value or b"")
                if minute.at > self._handled.minute:
                    closed[number] = minute
                    return
            elif key is not None and value is not None:
                if key.startswith(ORDER_KEY):
                    waiting.popleft()
                    yield Ordered(number, _order.decode(value))
                    continue
                self._take(key.decode(), _share.decode(value))
            waiting.popleft()

    def _take(self, employee_id: str, share: Share) -> None:
        told = Contribution(employee_id, share.unit, "", None, {}, share.pools, {}, share.alerts)
        self.units.take(told, share.left)
