"""From sums to rows: values, points, intervals, statuses, totals (contract, section 4). As-of chooses the window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from schemas.instants import MINUTE, format_rfc3339
from schemas.measures import MICRO
from schemas.rows import DIMENSIONS, INSUFFICIENT, NO_DATA, OK, Number, ScoreRow
from stream.interval import wilson
from stream.plan import Line, Plan, plan_of
from stream.rulebook import Group, Rulebook, Version
from stream.state import NEVER, Cells, Person, Segment, State, Vector, assignment_at, target_values
from stream.window import Window, calendar_bounds, rolling_bounds

rfc3339 = lru_cache(maxsize=65_536)(format_rfc3339)


def score_rows(person: Person, as_of: int) -> list[ScoreRow]:
    """The employee's rows as of an instant at or after the newest scored event."""
    state = person.state
    targets = target_values(state, as_of)
    rows: list[ScoreRow] = []
    for version in versions_for(state, person.rules, as_of):
        vectors = pooled(state.segments, version, as_of)
        rows.extend(version_rows(person.id, version, vectors, targets, as_of))
    return rows


def versions_for(state: State, rules: Rulebook, as_of: int) -> tuple[Version, ...]:
    """The versions that assess the employee at an instant."""
    role = assignment_at(state.assignments, as_of)[0]
    return rules.regime(role, as_of).versions


def pooled(segments: Sequence[Segment], version: Version, as_of: int) -> list[Vector]:
    """The sums of a version's slots over an employee's units."""
    found = [slot_vectors(s, version, as_of) for s in segments if (s.template, s.version) == version.key]
    if len(found) == 1:
        return found[0]
    return add_up(version, found)


def add_up(version: Version, contributions: Sequence[Sequence[Vector]]) -> list[Vector]:
    """Slot by slot sums of contributions; zeros without any."""
    plan = plan_of(version)
    totals = [[0] * (1 + len(version.groups[slot.group].names)) for slot in plan.slots]
    for contribution in contributions:
        for total, vector in zip(totals, contribution, strict=True):
            for index, number in enumerate(vector):
                total[index] += number
    return totals


def slot_vectors(segment: Segment, version: Version, as_of: int) -> list[Vector]:
    """The sums of each slot of a version in one segment as of an instant."""
    return [
        window_vector(segment.groups[slot.group], version.groups[slot.group], slot.window, version.timezone, as_of)
        for slot in plan_of(version).slots
    ]


def window_vector(cells: Cells, group: Group, window: Window, timezone: str, as_of: int) -> Vector:
    """The sums of a group in the window that an as-of chooses."""
    if window.kind == "rolling":
        panes = cells.panes[_place(group, window.grain)]
        low, high = rolling_bounds(window, as_of)
        first, last = low // window.grain, high // window.grain
        inside = [vector for number, vector in panes.items() if first <= number < last]
        if not inside:
            return [0] * (1 + len(group.names))
        return [sum(column) for column in zip(*inside, strict=True)]
    calendar = cells.calendars[group.calendars.index(window.kind)]
    if calendar.start <= as_of < calendar.end:
        return calendar.vector
    return [0] * len(calendar.vector)


def _place(group: Group, grain: int) -> int:
    return next(place for place, (known, _) in enumerate(group.panes) if known == grain)


def window_start(window: Window, version: Version, as_of: int) -> int:
    """Where the window that an as-of chooses begins, in ms."""
    if window.kind == "rolling":
        return rolling_bounds(window, as_of)[0]
    if window.kind == "all":
        return version.begins
    return calendar_bounds(window.kind, version.timezone, as_of)[0]


def version_rows(
    owner: str, version: Version, vectors: Sequence[Vector], targets: Mapping[str, float], as_of: int
) -> Iterator[ScoreRow]:
    """Rows of one template version from its slots' sums, totals last."""
    plan = plan_of(version)
    template, number, at = version.template.template, version.template.version, rfc3339(as_of)
    starts = {window.text: rfc3339(window_start(window, version, as_of)) for window in plan.windows}
    weighted: dict[str, list[tuple[str, float, float]]] = {window.text: [] for window in plan.windows}
    for line in plan.lines:
        window = line.window.text
        row = _row(owner, line, vectors[line.slot], targets)
        row.template, row.version, row.window_start, row.as_of = template, number, starts[window], at
        if row.points is not None:
            weighted[window].append((line.indicator.dimension, line.indicator.weight, row.points))
        yield row
    for window, parts in weighted.items():
        for name, score in _totals(parts):
            status = NO_DATA if score is None else OK
            start, nothing = starts[window], (None, None, None, None)
            yield ScoreRow(owner, template, number, name, window, start, at, status, score, score, *nothing, {})


def _row(owner: str, line: Line, vector: Vector, targets: Mapping[str, float]) -> ScoreRow:
    units = [micro / MICRO for micro in vector[1:]]
    value = line.value(units, targets) if vector[0] else None
    n = line.of(units, targets) if line.of else None
    good = line.good(units, targets) if line.good else None
    interval = wilson(good, n) if n is not None and good is not None else None
    if value is None:
        status, points = NO_DATA, None
    elif line.indicator.min_sample and (n is None or n < line.indicator.min_sample):
        status, points = INSUFFICIENT, None
    else:
        status, points = OK, line.points((value, line.indicator.target or 0.0), targets) if line.points else None
    low, high = interval or (None, None)
    sums = {name: in_units(vector[place]) for name, place in line.shown}
    indicator, window = line.indicator.id, line.window.text
    return ScoreRow(
        owner, "", 0, indicator, window, "", "", status, value, points, _whole(n), _whole(good), low, high, sums
    )


def in_units(micro: int) -> Number:
    """Millionths in units: an integer when whole."""
    whole, rest = divmod(micro, MICRO)
    return micro / MICRO if rest else whole


def _whole(number: float | None) -> Number | None:
    return int(number) if number is not None and number.is_integer() else number


def _totals(parts: Sequence[tuple[str, float, float]]) -> Iterator[tuple[str, float | None]]:
    """Score of each dimension and in total: sum(weight * points) / sum(weight) over indicators that have points."""
    for dimension in DIMENSIONS:
        yield f"@{dimension}", _mean([(w, p) for d, w, p in parts if d == dimension])
    yield "@total", _mean([(w, p) for _, w, p in parts])


def _mean(parts: Sequence[tuple[float, float]]) -> float | None:
    weight = sum(w for w, _ in parts)
    return sum(w * p for w, p in parts) / weight if weight else None


def next_change(person: Person, as_of: int) -> int:
    """When time alone next changes a row: a pane leaves a window, a calendar window or a version ends. NEVER: never."""
    role, _, _, until = assignment_at(person.state.assignments, as_of)
    regime = person.rules.regime(role, as_of)
    due = min(until, NEVER)
    for version in regime.versions:
        due = min(due, version.ends)
        plan = plan_of(version)
        for segment in person.state.segments:
            if (segment.template, segment.version) == version.key:
                due = min(due, _segment_change(segment, version, plan, as_of))
    return min(due, NEVER)


def _segment_change(segment: Segment, version: Version, plan: Plan, as_of: int) -> int:
    due = NEVER
    for slot in plan.slots:
        cells, group, window = segment.groups[slot.group], version.groups[slot.group], slot.window
        if window.kind == "rolling":
            panes = cells.panes[_place(group, window.grain)]
            low = rolling_bounds(window, as_of)[0] // window.grain
            oldest = min((number for number in panes if number >= low), default=None)
            if oldest is not None:
                due = min(due, oldest * window.grain + window.minutes * MINUTE)
        elif window.kind != "all":
            calendar = cells.calendars[group.calendars.index(window.kind)]
            if calendar.start <= as_of < calendar.end:
                due = min(due, calendar.end)
    return due
