"""Sums of many people at once: by pane and by calendar window, of what each did in one unit.

Sums are whole numbers, so it does not matter in which order they are added; stream/accumulate.py says what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.accumulate import add_to_calendar, prune
from stream.entering import Entering, Numbers
from stream.person import Bounds, bounds_of
from stream.state import Calendar, Cells, Vector

SLICE: Final = 512  # sums


class _Seat:
    """Events of one person in one unit that follow each other, and the cells that they land in."""

    __slots__ = ("cells", "newest", "unit")

    def __init__(self, cells: Cells, newest: int, unit: str) -> None:
        self.cells = cells
        self.newest = newest  # what panes are kept by (ms)
        self.unit = unit


def add_together(entering: Entering, newest: Sequence[int]) -> Iterator[None]:
    """Adds events to everybody's cells, after the rules have seen them, with pauses; `newest` (ms) by person."""
    who, line, group = entering.who, entering.line, entering.entered.group
    if not len(who):
        return
    change = np.ones(len(who), bool)
    change[1:] = (who[1:] != who[:-1]) | (line[1:] != line[:-1])
    begins = change.nonzero()[0]
    seats: list[_Seat] = []
    yield from _find(entering, begins, newest, seats)
    for place, (grain, kept) in enumerate(group.panes):
        yield from _into_panes(entering, change, seats, place, grain, kept)
    for place, kind in enumerate(group.calendars):
        yield from _into_calendars(entering, begins, seats, place, kind)


def _find(entering: Entering, begins: Numbers, newest: Sequence[int], seats: list[_Seat]) -> Iterator[None]:
    version, place, units = entering.entered.version, entering.entered.group.index, entering.kinds.units
    people, watched = entering.people, entering.watched
    for who, line in zip(entering.who[begins].tolist(), entering.line[begins].tolist(), strict=True):
        person = people[who]
        unit = person.unit or units[line]
        cells = person.segment(version, unit).groups[place]
        seats.append(_Seat(cells, watched[who].newest if watched else newest[who], unit))
        if len(seats) % SLICE == 0:
            yield


def _into_panes(
    entering: Entering, change: NDArray[np.bool_], seats: Sequence[_Seat], place: int, grain: int, kept: int
) -> Iterator[None]:
    numbers = entering.times // grain
    change_here = change.copy()
    change_here[1:] |= numbers[1:] != numbers[:-1]
    at = change_here.nonzero()[0]
    sums = np.add.reduceat(entering.vectors, at, axis=0).tolist()
    seat_of = (change.cumsum()[at] - 1).tolist()
    panes = [seat.cells.panes[place] for seat in seats]
    closed = [seat.newest // grain - kept for seat in seats]
    for begin in range(0, len(sums), SLICE):
        end = begin + SLICE
        _add(panes, closed, seat_of[begin:end], numbers[at[begin:end]].tolist(), sums[begin:end])
        yield
    for own, before in zip(panes, closed, strict=True):
        if len(own) > kept:
            prune(own, before)


def _add(
    panes: Sequence[dict[int, Vector]],
    closed: Sequence[int],
    seats: Sequence[int],
    numbers: Sequence[int],
    sums: Sequence[Vector],
) -> None:
    """The hottest loop here: a pane of somebody's, and what is added to it."""
    for seat, number, more in zip(seats, numbers, sums, strict=True):
        own = panes[seat]
        into = own.get(number)
        if into is not None:
            for index, each in enumerate(more):
                into[index] += each
        elif number > closed[seat]:
            own[number] = more


def _into_calendars(
    entering: Entering, begins: Numbers, seats: Sequence[_Seat], place: int, kind: str
) -> Iterator[None]:
    calendars, bounds = entering.people[0].rules.calendars, bounds_of(kind, entering.entered.version.timezone)
    ends = np.append(begins[1:], len(entering.times))
    sums = np.add.reduceat(entering.vectors, begins, axis=0).tolist()
    first, last = entering.times[begins].tolist(), entering.times[ends - 1].tolist()
    for number, (seat, total) in enumerate(zip(seats, sums, strict=True)):
        calendar = seat.cells.calendars[place]
        own = partial(calendars.shift, seat.unit) if kind == "shift" else bounds
        if not _whole(calendar, own, first[number], last[number], total):
            rows = slice(begins[number], ends[number])
            add_to_calendar(calendar, own, entering.vectors[rows].tolist(), entering.times[rows].tolist())
        if number % SLICE == SLICE - 1:
            yield


def _whole(calendar: Calendar, bounds: Bounds, first: int, last: int, total: Vector) -> bool:
    """Adds events from `first` to `last` (ms) where they lie in one window; whether they do."""
    if first >= calendar.end:
        window = bounds(first)
        if window is None or last >= window[1]:
            return False
        calendar.start, calendar.end = window
        calendar.vector = total
        return True
    if last >= calendar.end or first < calendar.start:
        return False
    into = calendar.vector
    for index, each in enumerate(total):
        into[index] += each
    return True
