"""Numbers and times as a reader's language writes them (Babel), each formatted once: thousands of pages share few.

What is shown is rounded first, so that the same figure is formatted once, whoever's it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from dashboards.web.languages import Words

_SKELETONS: Final = {"month": "yMMMM", "quarter": "yQQQQ", "year": "y"}
_DAY_TIME: Final = {"en": "d MMM, HH:mm", "zh-Hans": "M月d日 HH:mm"}


NOISE: Final = 1e-12  # of a quotient of doubles: the interval of 84 in 84 ends at 0.9999999999999998


def shown_share(share: float) -> float:
    """A share as it is to be rounded to a digit of a percent: only what is perfect, but for noise, becomes 100 %."""
    return min(share, 0.999) if share < 1 - NOISE else max(share, 1.0)


class Figures:
    """The figures of one page; times are told in `timezone` (IANA)."""

    def __init__(self, said: Words, timezone: str = "UTC") -> None:
        self.said = said
        self._tag = said.tag
        self._zone = timezone

    def number(self, value: float, digits: int = 2) -> str:
        """At most so many digits behind the point."""
        return _decimal(round(value, digits), digits, self._tag)

    def percent(self, share: float) -> str:
        """A share with one digit; one that is not perfect is never rounded to a perfect one."""
        return _percent(round(shown_share(share), 3), self._tag)

    def points(self, value: float) -> str:
        """Points, with a digit behind the point where there is one."""
        return self.number(value, 1)

    def value(self, value: float | None, unit: str, is_rate: bool) -> str:
        """A value in its unit: a rate in percent; a dash where there is none."""
        if value is None:
            return "–"
        if unit == "percent" or (not unit and is_rate):
            return self.percent(value)
        number = self.number(value, 2 if abs(value) < 100 else 0)
        return f"{number} {self.said.unit(unit)}" if unit else number

    def time(self, at: int) -> str:
        """Day and time of an instant in ms."""
        return _time(at // 60_000, self._zone, self._tag)

    def second(self, at: int) -> str:
        """Day and time to the second, for events."""
        return _second(at // 1000, self._zone, self._tag)

    def moment(self, at: int) -> str:
        """Date and time of an instant of any year, without the time where it is midnight."""
        return _moment(at // 60_000, self._zone, self._tag)

    def date(self, at: int) -> str:
        """The date of an instant."""
        return _date(at // 60_000, self._zone, self._tag)

    def weekday(self, at: int) -> str:
        """The date of an instant with its day of the week."""
        return _weekday(at // 60_000, self._zone, self._tag)

    def period(self, window: str, begins: int, ends: int) -> str:
        """A calendar window in words: its year, month or day, else its first and last day."""
        return _period(window, begins // 60_000, ends // 60_000, self._zone, self._tag)

    def clock(self, at: int) -> str:
        """The time of day alone."""
        return _clock(at // 60_000, self._zone, self._tag)


@lru_cache(maxsize=65_536)
def _decimal(value: float, digits: int, tag: str) -> str:
    pattern = "#,##0." + "#" * digits if digits else "#,##0"
    return str(format_decimal(value, format=pattern, locale=_locale(tag)))


@lru_cache(maxsize=8_192)
def _percent(share: float, tag: str) -> str:
    return str(format_percent(share, format="#,##0.0%", locale=_locale(tag)))


@lru_cache(maxsize=16_384)
def _time(minute: int, zone: str, tag: str) -> str:
    return str(format_datetime(_local(minute * 60, zone), _DAY_TIME[tag], locale=_locale(tag)))


@lru_cache(maxsize=16_384)
def _second(second: int, zone: str, tag: str) -> str:
    return str(format_datetime(_local(second, zone), "yyyy-MM-dd HH:mm:ss", locale=_locale(tag)))


@lru_cache(maxsize=16_384)
def _moment(minute: int, zone: str, tag: str) -> str:
    local = _local(minute * 60, zone)
    date = _date(minute, zone, tag)
    return date if (local.hour, local.minute) == (0, 0) else f"{date}, {_clock(minute, zone, tag)}"


@lru_cache(maxsize=16_384)
def _date(minute: int, zone: str, tag: str) -> str:
    return str(format_date(_local(minute * 60, zone), "medium", locale=_locale(tag)))


@lru_cache(maxsize=4_096)
def _weekday(minute: int, zone: str, tag: str) -> str:
    return str(format_skeleton("yMMMEd", _local(minute * 60, zone), locale=_locale(tag)))


@lru_cache(maxsize=16_384)
def _period(window: str, begins: int, ends: int, zone: str, tag: str) -> str:
    first = _local(begins * 60, zone)
    if window in _SKELETONS:
        return str(format_skeleton(_SKELETONS[window], first, locale=_locale(tag)))
    if window == "day":
        return _date(begins, zone, tag)
    if window == "shift":
        return f"{_moment(begins, zone, tag)} – {_clock(ends, zone, tag)}"
    return f"{_date(begins, zone, tag)} – {_date(ends - 1, zone, tag)}"


@lru_cache(maxsize=4_096)
def _clock(minute: int, zone: str, tag: str) -> str:
    return str(format_time(_local(minute * 60, zone), "HH:mm", locale=_locale(tag)))


def _local(seconds: int, zone: str) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone))


@lru_cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))
