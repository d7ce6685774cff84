"""Sums are kept in whole panes and calendar windows of event time; a late event enters what is still open.

A window that no as-of at or after the employee's newest event can show is not kept: it is recomputed from the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.measures import Measures
from stream.state import Calendar, Cells, Landing, Segment, Vector
from stream.window import calendar_bounds

FOREVER: Final = 1 << 62
_SUM: Final = 2  # events and a measure
_RATE: Final = 3  # events and two measures


def add(landings: Sequence[Landing], measures: Measures, at: int, newest: int) -> None:
    """Adds an event at `at` to the cells where it lands; `newest` is the employee's newest scored instant (ms)."""
    add_all({0: landings}, (0,), (measures,), (at,), newest)


def add_all(
    bound: Mapping[int, Sequence[Landing]],
    kinds: Sequence[int],
    measures: Sequence[Measures],
    times: Sequence[int],
    newest: int,
) -> int:
    """Adds events of one employee, given as columns; the newest scored instant (ms) after them.

    `bound` says where each kind lands. The hottest loop of the core: a sum of one measure and a rate, of two, are
    written out.
    """
    for kind, measured, at in zip(kinds, measures, times, strict=True):
        if at > newest:
            newest = at
        for names, all_panes, calendars, timezone in bound[kind]:
            vector = measured.vectors.get(names) or measured.vector(names)
            width = len(vector)
            for panes, grain, kept in all_panes:
                number = at // grain
                into = panes.get(number)
                if into is None:
                    if number > newest // grain - kept:
                        panes[number] = list(vector)
                        if len(panes) > kept:
                            prune(panes, newest // grain - kept)
                elif width == _RATE:
                    into[0] += 1
                    into[1] += vector[1]
                    into[2] += vector[2]
                elif width == _SUM:
                    into[0] += 1
                    into[1] += vector[1]
                else:
                    _add(into, vector)
            for calendar, window in calendars:
                if at >= calendar.end:
                    _turn_over(calendar, window, timezone, at)
                    calendar.vector = list(vector)
                elif at >= calendar.start:
                    into = calendar.vector
                    if width == _RATE:
                        into[0] += 1
                        into[1] += vector[1]
                        into[2] += vector[2]
                    elif width == _SUM:
                        into[0] += 1
                        into[1] += vector[1]
                    else:
                        _add(into, vector)
    return newest


def _turn_over(calendar: Calendar, window: str, timezone: str, at: int) -> None:
    calendar.start, calendar.end = (-1, FOREVER) if window == "all" else calendar_bounds(window, timezone, at)


def prune(panes: dict[int, Vector], last_closed: int) -> None:
    """Drops a pane up to `last_closed`: the first to come, which mostly is the oldest, or else all of them."""
    first = next(iter(panes))
    if first <= last_closed:
        del panes[first]
        return
    for number in [number for number in panes if number <= last_closed]:
        del panes[number]


def is_over(segment: Segment, newest: int) -> bool:
    """Whether no window that an as-of at or after `newest` chooses can hold anything of a segment."""
    return all(_calendars_over(cells, newest) and not any(cells.panes) for cells in segment.groups)


def _calendars_over(cells: Cells, newest: int) -> bool:
    return all(calendar.end <= newest for calendar in cells.calendars)


def _add(into: Vector, vector: tuple[int, ...]) -> None:
    for index, number in enumerate(vector):
        into[index] += number
