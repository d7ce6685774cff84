"""The shifts of a unit, one by one, and which version of a calendar is in force: for commands and pages alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from stream.calendars import FOREVER, Calendars
from stream.shift_calendar import ShiftCalendar

State = Literal["upcoming", "in force", "superseded"]


class Listed(NamedTuple):
    """A shift: when it starts and ends, from when until when work counts for it (ms; None: without end)."""

    starts: int
    ends: int | None
    counts_from: int
    counts_until: int | None
    calendar: ShiftCalendar


def shifts_of(calendars: Calendars, unit: str, since: int, until: int) -> Iterator[Listed]:
    """Each shift that is worked in [since, until), in order."""
    at = since
    while at < until:
        planned, counts, calendar = calendars.scheduled(unit, at), calendars.shift(unit, at), calendars.of(unit, at)
        if planned is not None and counts is not None and calendar is not None:
            yield Listed(planned[0], _end(planned[1]), counts.begins, _end(counts.ends), calendar)
        at = calendars.next_scheduled(unit, at)


def state_of(one: ShiftCalendar, every: Iterable[ShiftCalendar], now: int) -> State:
    """Whether a version is in force at an instant (ms), among all versions."""
    if one.effective_from > now:
        return "upcoming"
    own = [other for other in every if other.calendar == one.calendar and other.effective_from <= now]
    return "in force" if one is max(own, key=succession) else "superseded"


def succession(one: ShiftCalendar) -> tuple[int, int]:
    """What a version comes after."""
    return one.effective_from, one.version


def with_draft(every: Sequence[ShiftCalendar], draft: ShiftCalendar | None) -> list[ShiftCalendar]:
    """What is published, and one that is not yet, in the place of its own number."""
    kept = [one for one in every if draft is None or one.key != draft.key]
    return kept if draft is None else [*kept, draft]


def _end(at: int) -> int | None:
    return None if at >= FOREVER else at
