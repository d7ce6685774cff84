"""What somebody brings to the rules of units: sums of the windows that these look at, and alerts that drift."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.shares import Share
from schemas.updates import OpenAlert, Pool
from stream.chosen import pooled_by
from stream.person import Person
from stream.plan import plan_of
from stream.rulebook import Version
from stream.score import version_of, window_vector
from stream.standing import told_alerts
from stream.state import Segment, State, Vector, assignment_at
from stream.unit_rules import looked_at
from stream.watch_plan import Drift, Ewma, Gap


def unit_of(state: State, as_of: int) -> str:
    """Where somebody belongs: their assignment's unit, without one a unit that they worked in."""
    return assignment_at(state.assignments, as_of)[1] or max((s.unit for s in state.segments), default="")


def share(person: Person, as_of: int) -> Share:
    """The share as of the end of a minute (ms)."""
    pools = list(_pools(person, as_of))
    assessed = {version.key for version in person.versions_at(as_of)}
    left = sorted({(pool.template, pool.version) for pool in pools} - assessed)
    return Share(unit_of(person.state, as_of), pools, list(_alerts(person)), left)


def _pools(person: Person, as_of: int) -> Iterator[Pool]:
    """Of all versions in force, also of roles that they have left: what was done stays with the unit."""
    for segment in person.state.segments:
        version = version_of(segment, person.rules, as_of)
        if segment.unit and version is not None and (slots := looked_at(version)):
            shift = person.rules.calendars.begins(segment.unit, as_of)
            starts = [pooled_by(slot.window, version, as_of, shift) for slot in plan_of(version).slots]
            yield Pool(segment.unit, *version.key, starts, _vectors(segment, version, slots, as_of))


def _vectors(segment: Segment, version: Version, slots: frozenset[int], as_of: int) -> list[Vector]:
    return [
        window_vector(segment.groups[slot.group], slot, as_of) if place in slots else []
        for place, slot in enumerate(plan_of(version).slots)
    ]


def _alerts(person: Person) -> Iterator[OpenAlert]:
    return (alert for rule, alert in told_alerts(person) if isinstance(rule, Drift | Ewma | Gap))
