"""`scorestream calendars`: when units work is checked, published and shown; what is published never changes."""

from __future__ import annotations

import sys
from typing import Annotated, Final

from cyclopts import App, Parameter

from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, InputFile
from agents.cli.opening import existing_log, now_ms, writable_log
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.cli.progress import say
from agents.cli.reports import local_time, print_report, read_text
from agents.publishing import CalendarRefused, publish_calendar
from agents.rules import calendars as published_calendars
from agents.shift_lists import Listed, shifts_of, state_of, succession, with_draft
from schemas.instants import DAY, parse_rfc3339
from stream.calendars import Calendars
from stream.shift_calendar import ShiftCalendar, check_calendar

app = App(name="calendars", help="Check, publish and show shift calendars.", help_format="plaintext")

_ROW: Final = ("calendar", "version", "effective_from", "published_at", "timezone", "units", "shifts", "state")
_SHIFT: Final = ("unit", "starts", "ends", "counts_from", "counts_until")
_MOST_DAYS: Final = 400


@app.command
def check(file: InputFile, /, *, format: FormatFlag = "table") -> int:
    """Check a calendar's file and print every error with its line, value and remedy.

    Warnings are printed too; the exit code is 1 only for errors. No log is needed; what depends on versions
    published before is checked by `publish`. `shifts --file` shows what it comes to.

    For example

        scorestream calendars check plant.yaml

    Parameters
    ----------
    file
        YAML file, - for standard input
    """
    report = check_calendar(read_text(file))
    print_report(report, file, format)
    if report.calendar is None:
        return 1
    if format == "table":
        sys.stdout.write(f"{file}: fine: {_name(report.calendar)}, {_effect(report.calendar)}\n")
    return 0


@app.command
def publish(file: InputFile, /, *, flags: Flags = NO_FLAGS) -> int:
    """Publish a version of a calendar; from then on it never changes.

    Refused when the file has errors, when the version is published already, and when it would begin in the past
    although it is not the calendar's first one.

    For example

        scorestream calendars publish plant.yaml

    Parameters
    ----------
    file
        YAML file, - for standard input
    """
    text = read_text(file)
    with writable_log(flags.settings()) as (log, _):
        try:
            done = publish_calendar(log, text, now_ms())
        except CalendarRefused as refused:
            print_report(refused.report, file, "table")
            return 1
    for warning in done.report.warnings:
        say(f"warning: {warning}")
    sys.stdout.write(f"published {_name(done.calendar)}, {_effect(done.calendar)}\n")
    return 0


@app.command(name="list")
def list_(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """List all published versions of calendars, and which of them are in force now.

    For example

        scorestream calendars list
    """
    with existing_log(flags.settings()) as log:
        found = published_calendars(log)
    now = now_ms()
    rows = (
        {
            "calendar": one.calendar,
            "version": one.version,
            "effective_from": local_time(one.effective_from, one.timezone),
            "published_at": time_text(at),
            "timezone": one.timezone,
            "units": "everyone" if one.units is None else ", ".join(sorted(one.units)),
            "shifts": ", ".join(one.shifts),
            "state": state_of(one, [entry.calendar for entry in found], now),
        }
        for at, _, _, one in sorted(found, key=lambda entry: (entry.calendar.calendar, entry.calendar.version))
    )
    print_rows(rows, _ROW, format)
    return 0


@app.command
def show(calendar: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """Print a published calendar as it was published.

    For example

        scorestream calendars show plant@2

    Parameters
    ----------
    calendar
        ID or ID@VERSION; without a version the one in force, else the newest
    """
    name, at, number = calendar.partition("@")
    if at and not number.isdecimal():
        raise UsageError(f"calendar {calendar!r}: write ID or ID@VERSION, e.g. plant@2")
    with existing_log(flags.settings()) as log:
        every = [entry.calendar for entry in published_calendars(log)]
    own = [one for one in every if one.calendar == name and (not number or one.version == int(number))]
    begun = [one for one in own if one.effective_from <= now_ms()]
    found = max(begun or own, key=succession, default=None)
    if found is None:
        names = ", ".join(sorted(map(_name, every))) or "none"
        raise CommandError(f"calendar {calendar!r} is not published; there are {names}")
    sys.stdout.write(found.text if found.text.endswith("\n") else found.text + "\n")
    return 0


@app.command
def shifts(
    unit: Annotated[str, Parameter(help="the unit; without one that of people without a unit")] = "",
    /,
    *,
    begin: Annotated[str | None, Parameter(name="--from", help="RFC 3339 with a zone (default: now)")] = None,
    days: Annotated[int, Parameter(help="how many days")] = 7,
    file: Annotated[str | None, Parameter(help="a calendar that is not published yet, beside those that are")] = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print the shifts of a unit: when each starts and ends, and from when until when work counts for it.

    For example

        scorestream calendars shifts L03 --days 14
        scorestream calendars shifts L03 --file plant.yaml --from 2026-10-24T00:00:00+02:00
    """
    since = now_ms() if begin is None else parse_rfc3339(begin)
    if since is None:
        raise UsageError(f"--from {begin!r}: it is not an RFC 3339 time with a zone, e.g. 2026-03-01T00:00:00+08:00")
    if not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"--days {days}: write 1 to {_MOST_DAYS}")
    calendars = _known(flags, file)
    found = shifts_of(Calendars(calendars), unit, since, since + days * DAY)
    print_rows((_shift(unit, one) for one in found), _SHIFT, format)
    return 0


def _known(flags: Flags, file: str | None) -> list[ShiftCalendar]:
    """What is published, and one that is not yet; without a log that one alone."""
    more: list[ShiftCalendar] = []
    if file is not None:
        report = check_calendar(read_text(file))
        if report.calendar is None:
            print_report(report, file, "table")
            raise CommandError(f"{file}: it is no calendar")
        more = [report.calendar]
    settings = flags.settings()
    if more and settings.embedded and not settings.folder.exists():
        return more
    with existing_log(settings) as log:
        found = [entry.calendar for entry in published_calendars(log)]
    return with_draft(found, more[0] if more else None)


def _shift(unit: str, one: Listed) -> dict[str, object]:
    """A shift in the calendar's own zone; an end that never comes is None."""
    moments = (None if moment is None else local_time(moment, one.calendar.timezone) for moment in one[:4])
    return dict(zip(_SHIFT, (unit, *moments), strict=True))


def _name(one: ShiftCalendar) -> str:
    return f"{one.calendar}@{one.version}"


def _effect(one: ShiftCalendar) -> str:
    return f"in force from {local_time(one.effective_from, one.timezone)} ({one.timezone})"
