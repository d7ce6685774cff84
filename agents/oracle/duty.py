"""When a unit is on shift and when it is at work: by the starts and ends of its shifts, breaks left out."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agents.oracle.log import DAY, SECOND
from agents.oracle.shift_calendar import Calendar
from agents.oracle.shifts import DATES, Calendars, instant

_BEFORE = 3  # dates on which something may begin that goes on: no shift is longer than a day, no zone skips more
_AHEAD = 4  # dates that are looked through for the next start
_LATEST = DATES[-1] * DAY // 2  # ms; no date of ours lies as late, in any zone

Span = tuple[int, int]


class Work(NamedTuple):
    """One shift of one date, in ms."""

    start: int
    end: int
    breaks: tuple[Span, ...]


class Duties:
    """When units work, by the calendars in force for them."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars
        self._dates: dict[tuple[str, int, int], list[Work]] = {}
        self._reigns: dict[str, list[tuple[int, Calendar | None]]] = {}

    def shift(self, unit: str, at: int) -> Span | None:
        """(start, end) of the shift in which a unit is at `at` (ms), of several the last to start; None without one."""
        _, calendar = self._reign(unit, at)
        on = [work[:2] for work in self._around(calendar, at, at + 1) if work.start <= at < work.end]
        return max(on, default=None)

    def next_look(self, unit: str, at: int) -> int:
        """An instant (ms) after `at` up to which no shift starts that has not started, and no other calendar counts."""
        until, calendar = self._reign(unit, at)
        ahead = at + _AHEAD * DAY
        starts = (work.start for work in self._around(calendar, at, ahead) if work.start > at)
        return min(until, ahead, min(starts, default=ahead))

    def reached(self, unit: str, since: int, length: int, until: int) -> int | None:
        """The first instant at which a unit has been at work for `length` ms since `since`; None if not by `until`."""
        for start, end in self._at_work(unit, since, until):
            if length <= end - start:
                return start + length
            length -= end - start
        return None

    def _at_work(self, unit: str, begin: int, end: int) -> Iterator[Span]:
        """The spans of [begin, end) in which it is at work, ascending, none overlapping another."""
        while begin < end:
            until, calendar = self._reign(unit, begin)
            until = min(until, end)
            reached = begin
            for start, stop in sorted(span for work in self._around(calendar, begin, until) for span in _busy(work)):
                start, stop = max(start, reached), min(stop, until)
                if start < stop:
                    yield start, stop
                    reached = stop
            begin = until

    def _reign(self, unit: str, at: int) -> tuple[int, Calendar | None]:
        """(until when, which calendar) is in force for a unit at `at`."""
        reigns = self._reigns.get(unit)
        if reigns is None:
            reigns = self._reigns[unit] = self._calendars.reigns(unit)
        position = bisect_right(reigns, at, key=lambda reign: reign[0])
        until = reigns[position][0] if position < len(reigns) else 1 << 63
        return until, reigns[position - 1][1] if position else None

    def _around(self, calendar: Calendar | None, begin: int, end: int) -> Iterator[Work]:
        """The shifts that may touch [begin, end)."""
        if calendar is None or end > _LATEST:
            return
        zone = ZoneInfo(calendar.timezone)
        first, last = (datetime.fromtimestamp(at // SECOND, zone).toordinal() for at in (begin, end))
        for day in range(first - _BEFORE, last + 2):
            if day in DATES:
                key = (calendar.calendar, calendar.version, day)
                if key not in self._dates:
                    self._dates[key] = list(_works(calendar, zone, day))
                yield from (work for work in self._dates[key] if work.start < end and work.end > begin)


def _works(calendar: Calendar, zone: ZoneInfo, day: int) -> Iterator[Work]:
    for shift in calendar.shifts_on(day):
        start, end = instant(day, shift.start, zone), instant(day, shift.end, zone)
        if start < end:
            breaks = ((instant(day, pause.start, zone), instant(day, pause.end, zone)) for pause in shift.breaks)
            yield Work(start, end, tuple(pause for pause in breaks if pause[0] < pause[1]))


def _busy(work: Work) -> Iterator[Span]:
    """What is left of a shift without its breaks."""
    start = work.start
    for begin, end in sorted(work.breaks):
        if start < begin:
            yield start, begin
        start = max(start, end)
    if start < work.end:
        yield start, work.end
