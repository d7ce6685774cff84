"""From sums to rows: values, points, intervals, statuses, totals (contract, section 4). As-of chooses the window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from schemas.instants import MINUTE
from schemas.measures import MICRO
from schemas.rows import DIMENSIONS, INSUFFICIENT, NO_DATA, OK, TOTALS, Number, ScoreRow, whole
from stream.calendars import NO_SHIFT
from stream.chosen import rfc3339, window_start
from stream.interval import wilson
from stream.lifecycle import due as alerts_due
from stream.person import Person
from stream.plan import Line, Slot, counted, plan_of
from stream.rulebook import Rulebook, Version
from stream.silence import due as silence_due
from stream.state import NEVER, Cells, Segment, State, Vector, assignment_at, has_rows, home_at, target_values
from stream.window import rolling_bounds

NO_INTERVAL: Final = (None, None)
NO_TICK: Final = -1


def score_rows(person: Person, as_of: int) -> list[ScoreRow]:
    """The employee's rows as of an instant at or after the newest scored event."""
    state = person.state
    targets, shift = target_values(state, as_of), home_shift(state, person.rules, as_of)
    rows: list[ScoreRow] = []
    for version in versions_for(state, person.rules, as_of):
        vectors = pooled(state.segments, version, as_of)
        rows.extend(version_rows(person.id, version, vectors, targets, as_of, shift))
    return rows


def home_shift(state: State, rules: Rulebook, as_of: int) -> int:
    """When the shift of the unit that somebody belongs to began, NO_SHIFT where there is none, or none is looked at."""
    return rules.calendars.begins(home_at(state, as_of), as_of) if rules.by_shift else NO_SHIFT


def versions_for(state: State, rules: Rulebook, as_of: int) -> tuple[Version, ...]:
    """The versions that assess the employee at an instant; none for somebody of whom no record counts or waits."""
    if not has_rows(state):
        return ()
    role = assignment_at(state.assignments, as_of)[0]
    return rules.regime(role, as_of).versions


def version_of(segment: Segment, rules: Rulebook, as_of: int) -> Version | None:
    """The version that a segment's sums are of, None when it is not in force at an instant."""
    version = rules.in_force(segment.template, as_of)
    return version if version is not None and version.template.version == segment.version else None


def pooled(segments: Sequence[Segment], version: Version, as_of: int) -> list[Vector]:
    """The sums of a version's slots over an employee's units."""
    found = [slot_vectors(s, version, as_of) for s in segments if (s.template, s.version) == version.key]
    if len(found) == 1:
        return found[0]
    return add_up(version, found)


def add_up(version: Version, contributions: Sequence[Sequence[Vector]]) -> list[Vector]:
    """Slot by slot sums of contributions; zeros without any."""
    plan = plan_of(version)
    totals = [[0] * slot.width for slot in plan.slots]
    for contribution in contributions:
        for total, vector in zip(totals, contribution, strict=True):
            for index, number in enumerate(vector):
                total[index] += number
    return totals


def slot_vectors(segment: Segment, version: Version, as_of: int) -> list[Vector]:
    """The sums of each slot of a version in one segment as of an instant."""
    return [window_vector(segment.groups[slot.group], slot, as_of) for slot in plan_of(version).slots]


def window_vector(cells: Cells, slot: Slot, as_of: int) -> Vector:
    """The sums of a group in the window that an as-of chooses."""
    window = slot.window
    if window.kind == "rolling":
        low, high = rolling_bounds(window, as_of)
        first, last = -(-low // window.grain), high // window.grain
        inside = [vector for number, vector in cells.panes[slot.place].items() if first <= number < last]
        if len(inside) > 1:
            return [sum(column) for column in zip(*inside, strict=True)]
        return inside[0] if inside else [0] * slot.width
    calendar = cells.calendars[slot.place]
    if calendar.start <= as_of < calendar.end:
        return calendar.vector
    return [0] * slot.width


def version_rows(
    owner: str,
    version: Version,
    vectors: Sequence[Vector],
    targets: Mapping[str, float],
    as_of: int,
    shift: int,
    only: str | None = None,
) -> list[ScoreRow]:
    """Rows of one template version from its slots' sums, totals last; of all its windows, or `only` one.

    Of a shift where there is one: where it begins, in ms.
    """
    plan = plan_of(version)
    name, number = version.key
    at, starts = _heads(version, as_of, shift)
    weighted: dict[str, list[tuple[str, float, float]]] = {text: [] for text in starts if only in (None, text)}
    rows = []
    for line in plan.lines:
        text = line.window.text
        if text not in weighted:
            continue
        row = _row(owner, name, number, line, starts[text], at, vectors[line.slot], targets)
        if row.points is not None:
            weighted[text].append((line.indicator.dimension, line.indicator.weight, row.points))
        rows.append(row)
    for text, parts in weighted.items():
        for total, any_points, score in _totals(parts):
            status, start = OK if any_points else NO_DATA, starts[text]
            rows.append(
                ScoreRow(owner, name, number, total, text, start, at, status, score, score, None, None, None, None, {})
            )
    return rows


@lru_cache(maxsize=4096)
def _heads(version: Version, as_of: int, shift: int) -> tuple[str, dict[str, str]]:
    """The as-of and where each window that there is starts, as rows show them."""
    windows = [window for window in plan_of(version).windows if window.kind != "shift" or shift != NO_SHIFT]
    return rfc3339(as_of), {window.text: rfc3339(window_start(window, version, as_of, shift)) for window in windows}


def _row(
    owner: str,
    template: str,
    version: int,
    line: Line,
    start: str,
    at: str,
    vector: Vector,
    targets: Mapping[str, float],
) -> ScoreRow:
    indicator = line.indicator
    value, n, good = counted(line, vector, targets)
    low, high = (wilson(good, n) or NO_INTERVAL) if n is not None and good is not None else NO_INTERVAL
    points = None
    if value is None:
        status = NO_DATA
    elif line.of is not None and (indicator.min_sample > 0 if n is None else n < indicator.min_sample):
        status = INSUFFICIENT
    else:
        status = OK
        points = line.points((value, indicator.target or 0.0), targets) if line.points else None
    sums = {name: in_units(vector[place]) for name, place in line.shown}
    window = line.window.text
    row = ScoreRow(
        owner, template, version, indicator.id, window, start, at, status, value, points, whole(n), whole(good), low,
        high, sums,
    )  # fmt: skip
    if line.allowance:
        row.allowance = in_units(vector[line.allowance])
        row.adjusted = adjusted(n, good, vector[line.allowance])
    return row


def adjusted(n: float | None, good: float | None, allowance: int) -> float | None:
    """The share of good units if all work were of average difficulty; the allowance in millionths."""
    if n is None or good is None or n <= 0:
        return None
    return min(1.0, max(0.0, (good + allowance / MICRO) / n))


def in_units(micro: int) -> Number:
    """Millionths in units: an integer when whole."""
    whole, rest = divmod(micro, MICRO)
    return micro / MICRO if rest else whole


def _totals(parts: Sequence[tuple[str, float, float]]) -> Iterator[tuple[str, bool, float | None]]:
    """Score of each dimension and in total: sum(weight * points) / sum(weight) over indicators that have points."""
    for dimension, total in zip(DIMENSIONS, TOTALS, strict=False):
        own = [part for part in parts if part[0] == dimension]
        yield total, bool(own), _mean(own) if own else None
    yield TOTALS[-1], bool(parts), _mean(parts)


def _mean(parts: Sequence[tuple[str, float, float]]) -> float | None:
    weight = sum([weight for _, weight, _ in parts])
    return sum([weight * points for _, weight, points in parts]) / weight if weight else None


def next_change(person: Person, as_of: int, now: int = NO_TICK) -> int:
    """When time alone next changes a row, a unit's pool or, after the tick `now`, an alert (ms). NEVER: never.

    A pane leaves a window, a calendar window or a shift ends, a version of any template begins, silence lasts.
    """
    role, _, _, until = assignment_at(person.state.assignments, as_of)
    due = min(until, person.rules.regime(role, as_of).ends, alerts_due(person.state), NEVER)
    for segment in person.state.segments:
        version = version_of(segment, person.rules, as_of)
        if version is not None:
            due = min(due, segment_change(segment, plan_of(version).slots, as_of))
    if person.rules.by_shift and any(group.by_shift for v in person.versions_at(as_of) for group in v.groups):
        due = min(due, person.rules.calendars.next_change(home_at(person.state, as_of), as_of))
    return min(due, silence_due(person, as_of if now == NO_TICK else now))


def segment_change(segment: Segment, slots: Iterable[Slot], as_of: int) -> int:
    """When time alone next changes the sums of these slots (ms). NEVER: never."""
    due = NEVER
    for slot in slots:
        cells, window = segment.groups[slot.group], slot.window
        if window.kind == "rolling":
            low = -(-rolling_bounds(window, as_of)[0] // window.grain)
            oldest = min([number for number in cells.panes[slot.place] if number >= low], default=None)
            if oldest is not None:
                gone = oldest * window.grain + window.minutes * MINUTE
                due = min(due, gone + -gone % window.grain)
        elif window.kind != "all":
            calendar = cells.calendars[slot.place]
            if calendar.start <= as_of < calendar.end:
                due = min(due, calendar.end)
    return due
