"""What rows and rules of shifts must be: reckoned by hand, from the oracle's events and calendars as they were said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from agents.oracle.log import Event
from agents.oracle.recompute import Recomputed
from agents.oracle.rows import Person, entered
from agents.oracle.rulebook import Version
from agents.oracle.score import Row, indicator_fields, total_fields
from schemas.instants import format_rfc3339
from tests.stream import shift_reference as by_hand

Shift = tuple[int, int | None] | None
Find = Callable[[str, int], Shift]


class Naive(NamedTuple):
    """An alert of a rule `naive` in a shift."""

    raising: str
    window_start: str
    value: float
    cleared_at: str | None


def finder(calendars: Sequence[by_hand.Text]) -> Find:
    """What says when the shift of a unit at an instant is; each question reckoned once."""

    @cache
    def find(unit: str, at: int) -> Shift:
        return by_hand.shift(list(calendars), unit, at)

    return find


def _within(find: Find, unit: str, at: int, event: Event) -> bool:
    shift = find(unit, at)
    return shift is not None and shift[0] <= event.at and (shift[1] is None or event.at < shift[1])


def _home(person: Person, at: int) -> str:
    return person.assignments._in_force(at).get("unit", "")


def _versions(oracle: Recomputed, person: Person, at: int) -> Iterator[Version]:
    yield from oracle._rulebook.applying(at, person.assignments.role(at))


def person_rows(oracle: Recomputed, find: Find, at: int) -> Iterator[Row]:
    """The rows of everybody's shifts as of an instant (ms)."""
    for name, person in oracle._people.items():
        shift = find(_home(person, at), at)
        for version in _versions(oracle, person, at) if shift is not None else ():
            counted = [
                (indicator, [e for e in events if _within(find, person.assignments.unit_of(e), at, e)])
                for indicator, events in entered(person, version, oracle._rulebook)
                if any(window.kind == "shift" for window in indicator.windows)
            ]
            assert shift is not None
            yield from rows_in(oracle, version, name, counted, shift[0], at, person.targets.at(at))


def unit_rows(oracle: Recomputed, find: Find, unit: str, at: int) -> Iterator[Row]:
    """The rows of a unit's shift, whoever worked in it."""
    shift = find(unit, at)
    for version in oracle._rulebook._versions if shift is not None else ():
        if version.start <= at and (version.end is None or at < version.end):
            counted: dict[Any, list[Event]] = {
                i: [] for i in version.template.indicators if any(window.kind == "shift" for window in i.windows)
            }
            for person in oracle._people.values():
                for indicator, events in entered(person, version, oracle._rulebook):
                    own = [e for e in events if person.assignments.unit_of(e) == unit and _within(find, unit, at, e)]
                    if indicator in counted:
                        counted[indicator] += own
            assert shift is not None
            yield from rows_in(oracle, version, unit, list(counted.items()), shift[0], at, {})


def rows_in(
    oracle: Recomputed, version: Version, owner: str, counted: Any, start: int, at: int, targets: Any
) -> Iterator[Row]:
    """The rows of a shift from what is counted for each indicator in it."""
    scored = []
    for indicator, events in counted:
        sums = {name: sum(dict(e.measures).get(name, 0) for e in events) for name in indicator.measures}
        allowed = sum(map(oracle._rulebook.case_mix(version, indicator).allowance, events))
        scored.append((indicator, indicator_fields(indicator, len(events), sums, targets, allowed)))
    for name, fields in (*((i.id, fields) for i, fields in scored), *(total_fields(scored) if scored else ())):
        yield {
            "employee_id": owner, "template": version.template.template, "version": version.template.version,
            "indicator": name, "window": "shift", "window_start": start, "as_of": at, **fields,
        }  # fmt: skip


def naive_alerts(oracle: Recomputed, find: Find, employee: str, indicator: str, limit: float) -> list[Naive]:
    """The alerts of `{naive: limit, window: shift}` of a rate accepted / inspected."""
    person, found = oracle._people[employee], list[Naive]()
    for version in oracle._rulebook._versions:
        entries = next(events for i, events in entered(person, version, oracle._rulebook) if i.id == indicator)
        so_far, newest, raised = list[Event](), -1, None
        for event in sorted(entries, key=lambda e: e.offset):
            so_far.append(event)
            if event.at < newest:
                continue
            newest, at = event.at, event.at
            shift = find(_home(person, at), at)
            inside = [dict(e.measures) for e in so_far if _within(find, person.assignments.unit_of(e), at, e)]
            n, good = (sum(m.get(name, 0) for m in inside) for name in ("inspected", "accepted"))
            value = (good / 1e6) / (n / 1e6) if shift is not None and n else None
            holds = value is not None and value < limit
            if raised is not None and not holds:
                found.append(raised._replace(cleared_at=format_rfc3339(event.logged_at)))
                raised = None
            elif raised is None and holds:
                assert shift is not None
                assert value is not None
                raised = Naive(event.event_id, format_rfc3339(shift[0]), value, None)
        if raised is not None:
            found.append(raised)
    return found
