"""The sums of one window as it slides from record to record: what leaves is taken out, nothing is added up twice.

The cells hold what came before this run of records. A run longer than the window has panes of its own leave it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import add, sub

from schemas.instants import MINUTE
from stream.calendars import FOREVER
from stream.rulebook import Group, Version
from stream.state import Cells, Vector
from stream.window import Window, calendar_bounds, rolling_bounds


class WindowSums:
    """`total` as of the newest record seen, to which the caller adds; for a T from `until` on `move` comes first.

    A run of records, T ascending, starts with `begin`, and is in the cells before the next one does.
    """

    __slots__ = ("_first", "_mark", "_own", "_pane", "_place", "_timezone", "_window", "total", "until")

    def __init__(self, version: Version, group: Group, window: Window, cells: Collection[Cells], newest: int) -> None:
        self._window = window
        self._timezone = version.timezone
        grains = [grain for grain, _ in group.panes]
        self._place = grains.index(window.grain) if window.kind == "rolling" else group.calendars.index(window.kind)
        self.total: Vector = [0] * (1 + len(group.names))
        self.until = -1 if window.kind != "all" else FOREVER
        self._first = self._pane = -1  # numbers of the window's first and last pane
        self._own: dict[int, Vector] = {}  # the run's sums by pane, without the last one
        self._mark: Vector | None = None  # the total when the run came to its last pane
        if newest >= 0:
            self._fill(cells, newest)

    def _fill(self, cells: Collection[Cells], at: int) -> None:
        if self._window.kind == "rolling":
            self._choose(at)
            inside = [
                vector
                for each in cells
                for number, vector in each.panes[self._place].items()
                if self._first <= number <= self._pane
            ]
        else:
            calendars = [each.calendars[self._place] for each in cells]
            inside = [calendar.vector for calendar in calendars if calendar.start <= at < calendar.end]
            self._turn(at)
        for vector in inside:
            self.total[:] = map(add, self.total, vector)

    def _choose(self, at: int) -> None:
        low, high = rolling_bounds(self._window, at)
        grain = self._window.grain
        self._first, self._pane, self.until = low // grain, high // grain - 1, high

    def _turn(self, at: int) -> None:
        if self._window.kind != "all":
            self.until = calendar_bounds(self._window.kind, self._timezone, at)[1]

    def begin(self, times: Sequence[int]) -> None:
        """A run begins: those from before are in the cells."""
        self._own.clear()
        long = self._window.kind == "rolling" and times[-1] - times[0] >= self._window.minutes * MINUTE
        self._mark = self.total.copy() if long else None

    def move(self, at: int, cells: Collection[Cells]) -> None:
        """Takes out what the window as of `at` (not before the last one) holds no more; `at` >= `until`."""
        total = self.total
        if self._window.kind != "rolling":
            total[:] = [0] * len(total)
            self._turn(at)
            return
        if self._mark is not None:
            self._own[self._pane] = list(map(sub, total, self._mark))
        first, pane = self._first, self._pane
        self._choose(at)
        if self._first > pane:
            total[:] = [0] * len(total)
        else:
            for number in range(first, self._first):
                gone = [vector for each in cells if (vector := each.panes[self._place].get(number)) is not None]
                if number in self._own:
                    gone.append(self._own[number])
                for vector in gone:
                    total[:] = map(sub, total, vector)
        if self._mark is not None:
            self._mark = total.copy()
