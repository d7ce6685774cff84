"""Sums are kept in whole panes and calendar windows of event time; a late event enters what is still open.

A window that no as-of at or after the employee's newest event can show is not kept: it is recomputed from the log.
"""

from __future__ import annotations

from schemas.event import Event
from stream.state import Bound, Vector
from stream.window import calendar_bounds

FOREVER = 1 << 62


def add(bound: Bound, event: Event, newest: int) -> None:
    """Adds an event's measures to the cells of its groups; `newest` is the employee's newest scored instant."""
    at = event.occurred_at
    vectors = event.measures.vectors
    for names, group, timezone, cells in bound.entries:
        vector = vectors.get(names) or event.measures.vector(names)
        for panes, (grain, kept) in zip(cells.panes, group.panes, strict=True):
            number = at // grain
            pane = panes.get(number)
            if pane is not None:
                _add(pane, vector)
            elif number > newest // grain - kept:
                panes[number] = list(vector)
                if len(panes) > kept:
                    prune(panes, max(newest, at) // grain - kept)
        for calendar, kind in zip(cells.calendars, group.calendars, strict=True):
            if calendar.start <= at < calendar.end:
                _add(calendar.vector, vector)
            elif at >= calendar.end:
                bounds = (-1, FOREVER) if kind == "all" else calendar_bounds(kind, timezone, at)
                calendar.start, calendar.end = bounds
                calendar.vector = list(vector)


def prune(panes: dict[int, Vector], last_closed: int) -> None:
    """Drops the panes up to `last_closed`."""
    for number in [number for number in panes if number <= last_closed]:
        del panes[number]


def _add(into: Vector, vector: tuple[int, ...]) -> None:
    if len(vector) == 3:  # events and two measures: a rate
        into[0] += 1
        into[1] += vector[1]
        into[2] += vector[2]
    elif len(vector) == 2:
        into[0] += 1
        into[1] += vector[1]
    else:
        for index, number in enumerate(vector):
            into[index] += number
