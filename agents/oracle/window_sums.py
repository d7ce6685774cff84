"""The sums that a rule judges by are those of the window as of the newest entry, over the entries up to it."""

import math
from collections.abc import Iterable

from agents.oracle.log import Event
from agents.oracle.person import Assignments
from agents.oracle.rows import span
from agents.oracle.rulebook import Version
from agents.oracle.shifts import Calendars, ShiftsAsOf, Span
from agents.oracle.windows import Window, pane_length


class WindowSums:
    """The exact sums in a window that only moves forward: kept per pane, so that what it leaves can be taken out."""

    def __init__(self, version: Version, window: Window, measures: Iterable[str]) -> None:
        self._version, self._window = version, window
        # A window that is not rolling moves past all that it held at once: it needs no panes.
        self._pane = pane_length(window.minutes) if window.kind == "rolling" else 0
        self._panes: dict[int, dict[str, int]] = {}
        self.start = 0
        self._end = -math.inf
        self.total = dict.fromkeys(measures, 0)

    def move(self, as_of: int) -> None:
        """Let it be the window as of a T, which is not before that of the last move."""
        if as_of < self._end:
            return
        self.start, self._end = span(self._version, self._window, as_of)
        for pane in [pane for pane in self._panes if pane < self.start]:
            for measure, amount in self._panes.pop(pane).items():
                self.total[measure] -= amount

    def add(self, event: Event) -> None:
        """Add an event's measures, unless the window has left it behind."""
        if event.at < self.start:
            return
        pane = self._panes.setdefault(event.at // self._pane * self._pane if self._pane else self.start, {})
        for measure, amount in event.measures:
            if measure in self.total:
                self.total[measure] += amount
                pane[measure] = pane.get(measure, 0) + amount


class ShiftSums:
    """The exact sums in the shift, which is another one for each unit, so that what units left can be taken out."""

    def __init__(self, assignments: Assignments, calendars: Calendars, measures: Iterable[str]) -> None:
        self._assignments, self._calendars = assignments, calendars
        self._measures = tuple(measures)
        self._units: dict[str, tuple[Span, dict[str, int]]] = {}
        self._shifts = ShiftsAsOf(assignments, calendars, 0)
        self.start = 0

    @property
    def total(self) -> dict[str, int] | None:
        """The sums over all units; None where there is no shift of the person."""
        if self._shifts.start is None:
            return None
        return {measure: sum(sums[measure] for _, sums in self._units.values()) for measure in self._measures}

    def move(self, as_of: int) -> None:
        """Let it be the shifts as of a T, which is not before that of the last move."""
        self._shifts = ShiftsAsOf(self._assignments, self._calendars, as_of)
        self.start = as_of if self._shifts.start is None else self._shifts.start
        # Shifts of a unit tile its time: another one than before holds none of the entries so far.
        self._units = {unit: held for unit, held in self._units.items() if self._shifts.of(unit) == held[0]}

    def add(self, event: Event) -> None:
        """Add an event's measures, unless it lies in no shift of its unit as of now."""
        unit = self._assignments.unit_of(event)
        span = self._shifts.of(unit)
        if span is None or not span[0] <= event.at < span[1]:
            return
        _, sums = self._units.setdefault(unit, (span, dict.fromkeys(self._measures, 0)))
        for measure, amount in event.measures:
            if measure in sums:
                sums[measure] += amount
