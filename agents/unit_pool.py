"""Units' values follow from score updates alone; after a start none leaves before all that was there is read again.

Otherwise boards would see a unit grow from nothing. What was said of a unit that nobody belongs to any more is taken
back: the worker may have died between its last member's update and its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from agents.transport.log import Log, Outgoing, partition_for
from schemas.event import Row
from schemas.updates import Contribution
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.topics import SCORE_UPDATES, UNIT_UPDATES

_updates: Final = msgspec.json.Decoder(Contribution)
_encoder: Final = msgspec.json.Encoder()
_AT_ONCE: Final = 10_000


class UnitPool:
    """All units of one worker."""

    def __init__(self, log: Log) -> None:
        self.units = Units()
        self.partitions = log.topics()[SCORE_UPDATES].partitions
        numbers = range(self.partitions)
        ends = {number: log.end(SCORE_UPDATES, number) for number in numbers}
        self._unread = {number: end for number, end in ends.items() if end > log.start(SCORE_UPDATES, number)}
        self.units.changed |= {unit for number in numbers for unit in _known(log, number)}

    def take(self, partition: int, rows: Sequence[Row]) -> None:
        """Score updates, in the order of the log, from its start on."""
        for row in rows:
            if row[3] is not None:
                self.units.take(_updates.decode(row[3]))
        if rows[-1][0] + 1 >= self._unread.get(partition, 0):
            self._unread.pop(partition, None)

    def changed(self, rules: Rulebook, as_of: int, now: int) -> list[Outgoing]:
        """Updates, stamped `now` (ms), of the units whose members changed; none while it is still reading again."""
        if self._unread:
            return []
        changed, self.units.changed = self.units.changed, set()
        updates = []
        for unit in sorted(changed):
            key = unit.encode()
            value = _encoder.encode(self.units.update(unit, rules, as_of))
            updates.append(Outgoing(UNIT_UPDATES, partition_for(key, self.partitions), now, key, value))
        return updates


def _known(log: Log, partition: int) -> set[str]:
    """Units of which something was said before."""
    found: set[str] = set()
    offset = 0
    while rows := log.read(UNIT_UPDATES, partition, offset, _AT_ONCE):
        offset = rows[-1][0] + 1
        found |= {key.decode() for _, _, key, _, _ in rows if key is not None}
    return found
