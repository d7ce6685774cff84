"""From the clock on the wall to instants: when the shifts of one calendar begin to count, start, pause and end.

ARCHITECTURE.md, Shift calendars, 4. Dates are looked at when somebody asks for them, and remembered.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from stream.shift_calendar import ShiftCalendar
from stream.shift_times import DAY_MINUTES
from stream.window import local_instant

FIRST_DATE: Final = date(1999, 12, 1)  # no instant that an event or a tick may have lies before it
LAST_DATE: Final = date(9999, 12, 1)  # what is worked after it has no instant that could be asked for
_BEFORE: Final = 3  # dates on which a shift can begin that ends within 6 h (`early`) before another one starts
_AHEAD: Final = 2  # dates after that of an instant whose shifts may count by then: 6 h earlier, over a skipped date
_KEPT: Final = 4_000  # dates
_DAY: Final = timedelta(days=1)


class Work(NamedTuple):
    """A shift of one date as instants (ms), and its breaks in order."""

    start: int
    end: int
    breaks: tuple[tuple[int, int], ...]
    id: str


class Timetable:
    """The shifts of one calendar version from its `effective_from` on, whether or not it is in force."""

    def __init__(self, calendar: ShiftCalendar) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.timezone)
        self._worked: dict[date, tuple[Work, ...]] = {}
        self._begun: dict[date, tuple[tuple[int, Work], ...]] = {}
        self._first = max(FIRST_DATE, self._date(calendar.effective_from) - _BEFORE * _DAY)
        # A pattern without a shift leaves single dates; with one, what is looked for is never far.
        self._regular = any(calendar.pattern.days)
        self._single = sorted(day for day, ids in calendar.overrides.items() if ids)

    def _date(self, at: int) -> date:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone).date()

    def shifts(self, day: date) -> tuple[Work, ...]:
        """Those that start on a date, by their start."""
        found = self._worked.get(day)
        if found is None:
            if len(self._worked) > _KEPT:
                self._worked.clear()
            made = (
                Work(
                    start,
                    end,
                    tuple(
                        (a, b)
                        for span in shift.breaks
                        if (b := self._at(day, span.end)) > (a := self._at(day, span.start))
                    ),
                    shift.id,
                )
                for shift in self._calendar.on(day)
                if (end := self._at(day, shift.end)) > (start := self._at(day, shift.start))
            )
            found = self._worked[day] = tuple(sorted(made))
        return found

    def _at(self, day: date, minute: int) -> int:
        days, rest = divmod(minute, DAY_MINUTES)
        return local_instant(self._zone, day + days * _DAY, rest)

    def _begins(self, day: date) -> tuple[tuple[int, Work], ...]:
        """When the shifts of a date begin to count, each with its shift."""
        found = self._begun.get(day)
        if found is None:
            if len(self._begun) > _KEPT:
                self._begun.clear()
            around = sorted(work for back in range(-1, _BEFORE + 1) for work in self.shifts(day - back * _DAY))
            own, early = self.shifts(day), self._calendar.early
            begins, ended = [], 0
            for work in around:
                if work in own:
                    begins.append((min(work.start, max(work.start - early, ended)), work))
                ended = max(ended, work.end)
            found = self._begun[day] = tuple(begins)
        return found

    def last_begin(self, at: int) -> int | None:
        """The largest instant up to `at` at which a shift begins to count; None without one."""
        found = self.begun(at)
        return None if found is None else found[0]

    def begun(self, at: int) -> tuple[int, Work] | None:
        """The shift that counts at `at`, with the instant at which it began to; None without one."""
        for day in self._dates_back(self._date(at) + _AHEAD * _DAY):
            near = [begun for some in (day, day - _DAY) for begun in self._begins(some) if begun[0] <= at]
            if near:
                return max(near)
        return None

    def _dates_back(self, day: date) -> Iterable[date]:
        """From a date back, those that may have a shift, as long as it may end within the version's time."""
        found = self._single[: bisect_right(self._single, day)][::-1] if not self._regular else _days(day, -_DAY)
        return takewhile(lambda some: some >= self._first, found)

    def next_begin(self, at: int) -> int | None:
        """The smallest instant after `at` at which a shift begins to count; None without one."""
        for day in self._dates(self._date(at) - _DAY):
            near = [begin for some in (day, day + _DAY) for begin, _ in self._begins(some) if begin > at]
            if near:
                return min(near)
        return None

    def next_start(self, at: int) -> int | None:
        """When after `at` the next shift starts; None when none does."""
        for day in self._dates(self._date(at) - _DAY):
            near = [work.start for some in (day, day + _DAY) for work in self.shifts(some) if work.start > at]
            if near:
                return min(near)
        return None

    def _dates(self, day: date) -> Iterable[date]:
        """From a date on, those that may have a shift."""
        found = self._single[bisect_left(self._single, day) :] if not self._regular else _days(day, _DAY)
        return takewhile(lambda some: some <= LAST_DATE, found)

    def on_at(self, at: int) -> Work | None:
        """The shift that has started and not ended; of several the last to start."""
        return max((work for work in self.around(at, at + 1) if work.start <= at < work.end), default=None)

    def around(self, begin: int, end: int) -> list[Work]:
        """The shifts that touch [begin, end), by their start."""
        day, last = self._date(begin) - _BEFORE * _DAY, self._date(end) + _DAY
        found: list[Work] = []
        while day <= last:
            found += [work for work in self.shifts(day) if work.start < end and work.end > begin]
            day += _DAY
        return sorted(found)

    def at_work(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The spans of [begin, end) in which a shift is on, outside its breaks; in order, none touches another."""
        spans = [
            (max(low, begin), min(high, end)) for work in self.around(begin, end) for low, high in _without_breaks(work)
        ]
        return merged(span for span in spans if span[0] < span[1])


def _days(day: date, step: timedelta) -> Iterator[date]:
    while True:
        yield day
        day += step


def _without_breaks(work: Work) -> Iterator[tuple[int, int]]:
    low = work.start
    for begin, end in work.breaks:
        yield low, begin
        low = end
    yield low, work.end


def merged(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that touch or overlap as one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def part_of(spans: list[tuple[int, int]], amount: int) -> int | None:
    """The instant at which so much of the spans is over; None when they are shorter."""
    for low, high in spans:
        if amount <= high - low:
            return low + amount
        amount -= high - low
    return None
