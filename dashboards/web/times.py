"""Times leave as RFC 3339, and what has no time leaves as null."""

from __future__ import annotations

from schemas.instants import format_rfc3339


def instant(at: int | None) -> str | None:
    """RFC 3339 in UTC of milliseconds since 1970 UTC; None for None."""
    return None if at is None else format_rfc3339(at)
