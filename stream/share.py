"""What somebody brings to the rules of units: sums of the windows that these look at, and alerts that drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.shares import Share
from schemas.updates import OpenAlert, Pool
from stream.chosen import pooled_by
from stream.person import Person
from stream.plan import Slot, plan_of
from stream.rulebook import Rulebook, Version
from stream.score import segment_change, version_of, window_vector
from stream.standing import told_alerts
from stream.state import NEVER, Segment, State, Vector, assignment_at, has_alert
from stream.unit_rules import looked_at
from stream.watch_plan import Gap, drifts


def unit_of(state: State, as_of: int) -> str:
    """Where somebody belongs: their assignment's unit, without one a unit that they worked in."""
    return assignment_at(state.assignments, as_of)[1] or max((s.unit for s in state.segments), default="")


class _Looked(NamedTuple):
    """A version in force whose sums rules of units look at, in some slots; and where windows begin, by unit, as of."""

    version: Version
    slots: list[tuple[int, Slot]]
    starts: dict[tuple[str, int], list[int]]


class Minute:
    """The end of a minute (ms), under some rules: everybody's share as of it, and until when it stays so."""

    def __init__(self, rules: Rulebook, at: int) -> None:
        self._rules = rules
        self._at = at
        self._looked: dict[tuple[str, int], _Looked | None] = {}

    def share(self, person: Person) -> Share:
        """Sums are those of all versions in force, also of roles that they have left: they stay with the unit.

        Of somebody who is ahead of the minute they are as of the newest event: a state holds no earlier ones.
        """
        as_of = max(self._at, person.state.newest)
        pools = [
            Pool(
                segment.unit,
                *looked.version.key,
                self._starts(looked, segment.unit, as_of),
                self._vectors(looked, segment, as_of),
            )
            for segment in person.state.segments
            if segment.unit and (looked := self._of(segment)) is not None
        ]
        assessed = {version.key for version in person.versions_at(self._at)}
        left = sorted({(pool.template, pool.version) for pool in pools} - assessed)
        alerts = list(_alerts(person)) if has_alert(person.state) else []
        return Share(unit_of(person.state, self._at), pools, alerts, left)

    def due(self, person: Person) -> int:
        """When time alone next changes the share (ms). NEVER: never."""
        role, _, _, until = assignment_at(person.state.assignments, self._at)
        due = min(until, self._rules.regime(role, self._at).ends, NEVER)
        for segment in person.state.segments:
            looked = self._of(segment)
            if looked is not None:
                due = min(due, segment_change(segment, (slot for _, slot in looked.slots), self._at))
        return due

    def _of(self, segment: Segment) -> _Looked | None:
        key = segment.template, segment.version
        if key not in self._looked:
            version = version_of(segment, self._rules, self._at)
            places = looked_at(version) if version is not None else frozenset()
            if version is None or not places:
                self._looked[key] = None
            else:
                slots = [(place, slot) for place, slot in enumerate(plan_of(version).slots) if place in places]
                self._looked[key] = _Looked(version, slots, {})
        return self._looked[key]

    def _starts(self, looked: _Looked, unit: str, as_of: int) -> list[int]:
        found = looked.starts.get((unit, as_of))
        if found is None:
            shift = self._rules.calendars.begins(unit, as_of)
            slots = plan_of(looked.version).slots
            found = [pooled_by(slot.window, looked.version, as_of, shift) for slot in slots]
            looked.starts[unit, as_of] = found
        return found

    def _vectors(self, looked: _Looked, segment: Segment, as_of: int) -> list[Vector]:
        found: list[Vector] = [[] for _ in plan_of(looked.version).slots]
        for place, slot in looked.slots:
            found[place] = window_vector(segment.groups[slot.group], slot, as_of)
        return found


def _alerts(person: Person) -> Iterator[OpenAlert]:
    return (alert for rule, alert in told_alerts(person) if isinstance(rule, Gap) or drifts(rule))
