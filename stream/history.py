"""The past of one employee from the events themselves: any as-of, and which events make a score.

`History` is what a replay of the log leaves: assignments, targets and every event that ended held, unused or
scored. Its sums equal those of the state wherever the state has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.alerts import AlertRow
from schemas.event import Event
from schemas.rows import ScoreRow
from stream.calendars import FOREVER, Shift
from stream.person import Person
from stream.plan import plan_of
from stream.rulebook import Entry, Group, Version
from stream.score import home_shift, version_rows, versions_for
from stream.state import Vector, assignment_at, home_at, target_values
from stream.window import Window, calendar_bounds, rolling_bounds

NOTHING: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class History:
    """A person as the log knows them: the business and qc events that count or wait, every change of an alert."""

    person: Person
    events: Sequence[Event]
    alerts: Sequence[AlertRow] = ()

    def newest(self) -> int:
        """The newest scored instant, -1 when nothing was scored."""
        return self.person.state.newest


class Counts(NamedTuple):
    """An event that counts, and how it enters its group."""

    event: Event
    entry: Entry


def history_rows(history: History, as_of: int) -> list[ScoreRow]:
    """All rows as of any instant."""
    person = history.person
    targets, shift = target_values(person.state, as_of), home_shift(person.state, person.rules, as_of)
    rows: list[ScoreRow] = []
    for version in versions_for(person.state, person.rules, as_of):
        vectors = [
            _sum(version.groups[slot.group], counted(history, version, version.groups[slot.group], slot.window, as_of))
            for slot in plan_of(version).slots
        ]
        rows.extend(version_rows(person.id, version, vectors, targets, as_of, shift))
    return rows


def counted(history: History, version: Version, group: Group, window: Window, as_of: int) -> Iterator[Counts]:
    """The events in a window of a version, in the order of the log per topic, each with how it enters."""
    state, rules = history.person.state, history.person.rules
    low, high = version.begins, version.ends
    if window.kind != "shift":
        low, high = window_bounds(window, version, as_of, None)
    elif rules.calendars.shift(home_at(state, as_of), as_of) is None:
        return  # there is no row then
    for event in history.events:
        if low <= event.occurred_at < high and group.matches(event.type, event.dims.values):
            role, unit, _, _ = assignment_at(state.assignments, event.occurred_at)
            if window.kind == "shift":
                shift = rules.calendars.shift(unit or event.dims.values.get("line", ""), as_of)
                first, after = window_bounds(window, version, as_of, shift)
                if not first <= event.occurred_at < after:
                    continue
            regime = rules.regime(role, event.occurred_at)
            for entry in regime.action(event.type, event.dims).entries:
                if entry.version is version and entry.group is group:
                    yield Counts(event, entry)


def window_bounds(window: Window, version: Version, as_of: int, shift: Shift | None) -> tuple[int, int]:
    """[from, until) of the occurred_at that a window as of an instant holds under a version; `shift`: of its unit."""
    if window.kind == "rolling":
        low, high = rolling_bounds(window, as_of)
    elif window.kind == "all":
        low, high = version.begins, FOREVER
    elif window.kind == "shift":
        low, high = shift or NOTHING
    else:
        low, high = calendar_bounds(window.kind, version.timezone, as_of)
    return max(low, version.begins), min(high, version.ends)


def _sum(group: Group, events: Iterator[Counts]) -> Vector:
    total = [0] * (1 + len(group.names))
    for event, entry in events:
        for index, number in enumerate(event.measures.vector(entry.key)):
            total[index] += number
    return total
