"""Which shifts are over, and what they must come to: reckoned from the oracle's events, calendars and rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agents.oracle.log import Event
from agents.oracle.recompute import Recomputed
from agents.oracle.rows import Person, entered
from agents.oracle.rulebook import Version
from agents.oracle.score import Row
from agents.oracle.shifts import Calendars, Span
from stream.unit_tree import UnitTree
from tests.agents.shifted import rows_in

NEVER = float("inf")
Window = tuple[str, str, str, str, int, int]  # subject kind, subject, template, window, start, end


def touched(oracle: Recomputed, tree: UnitTree, until: int) -> Iterator[Window]:
    """The shifts of people and units that were over by `until` (ms), in which something counted."""
    for name, person in oracle._people.items():
        for version, unit, shift in _worked(oracle, person):
            template = version.template.template
            for start, end in _ending_in(oracle._rulebook.calendars, person, shift, until):
                if _is_of(version, end):
                    yield "employee", name, template, "shift", start, end
            for above, end in _pooling(oracle._rulebook.calendars, tree, unit, shift, until):
                if _is_of(version, end):
                    yield "unit", above, template, "shift", int(shift[0]), end


def unit_rows(oracle: Recomputed, unit: str, start: int, end: int, tree: UnitTree) -> Iterator[Row]:
    """The rows of a unit's shift as of its last millisecond, of all units below it whose shift began with it."""
    below, at = tree.subtree(unit, end - 1), end - 1
    shifts = {name: oracle._rulebook.calendars.shift(name, at) for name in below}
    spans = {name: span for name, span in shifts.items() if span is not None and span[0] == start and span[1] != NEVER}
    for version in oracle._rulebook.versions:
        if version.start <= at and (version.end is None or at < version.end):
            counted: dict[Any, list[Event]] = {
                one: [] for one in version.template.indicators if any(window.kind == "shift" for window in one.windows)
            }
            for person in oracle._people.values():
                for indicator, events in entered(person, version, oracle._rulebook):
                    if indicator in counted:
                        counted[indicator] += [event for event in events if _is_in(spans, person, event)]
            yield from rows_in(oracle, version, unit, list(counted.items()), start, at, {})


def exists(oracle: Recomputed, kind: str, subject: str, _: str, window: str, start: int, end: int) -> bool:
    """Whether there is such a window for a subject: another calendar makes other shifts."""
    home = oracle._people[subject].assignments.unit(end - 1) if kind == "employee" else subject
    return window != "shift" or oracle._rulebook.calendars.shift(home, end - 1) == (start, end)


def _is_in(spans: dict[str, Span], person: Person, event: Event) -> bool:
    span = spans.get(person.assignments.unit_of(event))
    return span is not None and span[0] <= event.at < span[1]


def _worked(oracle: Recomputed, person: Person) -> Iterator[tuple[Version, str, Span]]:
    """The shifts of units in which somebody did something that counted for an indicator with such a window."""
    for version in oracle._rulebook.versions:
        for indicator, events in entered(person, version, oracle._rulebook):
            for event in events if any(window.kind == "shift" for window in indicator.windows) else ():
                unit = person.assignments.unit_of(event)
                shift = oracle._rulebook.calendars.shift(unit, event.at)
                if shift is not None:
                    yield version, unit, shift


def _ending_in(calendars: Calendars, person: Person, shift: Span, until: int) -> Iterator[tuple[int, int]]:
    """The person's own shifts of which the last millisecond lies in a shift of a unit: of whichever home they had."""
    for home in {"", *(dict(e.kind.dims).get("unit", "") for e in person.events if e.kind.type == "people.assignment")}:
        at: float = shift[0]
        while at < min(shift[1], until):
            own = calendars.shift(home, int(at))
            if own is None:
                at = min((since for since, _ in calendars.reigns(home) if since > at), default=NEVER)
                continue
            at = own[1]
            if at <= min(shift[1], until) and person.assignments.unit(int(at) - 1) == home:
                yield own[0], int(at)


def _pooling(calendars: Calendars, tree: UnitTree, unit: str, shift: Span, until: int) -> Iterator[tuple[str, int]]:
    """The units, and the ends of their shifts, in which the shift of a unit counts, all that count being over."""
    for name in {unit, *tree.units} if unit and shift[1] <= until else ():
        own = calendars.shift(name, int(shift[0]))
        if own is None or own[0] != shift[0] or own[1] > shift[1]:
            continue
        below = tree.subtree(name, int(own[1]) - 1)
        others = (calendars.shift(one, int(own[1]) - 1) for one in below)
        waits = any(one is not None and one[0] == own[0] and until < one[1] < NEVER for one in others)
        if unit in below and not waits:
            yield name, int(own[1])


def _is_of(version: Version, end: int) -> bool:
    """Whether a version is in force at the last millisecond of a window."""
    return version.start < end and (version.end is None or end <= version.end)
