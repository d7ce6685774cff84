"""What calendar windows come to once they are over: sums by window and unit, and the rows of their last millisecond.

A window's row is the contract's as of its end - 1, from everything known so far. Sums are kept by the unit of each
event, so that units pool the same numbers that people have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.event import Event
from schemas.measures import MICRO
from schemas.rows import NO_DATA, ScoreRow
from stream.calendars import NO_SHIFT
from stream.person import Person
from stream.plan import Line, plan_of
from stream.rulebook import Rulebook, Version
from stream.score import version_rows, versions_for
from stream.state import Vector, target_values
from stream.window import CALENDAR_KINDS, calendar_bounds

Sums = dict[int, Vector]  # by group of the version
NO_TARGETS: Final[Mapping[str, float]] = {}


class Closed(NamedTuple):
    """A calendar window of a template: [start, end) in ms. The version in force at its last instant gives its rows."""

    template: str
    window: str
    start: int
    end: int

    @property
    def as_of(self) -> int:
        """Its last millisecond."""
        return self.end - 1


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The values of a row; `sums` is JSON with exact decimals, `target` what the template asks for."""

    version: int
    status: str
    value: float | None = None
    points: float | None = None
    n: float | None = None
    good: float | None = None
    low: float | None = None
    high: float | None = None
    allowance: float | None = None
    adjusted: float | None = None
    target: float | None = None
    sums: str = "{}"


Outcomes = dict[str, Outcome]  # by indicator
Parts = dict[Closed, dict[str, Sums]]  # of somebody: by window and unit ("": none)


def bounds_of(version: Version, window: str, unit: str, at: int) -> tuple[int, int] | None:
    """[start, end) of the window of this kind that holds an instant, for work in a unit; None where there is none.

    Whatever asks where a window that closes begins and ends asks here. `rolling` and `all` never close.
    """
    if window in CALENDAR_KINDS:
        return calendar_bounds(window, version.timezone, at)
    return None


def kinds_of(version: Version) -> tuple[str, ...]:
    """The windows of a version that close."""
    return tuple(window.text for window in plan_of(version).windows if window.text in CALENDAR_KINDS)


def gather(parts: Parts, person: Person, events: Iterable[Event], after: int, until: int) -> None:
    """Adds events to the windows that ended in (after, until], by the unit of each event.

    The person's assignments are all known. Only sums of the version in force at a window's last instant show in its
    rows, so only they are kept.
    """
    for event in events:
        at = event.occurred_at
        regime = person.regime if person.begins <= at < person.ends else person.resolve(at)
        action = regime.action(event.type, event.dims)
        unit = person.unit or action.line
        for version, group, key, _ in action.entries:
            for window in group.calendars:
                bounds = bounds_of(version, window, unit, at)
                if bounds is None or not after < bounds[1] <= until or version.ends < bounds[1]:
                    continue
                sums = parts.setdefault(Closed(version.key[0], window, *bounds), {}).setdefault(unit, {})
                _add(sums, group.index, event.measures.vector(key))


def version_of(rules: Rulebook, closed: Closed, unit: str = "") -> Version | None:
    """The version that a window's rows are of; None when no version has this window (any more)."""
    version = rules.in_force(closed.template, closed.as_of)
    if version is None or closed.window not in kinds_of(version):
        return None
    return version if bounds_of(version, closed.window, unit, closed.as_of) == (closed.start, closed.end) else None


def person_outcomes(person: Person, closed: Closed, by_unit: Mapping[str, Sums]) -> Outcomes:
    """Somebody's rows of a window; none when no version of the template is for them at its last instant."""
    version = version_of(person.rules, closed)
    if version is None or version not in versions_for(person.state, person.rules, closed.as_of):
        return {}
    targets = target_values(person.state, closed.as_of)
    return outcomes(person.id, version, closed, add_up(by_unit.values()), targets)


def outcomes(
    owner: str, version: Version, closed: Closed, sums: Sums, targets: Mapping[str, float] = NO_TARGETS
) -> Outcomes:
    """Rows of a version in one window, totals last, from the sums of its groups."""
    plan = plan_of(version)
    vectors = [
        sums.get(slot.group) or [0] * slot.width if slot.window.text == closed.window else [] for slot in plan.slots
    ]
    lines = [line for line in plan.lines if line.window.text == closed.window]
    rows = version_rows(owner, version, vectors, targets, closed.as_of, NO_SHIFT, closed.window)
    found = {row.indicator: _outcome(row) for row in rows[len(lines) :]}
    own = zip(lines, rows, strict=False)
    return {row.indicator: _outcome(row, line, vectors[line.slot]) for line, row in own} | found


def gone(version: int) -> Outcome:
    """What a row becomes whose window is nobody's any more; under the version that it had."""
    return Outcome(version, NO_DATA)


def add_up(contributions: Iterable[Sums]) -> Sums:
    """Sums together."""
    total: Sums = {}
    for sums in contributions:
        for group, vector in sums.items():
            _add(total, group, vector)
    return total


def _add(sums: Sums, group: int, vector: Sequence[int]) -> None:
    into = sums.get(group)
    if into is None:
        sums[group] = list(vector)
    else:
        for index, number in enumerate(vector):
            into[index] += number


def _outcome(row: ScoreRow, line: Line | None = None, vector: Sequence[int] = ()) -> Outcome:
    shown = () if line is None else line.shown
    return Outcome(
        row.version, row.status, _float(row.value), _float(row.points), _float(row.n), _float(row.good), row.low,
        row.high, _float(row.allowance), _float(row.adjusted), None if line is None else line.indicator.target,
        "{" + ",".join(f'"{name}":{exact(vector[place])}' for name, place in shown) + "}",
    )  # fmt: skip


def _float(number: float | msgspec.UnsetType | None) -> float | None:
    return None if number is None or number is msgspec.UNSET else float(number)


def exact(micro: int) -> str:
    """Millionths in units, as a decimal number without an error."""
    whole, rest = divmod(abs(micro), MICRO)
    digits = f".{rest:06}".rstrip("0") if rest else ""
    return f"{'-' if micro < 0 else ''}{whole}{digits}"
