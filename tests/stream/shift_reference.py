"""When shifts are, minute by minute and by hand: slow, short, and nothing of the product but what a calendar says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instants import MINUTE

Text = dict[str, Any]  # a calendar as its text says it; dates are dates, `effective_from` and `early` are ms
SPAN = 40  # days around the instant in question that are looked at


@lru_cache(maxsize=16_384)
def instant(zone: ZoneInfo, day: date, clock: str) -> int:
    """The first instant at which the wall shows this time; where it never does, the first at which it shows more."""
    wanted = datetime(day.year, day.month, day.day, int(clock[:2]), int(clock[3:]), tzinfo=UTC)
    near = [wanted + timedelta(minutes=30 * n) for n in range(-32, 33)]
    offsets = {offset for moment in near if (offset := moment.astimezone(zone).utcoffset()) is not None}
    exact = [
        moment
        for moment in (wanted - offset for offset in offsets)
        if moment.astimezone(zone).replace(tzinfo=UTC) == wanted
    ]
    if exact:
        return int(min(exact).timestamp()) * 1000
    moment = near[0]
    while moment.astimezone(zone).replace(tzinfo=UTC) < wanted:
        moment += timedelta(minutes=1)
    return int(moment.timestamp()) * 1000


def lists(calendar: Text, day: date) -> list[str]:
    """The ids of a date."""
    for override in calendar.get("overrides", ()):
        if override["date"] == day:
            return list(override["shifts"])
    if day in calendar.get("holidays", ()):
        return []
    if "week" in calendar:
        return list(calendar["week"].get(day.strftime("%a").lower(), ()))
    days = calendar["cycle"]["days"]
    return list(days[(day - calendar["cycle"]["first"]).days % len(days)])


def works(calendar: Text, around: int) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """(start, end, breaks) of the shifts of many dates, in order."""
    zone = ZoneInfo(calendar["timezone"])
    middle = datetime.fromtimestamp(around / 1000, zone).date()
    found = []
    for day in (middle + timedelta(days=n) for n in range(-SPAN, SPAN + 1)):
        for name in lists(calendar, day):
            shift = calendar["shifts"][name]
            start = instant(zone, day, shift["start"])
            end = instant(zone, day + timedelta(days=shift["end"] <= shift["start"]), shift["end"])
            breaks = []
            for one in shift.get("breaks", ()):
                later = day + timedelta(days=one["start"] < shift["start"])
                low = instant(zone, later, one["start"])
                breaks.append((low, instant(zone, later + timedelta(days=one["end"] <= one["start"]), one["end"])))
            if end > start:
                found.append((start, end, breaks))
    return sorted(found, key=lambda work: work[:2])


def in_force(calendars: list[Text], unit: str, at: int) -> Text | None:
    """The version for a unit at an instant."""
    newest: dict[str, Text] = {}
    for calendar in sorted(calendars, key=lambda c: (c["effective_from"], c["version"])):
        if calendar["effective_from"] <= at:
            newest[calendar["calendar"]] = calendar
    named = [c for c in newest.values() if c["units"] != "everyone" and unit in c["units"]]
    chosen = named or [c for c in newest.values() if c["units"] == "everyone"]
    return min(chosen, key=lambda c: c["calendar"], default=None)


def force(calendars: list[Text], unit: str, at: int) -> tuple[int | None, int | None, Text | None]:
    """(from, until, version): as long as the same is in force."""
    holding = in_force(calendars, unit, at)
    edges = sorted({c["effective_from"] for c in calendars})
    before = [e for e in edges if e <= at]
    while before and in_force(calendars, unit, before[-1] - 1) is holding:
        before.pop()
    after = [e for e in edges if e > at]
    while after and in_force(calendars, unit, after[0]) is holding:
        after.pop(0)
    return before[-1] if before else None, after[0] if after else None, holding


def shift(calendars: list[Text], unit: str, at: int) -> tuple[int, int | None] | None:
    """(from, until) of the shift of a unit at an instant; until None: not within the days that are looked at."""
    begin, end, calendar = force(calendars, unit, at)
    if calendar is None or begin is None:
        return None
    begins, ended = [], -1
    for start, over, _ in works(calendar, at):
        begins.append(min(start, max(start - calendar["early"], ended)))
        ended = max(ended, over)
    last = max([b for b in begins if b <= at], default=begin)
    following = [b for b in begins if b > at] + ([end] if end is not None else [])
    return max(last, begin), min(following, default=None)


def at_work(calendars: list[Text], unit: str, at: int) -> bool:
    """Whether a unit is at work in the minute that begins at an instant."""
    calendar = in_force(calendars, unit, at)
    return calendar is not None and any(
        start <= at < end and not any(low <= at < high for low, high in breaks)
        for start, end, breaks in works(calendar, at)
    )


def minutes_at_work(calendars: list[Text], unit: str, begin: int, end: int) -> int:
    """How many of the minutes that begin in [begin, end) are worked, in ms; all instants are whole minutes."""
    found: set[int] = set()
    edges = sorted({begin, end, *(c["effective_from"] for c in calendars if begin < c["effective_from"] < end)})
    for low, high in pairwise(edges):
        calendar = in_force(calendars, unit, low)
        for start, over, breaks in works(calendar, low) if calendar else ():
            minutes = range(max(low, start), min(high, over), MINUTE)
            found.update(m for m in minutes if not any(a <= m < b for a, b in breaks))
    return len(found) * MINUTE
