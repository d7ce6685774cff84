"""Sums are kept in whole panes and calendar windows of event time; a late event enters what is still open.

A window that no as-of at or after the employee's newest event can show is not kept: it is recomputed from the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.measures import Measures
from stream.person import Bounds, Landing
from stream.state import Calendar, Cells, Segment, Vector

_SUM: Final = 2  # events and a measure
_RATE: Final = 3  # events and two measures


def add(landings: Sequence[Landing], measures: Measures, at: int, newest: int) -> None:
    """Adds an event at `at` to the cells where it lands; `newest` is the employee's newest scored instant (ms)."""
    _add_to(landings, (measures,), (at,), newest)


def add_all(
    bound: Mapping[int, Sequence[Landing]],
    kinds: Sequence[int],
    measures: Sequence[Measures],
    times: Sequence[int],
    newest: int,
) -> int:
    """Adds events of one employee, given as columns, times ascending; the newest scored instant (ms) after them.

    `bound` says where each kind lands. Sums do not depend on order, so what lands in the same cells goes together.
    """
    newest = max(newest, times[-1])
    if kinds.count(kinds[0]) == len(kinds):
        _add_to(bound[kinds[0]], measures, times, newest)
        return newest
    together: dict[int, tuple[Sequence[Landing], list[Measures], list[int]]] = {}
    for kind, measured, at in zip(kinds, measures, times, strict=True):
        landings = bound[kind]
        own = together.get(id(landings))
        if own is None:
            together[id(landings)] = (landings, [measured], [at])
        else:
            own[1].append(measured)
            own[2].append(at)
    for landings, all_measured, instants in together.values():
        _add_to(landings, all_measured, instants, newest)
    return newest


def _add_to(landings: Sequence[Landing], measures: Sequence[Measures], times: Sequence[int], newest: int) -> None:
    for names, all_panes, calendars, watched in landings:
        vectors = [measured.vectors.get(names) or measured.vector(names) for measured in measures]
        own = newest if watched is None else watched.newest
        for panes, grain, kept in all_panes:
            _add_to_panes(panes, grain, own // grain, kept, vectors, times)
        for calendar, bounds in calendars:
            if calendar.start <= times[0] and times[-1] < calendar.end:
                into = calendar.vector
                for index, column in enumerate(zip(*vectors, strict=True)):
                    into[index] += sum(column)
            else:
                add_to_calendar(calendar, bounds, vectors, times)


def _add_to_panes(
    panes: dict[int, Vector],
    grain: int,
    newest: int,
    kept: int,
    vectors: Sequence[Sequence[int]],
    times: Sequence[int],
) -> None:
    """The hottest loop of the core: a sum of one measure and a rate, of two, are written out.

    `newest` is the number of the newest pane; windows show it and those before it, `kept` in all.
    """
    width, last = len(vectors[0]), None
    into: Vector = []
    for at, vector in zip(times, vectors, strict=True):
        number = at // grain
        if number != last:
            last = number
            into = panes.get(number) or _new_pane(panes, number, newest, kept, width)
        if width == _RATE:
            into[0] += 1
            into[1] += vector[1]
            into[2] += vector[2]
        elif width == _SUM:
            into[0] += 1
            into[1] += vector[1]
        else:
            _add(into, vector)


def _new_pane(panes: dict[int, Vector], number: int, newest: int, kept: int, width: int) -> Vector:
    """A pane to add to; one that no window can show any more is not kept."""
    new = [0] * width
    if number > newest - kept:
        panes[number] = new
        if len(panes) > kept:
            prune(panes, newest - kept)
    return new


def prune(panes: dict[int, Vector], closed: int) -> None:
    """Drops the panes up to the number `closed`, of which there are more; mostly they are the first ones to come."""
    while (first := next(iter(panes))) <= closed:  # the newest of all is not
        del panes[first]
    for number in [number for number in panes if number <= closed]:
        del panes[number]


def add_to_calendar(calendar: Calendar, bounds: Bounds, vectors: Sequence[Sequence[int]], times: Sequence[int]) -> None:
    """Event by event: the newest calendar window may be another one after each. What is in none is not kept."""
    for at, vector in zip(times, vectors, strict=True):
        if at >= calendar.end:
            window = bounds(at)
            if window is not None:
                calendar.start, calendar.end = window
                calendar.vector = list(vector)
        elif at >= calendar.start:
            _add(calendar.vector, vector)


def is_over(segment: Segment, newest: int) -> bool:
    """Whether no window that an as-of at or after `newest` chooses can hold anything of a segment."""
    return all(_calendars_over(cells, newest) and not any(cells.panes) for cells in segment.groups)


def _calendars_over(cells: Cells, newest: int) -> bool:
    return all(calendar.end <= newest for calendar in cells.calendars)


def _add(into: Vector, vector: Sequence[int]) -> None:
    for index, number in enumerate(vector):
        into[index] += number
