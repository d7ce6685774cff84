"""When a shift is: the calendar in force for a unit says it, and shifts tile its time without gap or overlap.

ARCHITECTURE.md, Shift calendars, 3, 5 and 8. Asked when windows turn over, so answers are remembered by unit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from stream.shift_calendar import PREFIX, ShiftCalendar
from stream.timetable import Timetable, merged, part_of

FOREVER: Final = 1 << 62
NO_SHIFT: Final = -1  # instead of the instant at which one begins
_UNITS: Final = 20_000  # remembered at once


class Shift(NamedTuple):
    """A shift as a window: what counts for it, from `begins` until before `ends` (ms; FOREVER: without end)."""

    begins: int
    ends: int


class Named(NamedTuple):
    """Which shift of which calendar version (`ID@VERSION`), from its start to its end in ms; None: before the first."""

    calendar: str
    shift: str | None
    start: int | None
    end: int | None


class Force(NamedTuple):
    """From `begins` until before `ends` (ms) the same version is in force for a unit; None: none is."""

    begins: int
    ends: int
    calendar: ShiftCalendar | None


class Duty(NamedTuple):
    """The shift that is on from `asked` until before `until` (ms), and when after it the next one starts."""

    asked: int
    until: int
    shift: tuple[int, int] | None
    following: int


class Calendars:
    """All valid versions of all shift calendars. Units are named by their ids, "" is no unit."""

    def __init__(self, calendars: Iterable[ShiftCalendar] = ()) -> None:
        self.versions = tuple(sorted(calendars, key=lambda c: (c.calendar, c.effective_from, c.version)))
        self._tables: dict[str, Timetable] = {}
        self._forces: dict[str, list[Force]] = {}
        self._duties: dict[str, Duty] = {}
        self._shifts: dict[str, tuple[int, int, Shift | None]] = {}  # by unit the last answer, and for which instants

    def _force(self, unit: str, at: int) -> Force:
        """The calendar version in force for a unit, and the longest span around `at` in which it is."""
        forces = self._forces.get(unit)
        if forces is None:
            if len(self._forces) >= _UNITS:
                self._forces.clear()
            forces = self._forces[unit] = list(self._timeline(unit))
        return forces[bisect_right(forces, at, key=lambda force: force.begins) - 1]

    def _timeline(self, unit: str) -> Iterator[Force]:
        edges = [-FOREVER, *sorted({calendar.effective_from for calendar in self.versions})]
        begins, holding = edges[0], self._holding(unit, edges[0])
        for edge in edges[1:]:
            after = self._holding(unit, edge)
            if after is not holding:
                yield Force(begins, edge, holding)
                begins, holding = edge, after
        yield Force(begins, FOREVER, holding)

    def _holding(self, unit: str, at: int) -> ShiftCalendar | None:
        newest = self._newest(at)
        naming = [c for c in newest if c.units is not None and unit in c.units]
        every = naming or [c for c in newest if c.units is None]
        return min(every, key=lambda c: c.calendar, default=None)

    def _table(self, calendar: ShiftCalendar) -> Timetable:
        found = self._tables.get(calendar.key)
        if found is None:
            found = self._tables[calendar.key] = Timetable(calendar)
        return found

    def of(self, unit: str, at: int) -> ShiftCalendar | None:
        """The calendar in force for a unit at an instant (ms)."""
        return self._force(unit, at).calendar

    def shift(self, unit: str, at: int) -> Shift | None:
        """The shift of a unit at an instant (ms); None where no calendar is in force for it."""
        known = self._shifts.get(unit)
        if known is None or not known[0] <= at < known[1]:
            if len(self._shifts) >= _UNITS:
                self._shifts.clear()
            known = self._shifts[unit] = self._find(unit, at)
        return known[2]

    def next_change(self, unit: str, at: int) -> int:
        """When after `at` the unit has another shift, or none any more, or a first one (ms); FOREVER: never."""
        self.shift(unit, at)
        return self._shifts[unit][1]

    def _find(self, unit: str, at: int) -> tuple[int, int, Shift | None]:
        force = self._force(unit, at)
        if force.calendar is None:
            return force.begins, force.ends, None
        table = self._table(force.calendar)
        last, following = table.last_begin(at), table.next_begin(at)
        begins = force.begins if last is None else max(last, force.begins)
        ends = force.ends if following is None else min(following, force.ends)
        return begins, ends, Shift(begins, ends)

    def named(self, unit: str, at: int) -> Named | None:
        """The shift of a unit at an instant (ms) by name; None where no calendar is in force for it."""
        force = self._force(unit, at)
        if force.calendar is None:
            return None
        begun = self._table(force.calendar).begun(at)
        key = force.calendar.key.removeprefix(PREFIX)
        return Named(key, None, None, None) if begun is None else Named(key, begun[1].id, begun[1].start, begun[1].end)

    def any_ended(self, after: int, until: int) -> bool:
        """Whether some shift may have ended in (after, until], as another began or another calendar came into force."""
        if any(after < calendar.effective_from <= until for calendar in self.versions):
            return True
        following = (self._table(calendar).next_begin(after) for calendar in self._newest(after))
        return any(begin is not None and begin <= until for begin in following)

    def earliest(self, at: int) -> int:
        """No shift that holds an instant (ms), or would if no calendar changed at it, began before this, anywhere."""
        near = {c.key: c for some in (at - 1, at) for c in self._newest(some)}.values()
        begins = ((self._table(calendar).last_begin(at), calendar.effective_from) for calendar in near)
        return min((since if begin is None else begin for begin, since in begins), default=at)

    def latest(self, at: int) -> int:
        """No shift that holds an instant (ms) ends after this, anywhere; FOREVER where one has no end."""
        ends = (self._table(calendar).next_begin(at) for calendar in self._newest(at))
        return max((FOREVER if end is None else end for end in ends), default=at)

    def _newest(self, at: int) -> list[ShiftCalendar]:
        """Of each calendar the version that may be in force at an instant."""
        latest = {c.calendar: c for c in self.versions if c.effective_from <= at}  # in their order the last one stays
        return list(latest.values())

    def begins(self, unit: str, at: int) -> int:
        """When the shift of a unit at an instant began to count, NO_SHIFT where there is none."""
        shift = self.shift(unit, at)
        return NO_SHIFT if shift is None else shift.begins

    def scheduled(self, unit: str, at: int) -> tuple[int, int] | None:
        """(start, end) of the shift in which a unit is, breaks included; of two the one that started last."""
        return self._duty(unit, at).shift

    def next_scheduled(self, unit: str, at: int) -> int:
        """When after `at` a shift starts, or another calendar is in force for the unit (ms); FOREVER: never."""
        return self._duty(unit, at).following

    def _duty(self, unit: str, at: int) -> Duty:
        known = self._duties.get(unit)
        if known is None or not known.asked <= at < known.until:
            if len(self._duties) >= _UNITS:
                self._duties.clear()
            known = self._duties[unit] = self._on_duty(unit, at)
        return known

    def _on_duty(self, unit: str, at: int) -> Duty:
        force = self._force(unit, at)
        if force.calendar is None:
            return Duty(at, force.ends, None, force.ends)
        table = self._table(force.calendar)
        work, start = table.on_at(at), table.next_start(at)
        following = force.ends if start is None else min(start, force.ends)
        if work is None:
            return Duty(at, following, None, following)
        return Duty(at, min(work.end, following), (work.start, work.end), following)

    def _at_work(self, unit: str, begin: int, end: int) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        while begin < end:
            force = self._force(unit, begin)
            until = min(end, force.ends)
            if force.calendar is not None:
                spans += self._table(force.calendar).at_work(begin, until)
            begin = until
        return merged(iter(spans))

    def worked(self, unit: str, begin: int, end: int) -> int:
        """How long a unit was at work in [begin, end), in ms."""
        return sum(high - low for low, high in self._at_work(unit, begin, end))

    def when_worked(self, unit: str, begin: int, amount: int, until: int) -> int | None:
        """The instant at which a unit has been at work for `amount` ms since `begin`; None when not by `until`."""
        return part_of(self._at_work(unit, begin, until), amount)
