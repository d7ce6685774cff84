"""A shift calendar is read from its published text as a template is: it says in local times who works when."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple, TypeVar

from agents.oracle.fields import entries, instant, label, listing, mapping, matching, scalar, whole, zone
from agents.oracle.log import MINUTE, LogRecord
from agents.oracle.rules import ID, duration
from agents.oracle.yaml_text import read_yaml

PREFIX = b"calendar:"
HOURS_24 = 24 * 60  # in minutes of the clock, however long the day was

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_MONDAY = 1  # the ordinal of 0001-01-01
_NEEDED = frozenset({"calendar", "version", "effective_from", "timezone", "units", "shifts"})
_FIELDS = _NEEDED | {"early", "week", "cycle", "holidays", "overrides"}
_CALENDAR = re.compile(r"[a-z][a-z0-9-]{0,63}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_NONE = "0m"  # the one duration that the rules of an indicator do not have
_USUALLY_EARLY = "15m"
_EARLIEST = 6 * 60 * MINUTE
_MOST_SHIFTS = 24
_LONGEST_CYCLE = 366
_T = TypeVar("_T", int, str)


class CalendarError(ValueError):
    """The text is no shift calendar."""


class Shift(NamedTuple):
    """From start to end, in minutes of the clock since the midnight that its date begins with; breaks likewise."""

    start: int
    end: int
    breaks: tuple["Shift", ...] = ()


Day = tuple[Shift, ...]


class Calendar(NamedTuple):
    """One version of a calendar; `units` is None when it is for everyone, `effective_from` and `early` are in ms.

    `pattern` repeats, its first day was or will be `first`; `exceptions` are the dates on which something else holds.
    Dates are ordinals.
    """

    calendar: str
    version: int
    effective_from: int
    timezone: str
    units: frozenset[str] | None
    early: int
    first: int
    pattern: tuple[Day, ...]
    exceptions: Mapping[int, Day]

    def shifts_on(self, day: int) -> Day:
        """The shifts of a date, by their start."""
        found = self.exceptions.get(day)
        return self.pattern[(day - self.first) % len(self.pattern)] if found is None else found


def is_of_calendar(record: LogRecord) -> bool:
    """Whether a record of the topic `templates` has the key of a calendar; such a record is never a template."""
    return (record.key or b"").startswith(PREFIX)


def read_calendar(text: str) -> Calendar:
    """The calendar of a YAML text; raises CalendarError where the rules leave no reading."""
    try:
        return _calendar(mapping(read_yaml(text), "calendar", _FIELDS))
    except (KeyError, ValueError) as error:
        raise CalendarError(f"calendar: {error}") from error


def _calendar(raw: dict[str, object]) -> Calendar:
    shifts = _shifts(raw["shifts"])
    first, pattern = _pattern(raw, shifts)
    return Calendar(
        matching(raw["calendar"], "calendar", _CALENDAR), whole(raw["version"], "version", 1),
        instant(raw["effective_from"], "effective_from"), zone(raw["timezone"], "timezone"), _units(raw["units"]),
        _early(raw.get("early", _USUALLY_EARLY)), first, pattern, _exceptions(raw, shifts),
    )  # fmt: skip


def _units(raw: object) -> frozenset[str] | None:
    if raw == "everyone":
        return None
    return frozenset(_each_once([label(unit, "units") for unit in entries(raw, "units")], "units"))


def _early(raw: object) -> int:
    early = 0 if raw == _NONE else duration(raw, "early")
    if early > _EARLIEST:
        raise CalendarError(f"early: {raw!r} is not from 0m to 6h")
    return early


def _shifts(raw: object) -> dict[str, Shift]:
    if not isinstance(raw, dict) or not 1 <= len(raw) <= _MOST_SHIFTS or not all(map(ID.fullmatch, raw)):
        raise CalendarError(f"shifts: {raw!r} are not one to {_MOST_SHIFTS} by their ids")
    return {name: _shift(shift) for name, shift in raw.items()}


def _shift(raw: object) -> Shift:
    fields = mapping(raw, "shifts", frozenset({"start", "end", "breaks"}))
    start = _clock(fields["start"], "start")
    shift = Shift(start, _next(_clock(fields["end"], "end"), start))
    if shift.end - shift.start == HOURS_24:
        raise CalendarError(f"shifts: {raw!r} ends when it starts")
    breaks = [_break(entry, shift) for entry in listing(fields.get("breaks", []))]
    _one_after_the_other(breaks, "breaks")
    return shift._replace(breaks=tuple(breaks))


def _break(raw: object, shift: Shift) -> Shift:
    fields = mapping(raw, "breaks", frozenset({"start", "end"}))
    start = _clock(fields["start"], "start")
    start += HOURS_24 if start < shift.start else 0
    end = _next(_clock(fields["end"], "end"), start)
    if end > shift.end:
        raise CalendarError(f"breaks: {raw!r} does not lie within its shift")
    return Shift(start, end)


def _next(clock: int, after: int) -> int:
    """The first time after `after` at which the clock shows this."""
    return after + ((clock - after) % HOURS_24 or HOURS_24)


def _clock(raw: object, field: str) -> int:
    match = _CLOCK.fullmatch(scalar(raw, field))
    if match is None:
        raise CalendarError(f"{field}: {raw!r} is not HH:MM")
    return int(match[1]) * 60 + int(match[2])


def _date(raw: object, field: str) -> int:
    match = _DATE.fullmatch(scalar(raw, field))
    if match is None:
        raise CalendarError(f"{field}: {raw!r} is not YYYY-MM-DD")
    return date(*map(int, match.groups())).toordinal()


def _pattern(raw: dict[str, object], shifts: Mapping[str, Shift]) -> tuple[int, tuple[Day, ...]]:
    """(a date on which it begins, the days that repeat)."""
    if ("week" in raw) == ("cycle" in raw):
        raise CalendarError("needs exactly one of week and cycle")
    if "week" in raw:
        week = mapping(raw["week"], "week", frozenset(_WEEKDAYS))
        return _A_MONDAY, tuple(_day(week.get(name, []), shifts) for name in _WEEKDAYS)
    cycle = mapping(raw["cycle"], "cycle", frozenset({"first", "days"}))
    days = entries(cycle["days"], "days")
    if len(days) > _LONGEST_CYCLE:
        raise CalendarError(f"cycle: {len(days)} days are more than {_LONGEST_CYCLE}")
    return _date(cycle["first"], "first"), tuple(_day(day, shifts) for day in days)


def _exceptions(raw: dict[str, object], shifts: Mapping[str, Shift]) -> dict[int, Day]:
    holidays = [_date(day, "holidays") for day in listing(raw.get("holidays", []))]
    entries = [
        mapping(entry, "overrides", frozenset({"date", "shifts"})) for entry in listing(raw.get("overrides", []))
    ]
    overrides = {_date(entry["date"], "date"): _day(entry["shifts"], shifts) for entry in entries}
    if len(overrides) < len(entries):
        raise CalendarError("overrides: a date occurs twice")
    return {**dict.fromkeys(_each_once(holidays, "holidays"), ()), **overrides}


def _day(raw: object, shifts: Mapping[str, Shift]) -> Day:
    """The shifts of a list of ids."""
    names = _each_once([scalar(name, "shifts") for name in listing(raw)], "shifts")
    day = tuple(sorted(shifts[name] for name in names))
    _one_after_the_other(day, "shifts")
    return day


def _one_after_the_other(spans: Iterable[Shift], field: str) -> None:
    if any(later.start < earlier.end for earlier, later in pairwise(sorted(spans))):
        raise CalendarError(f"{field}: one begins before the one before it has ended")


def _each_once(found: Sequence[_T], field: str) -> Sequence[_T]:
    if len(set(found)) < len(found):
        raise CalendarError(f"{field}: one occurs twice in {found}")
    return found
