"""The sums of the shift as they grow from record to record: each unit's own shift, whoever is at home where.

ARCHITECTURE.md, Shift calendars, 6 and 7. The cells hold what came before this run of records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import add, sub

from stream.calendars import Calendars
from stream.rulebook import Group
from stream.state import Cells, Vector


class ShiftSums:
    """`total` as of the newest record that entered; records enter by T ascending."""

    __slots__ = ("_calendars", "_units", "total", "until")

    def __init__(self, group: Group, cells: Mapping[str, Cells], newest: int, calendars: Calendars) -> None:
        self._calendars = calendars
        self.total: Vector = [0] * (1 + len(group.names))
        self._units: dict[str, tuple[int, Vector]] = {}  # when its shift ends, its sums
        for unit, own in cells.items():
            shift = own.calendars[-1]
            if shift.start <= newest < shift.end:
                self._units[unit] = (shift.end, shift.vector.copy())
                self.total[:] = map(add, self.total, shift.vector)
        self.until = self._next_end()

    def _next_end(self) -> int:
        return min((end for end, _ in self._units.values()), default=-1)

    def enter(self, at: int, unit: str, vector: Sequence[int]) -> None:
        """A record of a unit at `at` (ms): what has ended leaves, what is in no shift does not enter."""
        if at >= self.until:
            for name, (end, gone) in list(self._units.items()):
                if end <= at:
                    self.total[:] = map(sub, self.total, gone)
                    del self._units[name]
            self.until = self._next_end()
        own = self._units.get(unit)
        if own is None:
            shift = self._calendars.shift(unit, at)
            if shift is None:
                return
            own = self._units[unit] = (shift.ends, [0] * len(self.total))
            self.until = self._next_end()
        sums = own[1]
        for index, number in enumerate(vector):
            sums[index] += number
            self.total[index] += number
