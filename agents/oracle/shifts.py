"""The shift of a unit at an instant follows from the calendar in force for it: shifts tile its time without a gap."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from agents.oracle.log import SECOND, Event
from agents.oracle.person import Assignments
from agents.oracle.shift_calendar import HOURS_24, Calendar

Span = tuple[int, float]  # [start, end) in ms; the end may be infinite

_BLOCK = 64  # dates that are worked out together
_AROUND = 4  # dates before and after that have a say in them: no zone skips more than one date
DATES = range(1 + 2 * _AROUND, date.max.toordinal() - 2 * _AROUND)


def instant(day: int, minute: int, zone: ZoneInfo) -> int:
    """When the clocks of a zone show this minute of a date (an ordinal), in ms.

    Of two such instants the first, of a time that is skipped the moment of the skip.
    """
    local = datetime.combine(date.fromordinal(day + minute // HOURS_24), time(*divmod(minute % HOURS_24, 60)))
    late = int(local.replace(tzinfo=zone).timestamp())
    if _clocks(late, zone) == local:
        return late * SECOND
    early = int(local.replace(tzinfo=zone, fold=1).timestamp())
    while late - early > 1:  # the clocks show less at `early`, more at `late`
        middle = (early + late) // 2
        early, late = (early, middle) if _clocks(middle, zone) > local else (middle, late)
    return late * SECOND


def _clocks(second: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None)


class _Timetable:
    """The instants at which shifts of one version begin to count, worked out where they are asked for."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._zone = ZoneInfo(calendar.timezone)
        self._worked_out: dict[int, list[int]] = {}
        # A pattern without a shift leaves the exceptions alone to look at; with one, what is looked for is not far.
        days: Iterable[int] = [DATES[0], DATES[-1]]
        if not any(calendar.pattern):
            days = [day for day, shifts in calendar.exceptions.items() if shifts and day in DATES]
        numbers = sorted({day // _BLOCK for day in days})
        self._numbers: Sequence[int] = range(numbers[0], numbers[-1] + 1) if any(calendar.pattern) else numbers

    def around(self, at: int) -> tuple[int | None, int | None]:
        """(the largest beginning that is not later than `at`, the smallest that is), None where there is none."""
        day = datetime.fromtimestamp(at // SECOND, self._zone).toordinal()
        before = self._numbers[: bisect_right(self._numbers, (day + _AROUND) // _BLOCK)]
        after = self._numbers[bisect_right(self._numbers, (day - _AROUND) // _BLOCK - 1) :]
        begun = (begins[position - 1] for begins, position in self._found(reversed(before), at) if position)
        to_come = (begins[position] for begins, position in self._found(after, at) if position < len(begins))
        return next(begun, None), next(to_come, None)

    def _found(self, numbers: Iterable[int], at: int) -> Iterator[tuple[list[int], int]]:
        """(the beginnings of a block, how many of them are not later than `at`) of one block after the other."""
        for number in numbers:
            if number not in self._worked_out:
                self._worked_out[number] = self._begins(number)
            begins = self._worked_out[number]
            yield begins, bisect_right(begins, at)

    def _begins(self, number: int) -> list[int]:
        """The beginnings of the shifts whose dates lie in a block, ascending."""
        own = range(number * _BLOCK, (number + 1) * _BLOCK)
        shifts = sorted(
            (start, end, day)
            for day in range(own[0] - _AROUND, own[-1] + _AROUND + 1)
            if day in DATES
            for start, end in self._shifts_on(day)
        )
        begins: list[int] = []
        ended: int | None = None
        for start, end, day in shifts:
            early = start - self.calendar.early
            if day in own:
                begins.append(early if ended is None else min(start, max(early, ended)))
            ended = end if ended is None else max(ended, end)
        return begins

    def _shifts_on(self, day: int) -> Iterator[tuple[int, int]]:
        for shift in self.calendar.shifts_on(day):
            start, end = instant(day, shift.start, self._zone), instant(day, shift.end, self._zone)
            if start < end:
                yield start, end


class Calendars:
    """The valid versions of all calendars, and which of them is in force for a unit."""

    def __init__(self, versions: Iterable[Calendar] = ()) -> None:
        ordered = sorted(versions, key=lambda version: (version.effective_from, version.version))
        self._versions = [(version, _Timetable(version)) for version in ordered]
        self._reigns: dict[str, list[tuple[int, _Timetable | None]]] = {}
        self._last: dict[str, Span] = {}  # the shift of a unit that was found last: the next question often is about it

    def shift(self, unit: str, at: int) -> Span | None:
        """The shift of a unit ("" for none) at `at` (ms); None where no calendar is in force for it."""
        last = self._last.get(unit)
        if last is not None and last[0] <= at < last[1]:
            return last
        found = self._shift(unit, at)
        if found is not None:
            self._last[unit] = found
        return found

    def reigns(self, unit: str) -> list[tuple[int, Calendar | None]]:
        """(from when on in ms, which calendar is in force for a unit, None for none), each another than the one before.

        None is in force before the first.
        """
        return [(since, timetable.calendar if timetable else None) for since, timetable in self._reigns_over(unit)]

    def _shift(self, unit: str, at: int) -> Span | None:
        reigns = self._reigns_over(unit)
        position = bisect_right(reigns, at, key=lambda reign: reign[0])
        first, timetable = reigns[position - 1] if position else (0, None)
        if timetable is None:
            return None
        end: float = reigns[position][0] if position < len(reigns) else float("inf")
        begun, to_come = timetable.around(at)
        return first if begun is None else max(begun, first), end if to_come is None else min(to_come, end)

    def _reigns_over(self, unit: str) -> list[tuple[int, _Timetable | None]]:
        if unit not in self._reigns:
            self._reigns[unit] = self._work_out(unit)
        return self._reigns[unit]

    def _work_out(self, unit: str) -> list[tuple[int, _Timetable | None]]:
        """(from when on, which version is in force for the unit, None for none), each another than the one before."""
        reigns: list[tuple[int, _Timetable | None]] = []
        newest: dict[str, tuple[Calendar, _Timetable]] = {}
        for version, timetable in self._versions:
            newest[version.calendar] = version, timetable
            in_force = _in_force(unit, newest.values())
            if reigns and reigns[-1][0] == version.effective_from:
                reigns.pop()  # of one instant the last word counts
            if (reigns[-1][1] if reigns else None) is not in_force:
                reigns.append((version.effective_from, in_force))
        return reigns


def _in_force(unit: str, newest: Iterable[tuple[Calendar, _Timetable]]) -> _Timetable | None:
    """By name before for everyone, then the smallest id."""
    found = [
        (version.units is None, version.calendar, timetable)
        for version, timetable in newest
        if version.units is None or unit in version.units
    ]
    return min(found, key=lambda entry: entry[:2])[2] if found else None


class ShiftsAsOf:
    """The shifts of all units as of one instant; `start` is that of the person's own, None where there is none."""

    def __init__(self, assignments: Assignments, calendars: Calendars, as_of: int) -> None:
        self._assignments, self._calendars, self._as_of = assignments, calendars, as_of
        self._spans: dict[str, Span | None] = {}
        own = self.of(assignments.unit(as_of))
        self.start = own[0] if own else None

    def of(self, unit: str) -> Span | None:
        """The shift of a unit."""
        if unit not in self._spans:
            self._spans[unit] = self._calendars.shift(unit, self._as_of)
        return self._spans[unit]

    def inside(self, events: Iterable[Event]) -> list[Event]:
        """Those of a person's events that lie in the shift of their own unit; none where the person has no shift."""
        if self.start is None:
            return []
        spans = ((event, self.of(self._assignments.unit_of(event))) for event in events)
        return [event for event, span in spans if span and span[0] <= event.at < span[1]]
