"""Instants are integer milliseconds since 1970 UTC; on the wire they are RFC 3339 with a zone."""

from __future__ import annotations

import datetime
import re
from typing import Final

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
FIRST: Final = 946_684_800_000  # 2000-01-01T00:00:00Z
LAST: Final = 4_102_444_800_000  # 2100-01-01T00:00:00Z

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_EARLIEST: Final = -62_135_596_800_000  # 0001-01-01T00:00:00Z
_LATEST: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)


def parse_rfc3339(text: str) -> int | None:
    """Milliseconds since 1970 UTC, finer digits cut off; None when it is no RFC 3339 instant."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zulu, sign, off_hour, off_minute = match.groups()[6:]
    offset = 0
    if zulu is None:
        if int(off_hour) > 23 or int(off_minute) > 59:
            return None
        offset = (int(off_hour) * 60 + int(off_minute)) * MINUTE * (-1 if sign == "-" else 1)
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND + int((fraction or "0")[:3].ljust(3, "0")) - offset


def instant_of(raw: object) -> int | None:
    """An instant as it is written: RFC 3339 with zone or integer milliseconds, from 2000 to 2100; None: it is none."""
    at = parse_rfc3339(raw) if isinstance(raw, str) else raw
    return at if isinstance(at, int) and FIRST <= at <= LAST else None


def format_rfc3339(at: int) -> str:
    """RFC 3339 in UTC with milliseconds; what no calendar of four-digit years holds is shown as its nearest end."""
    at = min(max(at, _EARLIEST), _LATEST)
    seconds, millis = divmod(at, 1000)
    moment = _EPOCH + datetime.timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"
