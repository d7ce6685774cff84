"""Two sites of the soak and when they work: shifts so short that they turn over, in versions that follow each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from schemas.instants import format_rfc3339

_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(minute: int) -> str:
    return f'"{minute // 60 % 24:02}:{minute % 60:02}"'


def _shift(start: int, length: int, breaks: str = "") -> str:
    return f"{{start: {_clock(start)}, end: {_clock(start + length)}{breaks}}}"


def _east(version: int) -> str:
    """L01 and L02 work round the clock, an hour a shift, or two, or an hour and a gap; each version a bit later."""
    apart, length = ((60, 60), (120, 120), (90, 50))[version % 3]
    starts = [start + version % 7 for start in range(0, 1440 - apart + 1, apart)]
    shifts = "".join(f"  s{number}: {_shift(start, length)}\n" for number, start in enumerate(starts))
    names = f"[{', '.join(f's{number}' for number in range(len(starts)))}]"
    week = "".join(f"  {day}: {names if number != version % 7 else '[s0]'}\n" for number, day in enumerate(_WEEK))
    return f"timezone: Asia/Shanghai\nunits: [L01, L02]\nearly: {version % 3 * 5}m\nshifts:\n{shifts}week:\n{week}"


def _west(version: int) -> str:
    """L03, and with every second version everybody whom no calendar names: nights over midnight, breaks, a cycle."""
    units = "[L03]" if version % 2 else "everyone"
    pause = f", breaks: [{{start: {_clock(1440 + 20)}, end: {_clock(1440 + 50)}}}]"
    day = f"  early: {_shift(6 * 60 + version, 8 * 60)}\n  late: {_shift(14 * 60 + version, 6 * 60)}\n"
    cycle = "cycle: {first: 2026-03-02, days: [[early, late], [late, night], [night], [early, late, night]]}\n"
    night = f"  night: {_shift(1300, 300, pause)}\n"
    return f"timezone: America/New_York\nunits: {units}\nearly: 1h\nshifts:\n{day}{night}{cycle}"


SITES: Final[dict[str, Callable[[int], str]]] = {"east": _east, "west": _west}


def calendar(site: str, version: int, effective_from: int) -> str:
    """The YAML of a version in force from an instant (ms)."""
    head = f"calendar: {site}\nversion: {version}\neffective_from: {format_rfc3339(effective_from)}\n"
    return head + SITES[site](version)
