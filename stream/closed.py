"""What calendar windows come to once they are over: sums by window and unit, and the rows of their last millisecond.

A window's row is the contract's as of its end - 1, from everything known so far. Sums are kept by the unit of each
event, so that units pool the same numbers that people have. Shifts are each unit's own, so a person's lie apart
(ARCHITECTURE.md, How final results come about, 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from schemas.event import Event
from schemas.measures import MICRO
from schemas.rows import NO_DATA, ScoreRow
from stream.calendars import NO_SHIFT, Shift
from stream.person import Person
from stream.plan import Line, plan_of
from stream.rulebook import Rulebook, Version
from stream.score import version_rows, versions_for
from stream.state import Vector, assignment_at, home_at, target_values
from stream.window import CALENDAR_KINDS, calendar_bounds

Sums = dict[int, Vector]  # by group of the version
NO_TARGETS: Final[Mapping[str, float]] = {}
SHIFT: Final = "shift"
WITHDRAWN: Final = "withdrawn"  # the status of a row whose shift does not exist any more
_CLOSING: Final = (*CALENDAR_KINDS, SHIFT)


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
    shift: str | None = None
    calendar: str | None = None
    shift_start: int | None = None
    shift_end: int | None = None


Outcomes = dict[str, Outcome]  # by indicator
Place = tuple[str, int]  # a unit ("": none), and a version of the template
Parts = dict[Closed, dict[Place, Sums]]  # of somebody


@dataclass(slots=True)
class Gathered:
    """What somebody did: `parts` by window, unit and version, shifts those of the unit; `shifts` by their own shift."""

    parts: Parts = field(default_factory=dict)
    shifts: dict[Closed, Sums] = field(default_factory=dict)
    _own: tuple[Shift, list[Shift]] | None = None  # the shifts of the person that end in the last one asked for

    def windows(self) -> set[Closed]:
        """The person's own, in which something counted."""
        return {closed for closed in self.parts if closed.window != SHIFT} | self.shifts.keys()

    def sums(self, closed: Closed) -> Sums:
        """Of one of the person's own windows, over all units."""
        return self.shifts.get(closed, {}) if closed.window == SHIFT else add_up(self.parts.get(closed, {}).values())

    def ending_in(self, person: Person, within: Shift, until: int) -> list[Shift]:
        """The person's shifts whose last millisecond lies in a shift of a unit, up to an instant."""
        if self._own is None or self._own[0] != within:
            self._own = within, list(_ending_in(person, within, until))
        return self._own[1]


def _ending_in(person: Person, within: Shift, until: int) -> Iterator[Shift]:
    at = within.begins
    while at < min(within.ends, until):
        _, unit, _, moves = assignment_at(person.state.assignments, at)
        shift, change = person.rules.calendars.shift(unit or "", at), person.rules.calendars.next_change(unit or "", at)
        if shift is not None and shift.ends <= min(moves, within.ends):
            yield shift
        at = min(moves, change)


def bounds_of(rules: Rulebook, version: Version, window: str, unit: str, at: int) -> tuple[int, int] | None:
    """[start, end) of the window of this kind that holds an instant, for work in a unit; None where there is none.

    Whatever asks where a window that closes begins and ends asks here. `rolling` and `all` never close.
    """
    if window == SHIFT:
        return rules.calendars.shift(unit, at)
    return calendar_bounds(window, version.timezone, at) if window in CALENDAR_KINDS else None


def kinds_of(version: Version) -> tuple[str, ...]:
    """The windows of a version that close."""
    return tuple(window.text for window in plan_of(version).windows if window.text in _CLOSING)


def gather(into: Gathered, person: Person, events: Iterable[Event], after: int, until: int) -> None:
    """Adds events to the windows that ended in (after, until], by the unit of each event.

    The person's assignments are all known. Only sums of the version in force at a window's last instant show in its
    rows, so only they are kept; of a unit's shift all, for a unit above it whose own shift may end earlier.
    """
    for event in events:
        at = event.occurred_at
        regime = person.regime if person.begins <= at < person.ends else person.resolve(at)
        action = regime.action(event.type, event.dims)
        unit = person.unit or action.line
        for version, group, key, _ in action.entries:
            for window in group.calendars:
                bounds = bounds_of(person.rules, version, window, unit, at)
                if bounds is None:
                    continue
                if window == SHIFT:
                    for own in into.ending_in(person, Shift(*bounds), until):
                        if after < own.ends <= until and version.begins < own.ends <= version.ends:
                            sums = into.shifts.setdefault(Closed(version.key[0], window, *own), {})
                            _add(sums, group.index, event.measures.vector(key))
                elif version.ends < bounds[1]:
                    continue
                if after < bounds[1] <= until:
                    places = into.parts.setdefault(Closed(version.key[0], window, *bounds), {})
                    _add(places.setdefault((unit, version.key[1]), {}), group.index, event.measures.vector(key))


def exists(rules: Rulebook, closed: Closed, unit: str) -> bool:
    """Whether a window is one for whoever is in a unit at its last instant: a shift may be none any more."""
    return closed.window != SHIFT or rules.calendars.shift(unit, closed.as_of) == (closed.start, closed.end)


def version_of(rules: Rulebook, closed: Closed, unit: str = "") -> Version | None:
    """The version that a window's rows are of; None when no version has this window (any more)."""
    version = rules.in_force(closed.template, closed.as_of)
    if version is None or closed.window not in kinds_of(version):
        return None
    return version if bounds_of(rules, version, closed.window, unit, closed.as_of) == closed[2:] else None


def person_outcomes(person: Person, closed: Closed, sums: Sums) -> Outcomes:
    """Somebody's rows of a window; none when no version of the template is for them at its last instant."""
    home = home_at(person.state, closed.as_of)
    version = version_of(person.rules, closed, home)
    if version is None or version not in versions_for(person.state, person.rules, closed.as_of):
        return {}
    targets = target_values(person.state, closed.as_of)
    return with_shift(person.rules, closed, home, outcomes(person.id, version, closed, sums, targets))


def with_shift(rules: Rulebook, closed: Closed, unit: str, found: Outcomes) -> Outcomes:
    """The rows of a shift of a unit with what it is called, and when it starts and ends; other rows as they are."""
    named = rules.calendars.named(unit, closed.as_of) if closed.window == SHIFT and found else None
    if named is None:
        return found
    fields = {"shift": named.shift, "calendar": named.calendar, "shift_start": named.start, "shift_end": named.end}
    return {indicator: replace(row, **fields) for indicator, row in found.items()}


def outcomes(
    owner: str, version: Version, closed: Closed, sums: Sums, targets: Mapping[str, float] = NO_TARGETS
) -> Outcomes:
    """Rows of a version in one window, totals last, from the sums of its groups."""
    plan = plan_of(version)
    vectors = [
        sums.get(slot.group) or [0] * slot.width if slot.window.text == closed.window else [] for slot in plan.slots
    ]
    lines = [line for line in plan.lines if line.window.text == closed.window]
    shift = closed.start if closed.window == SHIFT else NO_SHIFT
    rows = version_rows(owner, version, vectors, targets, closed.as_of, shift, closed.window)
    found = {row.indicator: _outcome(row) for row in rows[len(lines) :]}
    own = zip(lines, rows, strict=False)
    return {row.indicator: _outcome(row, line, vectors[line.slot]) for line, row in own} | found


def gone(before: Outcome, there_is: bool) -> Outcome:
    """What a row becomes of which nothing is left, under the version that it had; `there_is`: such a window."""
    return Outcome(
        before.version, NO_DATA if there_is else WITHDRAWN, shift=before.shift, calendar=before.calendar,
        shift_start=before.shift_start, shift_end=before.shift_end,
    )  # fmt: skip


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
