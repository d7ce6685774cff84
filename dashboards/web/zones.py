"""Pages about the whole company have one time zone, that of its newest template; people write dates, not instants.

A local time that a change of clocks leaves out is none; of one that comes twice the first is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agents.views.port import ViewsReader, ViewsUnavailable
from stream.template import TemplateError, load_published

UTC_ZONE: Final = "UTC"
MIDNIGHT: Final = time()
_SECOND: Final = 1_000
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def zone_of(views: ViewsReader) -> str:
    """The zone of the template that takes effect last; UTC where there is none, or nobody can say."""
    try:
        return _newest(tuple(await views.templates()))
    except ViewsUnavailable:
        return UTC_ZONE


@lru_cache(maxsize=4)
def _newest(texts: Sequence[bytes]) -> str:
    begun = [found for text in texts if (found := _begins(text)) is not None]
    return max(begun, default=(0, UTC_ZONE))[1]


@lru_cache(maxsize=256)
def _begins(text: bytes) -> tuple[int, str] | None:
    try:
        template = load_published(text.decode("utf-8", "replace"))
    except TemplateError:
        return None
    return template.effective_from, template.timezone


def known_zone(name: str) -> bool:
    """Whether there is such a zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also a name that is no file name
        return False
    return True


def date_of(text: str) -> date | None:
    """A date as a form has it, YYYY-MM-DD; None for anything else."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def time_of(text: str) -> time | None:
    """A time of day as a form has it, HH:MM or HH:MM:SS; None for anything else."""
    try:
        found = time.fromisoformat(text) if len(text) in (5, 8) else None
    except ValueError:
        return None
    return None if found is None or found.tzinfo is not None else found


def instant_at(day: date, clock: time, zone: str) -> int | None:
    """The instant (ms since 1970 UTC) of a local time; None where the clocks skip it."""
    local = datetime.combine(day, clock)
    try:
        found = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return None
    if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local:
        return None
    return int(found.timestamp()) * _SECOND


def last_of(day: date, zone: str) -> int:
    """The last millisecond of a date: what holds then has taken in all that began on it."""
    following = min(day, date.max - timedelta(days=1)) + timedelta(days=1)
    local = datetime.combine(following, MIDNIGHT).replace(tzinfo=ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp()) * _SECOND - 1


def local_of(at: int, zone: str) -> datetime:
    """An instant as the zone's clocks show it."""
    return datetime.fromtimestamp(at // _SECOND, UTC).astimezone(ZoneInfo(zone))
