"""Which window an as-of chooses: where it begins, and how instants are written."""

from __future__ import annotations

from functools import lru_cache

from schemas.instants import format_rfc3339
from stream.rulebook import Version
from stream.window import Window, calendar_bounds, rolling_bounds

rfc3339 = lru_cache(maxsize=65_536)(format_rfc3339)


def window_start(window: Window, version: Version, as_of: int) -> int:
    """Where the window that an as-of chooses begins, in ms."""
    if window.kind == "rolling":
        return rolling_bounds(window, as_of)[0]
    if window.kind == "all":
        return version.begins
    return calendar_bounds(window.kind, version.timezone, as_of)[0]
