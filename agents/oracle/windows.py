"""A window is a half-open span of event time, chosen by the as-of; calendar windows follow the template's zone."""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agents.oracle.log import DAY, MINUTE, SECOND

CALENDAR = ("day", "week", "month", "quarter", "year")

MOST_MINUTES = 366 * 1440  # of a rolling window

_ROLLING = re.compile(r"rolling ([1-9][0-9]{0,8})m")


class Window(NamedTuple):
    """`text` as the template has it; `minutes` is 0 unless it is rolling."""

    text: str
    kind: str
    minutes: int


def parse_window(text: str) -> Window:
    """The window a template names; raises ValueError for an unknown one."""
    rolling = _ROLLING.fullmatch(text)
    if rolling and int(rolling[1]) <= MOST_MINUTES:
        return Window(text, "rolling", int(rolling[1]))
    if text in (*CALENDAR, "all", "shift"):
        return Window(text, text, 0)
    raise ValueError(f"window {text!r} is unknown; write rolling Nm, shift, {', '.join(CALENDAR)} or all")


def pane_length(minutes: int) -> int:
    """The length in ms of the panes of a rolling window of so many minutes."""
    return MINUTE if minutes <= 180 else 15 * MINUTE if minutes <= 10_080 else DAY


def rolling_span(minutes: int, as_of: int) -> tuple[int, int]:
    """[first pane's start, last pane's end) in ms: panes that start in (floor(as_of, g) - N, floor(as_of, g)]."""
    pane = pane_length(minutes)
    last = as_of // pane * pane
    first = (last - minutes * MINUTE) // pane * pane + pane
    return first, last + pane


@lru_cache(maxsize=4096)
def calendar_span(kind: str, zone: str, as_of: int) -> tuple[int, int]:
    """[start, end) in ms of the calendar window of `kind` that holds `as_of`, in the IANA zone `zone`."""
    info = ZoneInfo(zone)
    first = _first_day(kind, datetime.fromtimestamp(as_of // SECOND, info).date())
    # A local date may come back after its successor began (clocks set back over midnight): spans never overlap,
    # so the span that has begun last by `as_of` holds it.
    while _begin(_following(kind, first), info) <= as_of:
        first = _following(kind, first)
    return _begin(first, info), _begin(_following(kind, first), info)


def _first_day(kind: str, day: date) -> date:
    if kind == "day":
        return day
    if kind == "week":
        return day - timedelta(days=day.weekday())
    if kind == "month":
        return day.replace(day=1)
    if kind == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _following(kind: str, first: date) -> date:
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
    return _first_day(kind, first + timedelta(days=longest[kind]))


def _begin(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local date: the first of two midnights, the jump of the clocks where there is none."""
    # Of a skipped time, fold 0 is read with the offset before the jump. That is the jump itself when it begins at
    # midnight, and no zone since 2000 skips a midnight otherwise.
    return int(datetime.combine(day, time(), zone).timestamp()) * SECOND
