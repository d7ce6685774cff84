"""Sums are kept in whole panes and calendar windows of event time; a late event enters what is still open.

A window that no as-of at or after the employee's newest event can show is not kept: it is recomputed from the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.measures import Measures
from stream.state import Cells, Landing, Segment, Vector
from stream.window import calendar_bounds

FOREVER: Final = 1 << 62


def add(landings: Sequence[Landing], measures: Measures, at: int, newest: int) -> None:
    """Adds an event at `at` to the cells where it lands; `newest` is the employee's newest scored instant (ms)."""
    vectors = measures.vectors
    for names, all_panes, calendars, timezone in landings:
        vector = vectors.get(names) or measures.vector(names)
        for panes, grain, kept in all_panes:
            number = at // grain
            into = panes.get(number)
            if into is None:
                if number > newest // grain - kept:
                    panes[number] = list(vector)
                    if len(panes) > kept:
                        prune(panes, newest // grain - kept)
            elif len(vector) == 3:  # events and two measures: a rate
                into[0] += 1
                into[1] += vector[1]
                into[2] += vector[2]
            else:
                _add(into, vector)
        for calendar, kind in calendars:
            if at >= calendar.end:
                calendar.start, calendar.end = (-1, FOREVER) if kind == "all" else calendar_bounds(kind, timezone, at)
                calendar.vector = list(vector)
            elif at >= calendar.start:
                into = calendar.vector
                if len(vector) == 3:
                    into[0] += 1
                    into[1] += vector[1]
                    into[2] += vector[2]
                else:
                    _add(into, vector)


def prune(panes: dict[int, Vector], last_closed: int) -> None:
    """Drops the panes up to `last_closed`."""
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
