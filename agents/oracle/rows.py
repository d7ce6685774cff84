"""A row is a formula over exact sums of the events at whose T the version in force at the as-of applied."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from agents.oracle.case_mix import CaseMix
from agents.oracle.log import Event
from agents.oracle.person import Assignments, Targets
from agents.oracle.rulebook import Rulebook, Version
from agents.oracle.score import Row, indicator_fields, total_fields
from agents.oracle.shifts import ShiftsAsOf
from agents.oracle.template import Indicator
from agents.oracle.windows import Window, calendar_span, rolling_span


class Person(NamedTuple):
    """One employee's events that were neither rejected, late nor duplicate, by T, and what holds for them."""

    employee: str
    events: Sequence[Event]
    assignments: Assignments
    targets: Targets


class Contribution(NamedTuple):
    """An event that counts in a row; `measures` are those that the row's formulas name, in millionths."""

    topic: str
    partition: int
    offset: int
    event_id: str
    occurred_at: int
    measures: tuple[tuple[str, int], ...]


class _Column:
    """The events of one indicator by T, with running sums, so that any span is two look-ups."""

    def __init__(self, indicator: Indicator, events: Sequence[Event], case_mix: CaseMix) -> None:
        self._times = [event.at for event in events]
        amounts = [dict(event.measures) for event in events]
        self._sums = {
            measure: list(accumulate((amount.get(measure, 0) for amount in amounts), initial=0))
            for measure in indicator.measures
        }
        self._allowances = list(accumulate(map(case_mix.allowance, events), initial=0))

    def over(self, start: float, end: float) -> tuple[int, dict[str, int], int]:
        """(number of events, sums, allowance) in [start, end), sums and allowance in millionths."""
        first, last = bisect_left(self._times, start), bisect_left(self._times, end)
        sums = {measure: sums[last] - sums[first] for measure, sums in self._sums.items()}
        return last - first, sums, self._allowances[last] - self._allowances[first]


def rows_of(person: Person, rulebook: Rulebook, as_of: int) -> Iterator[Row]:
    """The contract's rows of one person as of `as_of` (ms), times as ms.

    `sums_micro` and `allowance_micro` hold what `sums` and `allowance` do, as exact millionths.
    """
    targets = person.targets.at(as_of)
    for version in rulebook.applying(as_of, person.assignments.role(as_of)):
        counted = _Counted(person, version, rulebook)
        for window in _windows(version):
            start, columns = counted.within(window, as_of)
            if start is None:
                continue
            scored = [
                (indicator, indicator_fields(indicator, events, sums, targets, allowance))
                for indicator, events, sums, allowance in columns
            ]
            for name, fields in (*((indicator.id, fields) for indicator, fields in scored), *total_fields(scored)):
                yield {
                    "employee_id": person.employee, "template": version.template.template,
                    "version": version.template.version, "indicator": name, "window": window.text,
                    "window_start": start, "as_of": as_of, **fields,
                }  # fmt: skip


class _Counted:
    """What counts for the indicators of one version in its windows."""

    def __init__(self, person: Person, version: Version, rulebook: Rulebook) -> None:
        self._person, self._version, self._rulebook = person, version, rulebook
        self._entered = entered(person, version, rulebook)
        self._columns: dict[str, _Column] = {}

    def within(self, window: Window, as_of: int) -> tuple[int | None, list[tuple[Indicator, int, dict[str, int], int]]]:
        """(start of the window, (indicator, number of events, sums, allowance) of those that have it).

        The start is None where there is no such window: no shift.
        """
        having = [(indicator, events) for indicator, events in self._entered if window in indicator.windows]
        if window.kind != "shift":
            start, end = span(self._version, window, as_of)
            return start, [
                (indicator, *self._column(indicator, events).over(start, end)) for indicator, events in having
            ]
        shifts = ShiftsAsOf(self._person.assignments, self._rulebook.calendars, as_of)
        inside = ((indicator, self._new(indicator, shifts.inside(events))) for indicator, events in having)
        return shifts.start, [(indicator, *column.over(-math.inf, math.inf)) for indicator, column in inside]

    def _column(self, indicator: Indicator, events: Sequence[Event]) -> _Column:
        if indicator.id not in self._columns:
            self._columns[indicator.id] = self._new(indicator, events)
        return self._columns[indicator.id]

    def _new(self, indicator: Indicator, events: Sequence[Event]) -> _Column:
        return _Column(indicator, events, self._rulebook.case_mix(self._version, indicator))


def entered(person: Person, version: Version, rulebook: Rulebook) -> list[tuple[Indicator, list[Event]]]:
    """The events, by T, that count for each indicator of the version."""
    found: list[tuple[Indicator, list[Event]]] = [(indicator, []) for indicator in version.template.indicators]
    for event in person.events:
        if version in rulebook.applying(event.at, person.assignments.role(event.at)):
            for position in version.entered(event.kind):
                found[position][1].append(event)
    return found


def contributions_of(indicator: Indicator, events: Iterable[Event]) -> list[Contribution]:
    """What each of the events adds to the indicator's sums."""
    return [
        Contribution(
            event.topic, event.partition, event.offset, event.event_id, event.at,
            tuple((name, amount) for name, amount in event.measures if name in indicator.measures),
        )
        for event in events
    ]  # fmt: skip


def inside(
    person: Person, version: Version, rulebook: Rulebook, window: Window, as_of: int, events: Iterable[Event]
) -> list[Event]:
    """Those of the person's events that lie in a window of the version as of `as_of`."""
    if window.kind == "shift":
        return ShiftsAsOf(person.assignments, rulebook.calendars, as_of).inside(events)
    start, end = span(version, window, as_of)
    return [event for event in events if start <= event.at < end]


def span(version: Version, window: Window, as_of: int) -> tuple[int, float]:
    """[start, end) of a window of the version as of `as_of`, in ms; the end of `all` is infinite.

    Not of `shift`, which is another one for each unit.
    """
    if window.kind == "all":
        return version.start, math.inf
    if window.kind == "rolling":
        return rolling_span(window.minutes, as_of)
    return calendar_span(window.kind, version.template.timezone, as_of)


def _windows(version: Version) -> list[Window]:
    return list(dict.fromkeys(window for indicator in version.template.indicators for window in indicator.windows))
