"""An instant is an integer of milliseconds since 1970 UTC; its text is RFC 3339, read strictly."""

import re
from datetime import date

EARLIEST = 946_684_800_000  # 2000-01-01T00:00:00Z
LATEST = 4_102_444_800_000  # 2100-01-01T00:00:00Z

_SHAPE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAY = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def parse_instant(text: str) -> int | None:
    """Milliseconds of an RFC 3339 text with zone, finer digits cut off; None when it is not one.

    `:60` and `24:00` are refused, as the contract says, though RFC 3339 knows leap seconds.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    try:
        ordinal = date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return None
    of_day = (int(hour) * 60 + int(minute)) * 60_000 + int(second) * 1000 + int((fraction or "")[:3].ljust(3, "0"))
    local = (ordinal - _EPOCH_ORDINAL) * _DAY + of_day
    if sign is None:
        return local
    if int(offset_hour) > 23 or int(offset_minute) > 59:
        return None
    ahead = (int(offset_hour) * 60 + int(offset_minute)) * 60_000
    return local - ahead if sign == "+" else local + ahead


def occurred_at(raw: object) -> int | None:
    """The instant of an event's `occurred_at` (text or number), None when it is a bad time."""
    if isinstance(raw, str):
        instant = parse_instant(raw)
    elif isinstance(raw, int):
        instant = raw
    else:
        instant = None  # written with a point or an exponent it is no integer, whatever its value
    return instant if instant is not None and EARLIEST <= instant <= LATEST else None
