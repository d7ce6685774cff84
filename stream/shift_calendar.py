"""A shift calendar is checked whole before it exists: either a frozen value, or every mistake with its line and remedy.

ARCHITECTURE.md, Shift calendars, 1. Local times are minutes since midnight of the shift's date, beyond 1440 on the
next day; what instants they are, `stream/timetable.py` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple

from schemas.instants import MINUTE, format_rfc3339
from stream.fields import Field, Findings, Problem
from stream.readers import read_instant, read_matching, read_timezone, read_whole
from stream.shift_days import CYCLE_REMEDY, WEEK_REMEDY, read_cycle, read_dates, read_overrides, read_week
from stream.shift_times import LocalShift, read_early, read_shifts, read_units
from stream.yaml_tree import TreeError, read_tree

PREFIX: Final = "calendar:"
KNOWN: Final = (
    *("calendar", "version", "effective_from", "timezone", "units", "early", "shifts", "week", "cycle"),
    *("holidays", "overrides"),
)
DEFAULT_EARLY: Final = 15 * MINUTE


class Pattern(NamedTuple):
    """Which shifts there are on which date, holidays and overrides aside: days[(date - first) mod length]."""

    first: date
    days: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ShiftCalendar:
    """One immutable version; `effective_from` and `early` in ms, `units` None for everyone, `text` as published."""

    calendar: str
    version: int
    effective_from: int
    timezone: str
    units: frozenset[str] | None
    early: int
    shifts: Mapping[str, LocalShift]
    pattern: Pattern
    holidays: frozenset[date]
    overrides: Mapping[date, tuple[str, ...]]
    text: str

    @property
    def key(self) -> str:
        """Its key in the log."""
        return f"{PREFIX}{self.calendar}@{self.version}"

    def on(self, day: date) -> Sequence[LocalShift]:
        """The shifts of a date."""
        ids = self.overrides.get(day)
        if ids is None:
            days = self.pattern.days
            ids = () if day in self.holidays else days[(day - self.pattern.first).days % len(days)]
        return [self.shifts[id] for id in ids]


@dataclass(frozen=True, slots=True)
class CalendarReport:
    """What a check found, by line; `calendar` is None when there is any error."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    calendar: ShiftCalendar | None


class CalendarError(ValueError):
    """A text that is no shift calendar; `report` has every error."""

    def __init__(self, report: CalendarReport) -> None:
        super().__init__("\n".join(str(error) for error in report.errors))
        self.report = report


def check_calendar(
    text: str, *, published: Sequence[ShiftCalendar] = (), published_at: int | None = None
) -> CalendarReport:
    """Check a calendar, and with `published` and `published_at` (ms) also whether it may be published then.

    Never raises on any text. `published` are all versions in the log, of this and of other calendars; without
    `published_at` only the order of versions is checked.
    """
    findings = Findings()
    calendar = _read(text, findings, published, published_at)
    return CalendarReport(
        errors=tuple(sorted(map(_named, findings.errors), key=lambda problem: problem.line)),
        warnings=tuple(sorted(map(_named, findings.warnings), key=lambda problem: problem.line)),
        calendar=None if findings.errors else calendar,
    )


def load_calendar(text: str) -> ShiftCalendar:
    """The calendar of a text that is already in the log. Raises CalendarError when it is none."""
    report = check_calendar(text)
    if report.calendar is None:
        raise CalendarError(report)
    return report.calendar


def _named(problem: Problem) -> Problem:
    """What is wrong with the file as a whole, in words of calendars: YAML is read as that of templates is."""
    if problem.field:
        return problem
    message, remedy = (text.replace("template", "calendar") for text in (problem.message, problem.remedy))
    return replace(problem, field="calendar", message=message, remedy=remedy)


def _read(
    text: str, findings: Findings, published: Sequence[ShiftCalendar], published_at: int | None
) -> ShiftCalendar | None:
    try:
        root = Field("", 1, read_tree(text), findings)
    except TreeError as error:
        findings.errors.append(Problem(error.line, "", "", error.message, error.remedy))
        return None
    fields = root.fields(KNOWN, f"write a calendar with {', '.join(KNOWN[:7])}, and week or cycle")
    if fields is None:
        return None
    shifts = read_shifts(fields["shifts"])
    known = shifts if findings.is_clean("shifts") else None
    calendar = ShiftCalendar(
        calendar=read_matching(fields["calendar"], r"[a-z][a-z0-9-]{0,63}", "write an id of a-z 0-9 -, a letter first"),
        version=read_whole(fields["version"], "write a whole number from 1", low=1),
        effective_from=read_instant(fields["effective_from"]),
        timezone=read_timezone(fields["timezone"]),
        units=read_units(fields["units"]),
        early=read_early(fields["early"]) if fields["early"].present else DEFAULT_EARLY,
        shifts=shifts,
        pattern=_pattern(fields["week"], fields["cycle"], known),
        holidays=read_dates(fields["holidays"]) if fields["holidays"].present else frozenset(),
        overrides=read_overrides(fields["overrides"], known) if fields["overrides"].present else {},
        text=text,
    )
    if findings.is_clean("calendar", "version", "effective_from"):
        _check_publication(calendar, fields, published, published_at)
    if not findings.errors:
        _warn_unused(calendar, fields["shifts"])
    return calendar


def _pattern(week: Field, cycle: Field, known: Mapping[str, LocalShift] | None) -> Pattern:
    if cycle.present and week.present:
        cycle.fail("stands beside week", "write one of them: days repeat by the week, or by a cycle of their own")
    elif not cycle.present and not week.present:
        week.fail("is missing, and so is cycle", f"{WEEK_REMEDY}, or {CYCLE_REMEDY}")
    elif cycle.present:
        return Pattern(*read_cycle(cycle, known))
    else:
        return Pattern(date(2001, 1, 1), read_week(week, known))  # a Monday
    return Pattern(date(2001, 1, 1), ((),))


def _check_publication(
    calendar: ShiftCalendar, fields: Mapping[str, Field], published: Sequence[ShiftCalendar], published_at: int | None
) -> None:
    """Versions only grow, and only the first may begin in the past: as templates."""
    earlier = [other for other in published if other.calendar == calendar.calendar]
    if not earlier:
        return
    newest = max(other.version for other in earlier)
    if calendar.version <= newest:
        said = "is published already" if any(o.version == calendar.version for o in earlier) else "is older"
        fields["version"].fail(f"{said}: {calendar.calendar} is at version {newest}", f"write {newest + 1}")
    if published_at is not None and calendar.effective_from <= published_at:
        remedy = f"write an instant after {format_rfc3339(published_at)}"
        fields["effective_from"].fail(
            "is not later than the publication", f"{remedy}; only a calendar's first version may begin in the past"
        )
    latest = max(other.effective_from for other in earlier)
    if calendar.effective_from <= latest:
        remedy = f"write an instant after {format_rfc3339(latest)}; publishing asks that versions begin in their order"
        fields["effective_from"].fail("is not later than that of an earlier version", remedy)


def _warn_unused(calendar: ShiftCalendar, field: Field) -> None:
    used = {id for ids in (*calendar.pattern.days, *calendar.overrides.values()) for id in ids}
    for name, place in field.entries():
        if name not in used:
            place.warn("is worked on no day", "name it in week, cycle or overrides, or take it away")
