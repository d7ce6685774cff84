"""`--as-of` and `--known-at`: an instant, or `last` or `now`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from agents.cli.errors import UsageError
from schemas.instants import parse_rfc3339

AsOf = Annotated[
    str,
    Parameter(
        name="--as-of",
        help="which windows: `last` (newest scored event), `now` (newest tick) or an RFC 3339 time with zone",
    ),
]
KnownAt = Annotated[
    str | None,
    Parameter(name="--known-at", help="as known at this log time (RFC 3339 with zone): later records are left out"),
]


def instant(option: str, text: str) -> int:
    """Milliseconds of an RFC 3339 time or an integer of milliseconds; UsageError else."""
    if text.isascii() and text.isdigit():
        return int(text)
    at = parse_rfc3339(text)
    if at is None:
        raise UsageError(f"{option} {text!r} is not an RFC 3339 time with zone; write 2026-03-02T08:15:00+08:00")
    return at


def demand_readable(as_of: str, known_at: str | None = None) -> None:
    """UsageError when one of them cannot be read: told before a log is opened."""
    resolve(as_of, 0, 0)
    if known_at is not None:
        instant("--known-at", known_at)


def resolve(text: str, last: int, now: int) -> int:
    """The instant that `--as-of` means, in ms."""
    if text == "last":
        return last
    if text == "now":
        return now
    try:
        return instant("--as-of", text)
    except UsageError as error:
        raise UsageError(f"{error}, or `last`, or `now`") from None
