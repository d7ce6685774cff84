"""What a screen needs of one employee: rows, the trend of rates, and what goes into the pools of units."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from operator import add
from typing import Final

from schemas.measures import MICRO
from schemas.rows import NO_DATA, ScoreRow
from schemas.updates import Pool, ScoreUpdate
from stream.chosen import pooled_by, rfc3339
from stream.person import Person
from stream.plan import Evaluate, plan_of
from stream.rulebook import Version
from stream.score import add_up, home_shift, slot_vectors, version_of, version_rows, versions_for
from stream.share import unit_of
from stream.standing import watched_now
from stream.state import Segment, Vector, target_values
from stream.window import rolling_bounds

POINTS: Final = 12  # of a trend


def score_update(person: Person, as_of: int) -> ScoreUpdate:
    """The latest values of an employee. Totals without points are left out: a screen shows nothing for them."""
    state = person.state
    targets, shift = target_values(state, as_of), home_shift(state, person.rules, as_of)
    begins = person.rules.calendars.begins
    rows: list[ScoreRow] = []
    trends: dict[str, list[tuple[int, float, float]]] = {}
    pools: list[Pool] = []
    versions = versions_for(state, person.rules, as_of)
    for version in versions:
        segments = [s for s in state.segments if (s.template, s.version) == version.key]
        contributions = [slot_vectors(segment, version, as_of) for segment in segments]
        vectors = contributions[0] if len(contributions) == 1 else add_up(version, contributions)
        rows.extend(
            row
            for row in version_rows(person.id, version, vectors, targets, as_of, shift)
            if row.status != NO_DATA or not row.indicator.startswith("@")
        )
        trends.update(rate_trends(version, segments, as_of))
        pools.extend(
            Pool(segment.unit, *version.key, slot_starts(version, as_of, begins(segment.unit, as_of)), own)
            for segment, own in zip(segments, contributions, strict=True)
            if segment.unit
        )
    pools.extend(_left_behind(person, versions, as_of))
    unit = unit_of(state, as_of)
    newest = rfc3339(state.newest) if state.newest >= 0 else None
    drifts, alerts = watched_now(person)
    named = {name: targets[name] for version in versions for name in targets_of(version) if name in targets}
    return ScoreUpdate(person.id, unit, rfc3339(as_of), newest, trends, pools, drifts, alerts, rows, named)


def _left_behind(person: Person, versions: Collection[Version], as_of: int) -> Iterator[Pool]:
    """What somebody did in a role that they have left: it stays with the unit where it was done."""
    for segment in person.state.segments:
        version = version_of(segment, person.rules, as_of)
        if segment.unit and version is not None and version not in versions:
            shift = person.rules.calendars.begins(segment.unit, as_of)
            starts = slot_starts(version, as_of, shift)
            yield Pool(segment.unit, *version.key, starts, slot_vectors(segment, version, as_of))


@lru_cache(maxsize=4096)
def targets_of(version: Version) -> tuple[str, ...]:
    """The personal targets that a version's formulas name."""
    formulas = [(one.value, one.rate_good, one.rate_of, one.points) for one in version.template.indicators]
    return tuple(dict.fromkeys(name for own in formulas for each in own if each is not None for name in each.targets))


@lru_cache(maxsize=4096)
def slot_starts(version: Version, as_of: int, shift: int) -> list[int]:
    """Where each slot's window starts (ms), the unit's shift at `shift`; 0 where it slides or never ends."""
    return [pooled_by(slot.window, version, as_of, shift) for slot in plan_of(version).slots]


def rate_trends(version: Version, segments: list[Segment], as_of: int) -> dict[str, list[tuple[int, float, float]]]:
    """Per rolling rate at most POINTS + 1 of (start ms, n, good), oldest first.

    Each covers whole panes and starts at a multiple of its length, so that members' trends can be added up.
    """
    plan = plan_of(version)
    found: dict[str, list[tuple[int, float, float]]] = {}
    for line in plan.lines:
        if line.window.kind == "rolling" and line.of is not None and line.good is not None:
            slot, grain = plan.slots[line.slot], line.window.grain
            low, high = rolling_bounds(line.window, as_of)
            first, last = -(-low // grain), high // grain
            width = -(-(last - first) // POINTS)  # panes in a point
            inside = [
                (number // width, vector)
                for segment in segments
                for number, vector in segment.groups[slot.group].panes[slot.place].items()
                if first <= number < last
            ]
            points = _points(inside, *line.rate) if line.rate else _formula_points(inside, line.of, line.good)
            name = f"{version.template.template}/{line.indicator.id}/{line.window.text}"
            found[name] = [(place * width * grain, n, good) for place, n, good in points]
    return found


def _points(inside: Sequence[tuple[int, Vector]], of: int, good: int) -> list[tuple[int, float, float]]:
    """(place, n, good) from vectors with the place where each belongs; two of their numbers are n and good."""
    sums: dict[int, list[int]] = {}
    for place, vector in inside:
        total = sums.get(place)
        if total is None:
            sums[place] = [vector[of], vector[good]]
        else:
            total[0] += vector[of]
            total[1] += vector[good]
    return [(place, n / MICRO, accepted / MICRO) for place, (n, accepted) in sorted(sums.items())]


def _formula_points(
    inside: Sequence[tuple[int, Vector]], of: Evaluate, good: Evaluate
) -> list[tuple[int, float, float]]:
    """The same where formulas say n and good."""
    sums: dict[int, Vector] = {}
    for place, vector in inside:
        total = sums.get(place)
        sums[place] = vector if total is None else list(map(add, total, vector))
    points = []
    for place, total in sorted(sums.items()):
        units = [micro / MICRO for micro in total[1:]]
        n, accepted = of(units, {}), good(units, {})
        if n is not None and accepted is not None:
            points.append((place, n, accepted))
    return points
