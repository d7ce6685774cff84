"""A window is chosen by event time alone; windows of one kind tile time without gap or overlap.

Rolling windows are whole panes: those whose start lies in (floor(t, g) - N, floor(t, g)]. Calendar windows run
from a local midnight to a later one in an IANA zone, so that days of 23 or 25 hours are days.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from schemas.instants import DAY, HOUR, MINUTE

Kind = Literal["rolling", "day", "week", "month", "quarter", "year", "all", "shift"]

QUARTER_HOUR: Final = 15 * MINUTE
MAX_MINUTES: Final = 366 * 1440

CALENDAR_KINDS: Final = ("day", "week", "month", "quarter", "year")
NAMED_KINDS: Final = ("shift", *CALENDAR_KINDS, "all")
_ROLLING = re.compile(r"rolling ([1-9][0-9]{0,8})m\Z")
_LONGER = re.compile(r"rolling ([1-9][0-9]{0,4})([hd])\Z")
_MINUTES: Final = {"h": 60, "d": 1440}


class WindowError(ValueError):
    """A text that is no window; the template's author acts."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}; {remedy}")
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Window:
    """`text` as the template writes it; `minutes` and `grain` (pane length, ms) are 0 unless rolling."""

    text: str
    kind: Kind
    minutes: int = 0
    grain: int = 0

    @property
    def is_calendar(self) -> bool:
        return self.kind in CALENDAR_KINDS


def parse_window(text: str) -> Window:
    """Read `rolling Nm` or a named window. Raises WindowError with what would be right."""
    if text in NAMED_KINDS:
        return Window(text, cast(Kind, text))
    match = _ROLLING.match(text)
    if not match:
        if longer := _LONGER.match(text):
            raise WindowError(f"{text!r} is not a window", f"write rolling {int(longer[1]) * _MINUTES[longer[2]]}m")
        close = get_close_matches(text.strip().lower(), NAMED_KINDS, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise WindowError(f"{text!r} is not a window", f"{hint}write rolling 60m or one of {', '.join(NAMED_KINDS)}")
    minutes = int(match[1])
    return Window(text, "rolling", minutes, _grain(minutes))


def _grain(minutes: int) -> int:
    """Pane length in ms (contract, section 4)."""
    if minutes > MAX_MINUTES:
        raise WindowError(f"{minutes} minutes are more than 366 days", f"write at most {MAX_MINUTES} minutes")
    return MINUTE if minutes <= 180 else QUARTER_HOUR if minutes <= 10_080 else DAY


def rolling_bounds(window: Window, t: int) -> tuple[int, int]:
    """(start of the first pane, end of the last pane) in ms of a rolling window as of `t` (ms)."""
    grain = window.grain
    last = t - t % grain
    first = last - window.minutes * MINUTE
    return first - first % grain + grain, last + grain  # the first pane that starts after it


def calendar_bounds(kind: str, timezone: str, t: int) -> tuple[int, int]:
    """(start, end) in ms of the calendar window that holds `t` (ms): start <= t < end.

    The bounds are kept per (kind, zone, hour of t): most calls are one look-up. Raises ValueError for a kind
    that has no calendar, zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    bounds = _holding(kind, timezone, t - t % HOUR)
    while t >= bounds[1]:  # a window ends within this hour
        bounds = _holding(kind, timezone, bounds[1])
    return bounds


@lru_cache(maxsize=65_536)
def _holding(kind: str, timezone: str, t: int) -> tuple[int, int]:
    first_day = _FIRST_DAYS.get(kind)
    if first_day is None:
        raise ValueError(f"window kind {kind!r} has no calendar; use one of {', '.join(CALENDAR_KINDS)}")
    zone = ZoneInfo(timezone)
    day = datetime.fromtimestamp(t / 1000, UTC).astimezone(zone).date()
    first = first_day(day)
    following = _following(first_day, first)
    # Where clocks are set back over midnight the old date shows again: the new day goes on, the old never returns.
    if t >= _midnight(zone, following):
        first, following = following, _following(first_day, following)
    return _midnight(zone, first), _midnight(zone, following)


_FIRST_DAYS: Final[dict[str, Callable[[date], date]]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


def _following(first_day: Callable[[date], date], first: date) -> date:
    """First day of the next window: the first later day that is a first day."""
    day = first + timedelta(days=1)
    while first_day(day) == first:
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=65_536)
def _midnight(zone: ZoneInfo, day: date) -> int:
    """The day's first instant in ms."""
    return local_instant(zone, day, 0)


def local_instant(zone: ZoneInfo, day: date, minute: int) -> int:
    """The instant (ms) of a local time, in minutes since midnight: of two the first; where clocks skip it, the skip."""
    plain = datetime(day.year, day.month, day.day, minute // 60, minute % 60)
    local = plain.replace(tzinfo=zone)
    instant = int(local.timestamp())
    if datetime.fromtimestamp(instant, zone).replace(tzinfo=None) == plain:
        return instant * 1000
    before, after = int(local.replace(fold=1).timestamp()), instant
    while after - before > 1:  # inside the gap the two readings lie on either side of the skip
        middle = (before + after) // 2
        early = datetime.fromtimestamp(middle, zone).replace(tzinfo=None) < plain
        before, after = (middle, after) if early else (before, middle)
    return after * 1000
