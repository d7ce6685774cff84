"""The windows of a person's rows: which there are, in which order, and which one a page opens with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from dashboards.web.updates import is_total
from schemas.rows import ScoreRow

TODAY: Final = ("day", "shift")  # what a page opens with, when there is one
_ORDER: Final = ("shift", "day", "week", "month", "quarter", "year", "all")


def windows_of(rows: Sequence[ScoreRow]) -> tuple[str, ...]:
    """Each window once: rolling ones first, shorter before longer."""
    return tuple(sorted({row.window for row in rows if not is_total(row)}, key=length_of))


def chosen(windows: Sequence[str], asked: str | None) -> str | None:
    """The window that is asked for, or today's, or the shortest; None without any."""
    return asked if asked in windows else next((each for each in (*TODAY, *windows) if each in windows), None)


@lru_cache(maxsize=1024)
def length_of(window: str) -> tuple[int, int]:
    """What windows are sorted by."""
    if window.startswith("rolling "):
        return 0, int(window.removeprefix("rolling ").removesuffix("m"))
    return 1, _ORDER.index(window)
