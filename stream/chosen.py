"""Which window an as-of chooses: where it begins, and how instants are written."""

from __future__ import annotations

from functools import lru_cache

from schemas.instants import format_rfc3339
from stream.calendars import NO_SHIFT
from stream.rulebook import Version
from stream.window import Window, calendar_bounds, rolling_bounds

rfc3339 = lru_cache(maxsize=65_536)(format_rfc3339)


def window_start(window: Window, version: Version, as_of: int, shift: int) -> int:
    """Where the window that an as-of chooses begins, in ms; `shift`: where the shift does, NO_SHIFT: there is none."""
    if window.kind == "rolling":
        return rolling_bounds(window, as_of)[0]
    if window.kind == "all":
        return version.begins
    if window.kind == "shift":
        return as_of if shift == NO_SHIFT else shift
    return calendar_bounds(window.kind, version.timezone, as_of)[0]


def pooled_by(window: Window, version: Version, as_of: int, shift: int) -> int:
    """Sums of equal ones may be added up: where their window starts (ms), 0 where it slides or never ends."""
    if window.kind in ("rolling", "all"):
        return 0
    return shift if window.kind == "shift" else window_start(window, version, as_of, shift)
