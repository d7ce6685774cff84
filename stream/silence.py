"""Silence while a unit is at work: raised, and over, at ticks; breaks and the time after a shift are no silence.

ARCHITECTURE.md, Shift calendars, 9. Nothing else decides it; people do with it what they do with any alert
(stream/lifecycle.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.alerts import CLEARED, AlertRow
from stream.episode import opened, row_of
from stream.person import Person
from stream.rulebook import Version
from stream.state import NEVER, assignment_at, home_at
from stream.watch_plan import Stale, stales
from stream.watched import Open, Ruled, Watched

SHIFT_OVER: Final = "shift-over"


class Waiting(NamedTuple):
    """A rule that waits for silence, of somebody with an entry, or with an alert of it that is open."""

    version: Version
    rule: Stale
    watched: Watched
    ruled: Ruled


def waiting(person: Person, at: int) -> Iterator[Waiting]:
    """The rules of the versions that assess somebody at an instant (ms)."""
    for version in person.versions_at(at) if person.rules.awaits_silence else ():
        for rule in stales(version):
            group = version.group_of[version.template.indicators.index(rule.indicator)]
            key = (*version.key, group)
            watched = next((w for w in person.state.watched if (w.template, w.version, w.group) == key), None)
            if watched is not None and (watched.newest >= 0 or watched.rules[rule.place].open is not None):
                yield Waiting(version, rule, watched, watched.rules[rule.place])


def hear(person: Person, at: int) -> Iterator[AlertRow]:
    """What silence there is, and is no more, at a tick (ms)."""
    home = home_at(person.state, at)
    shift = person.rules.calendars.scheduled(home, at) if person.rules.awaits_silence else None
    for version, rule, watched, ruled in waiting(person, at):
        if ruled.open is not None:
            why = _why_over(watched, ruled, ruled.open, shift)
            if why is not None:
                alert, ruled.open = ruled.open, None
                if alert.state != CLEARED:
                    alert.by, alert.reason = "", why
                    yield row_of(person.id, version, rule, alert, at)
        if ruled.open is None and shift is not None and watched.newest >= 0:
            since = _when(person, home, rule, watched, shift)
            if since is not None and since <= at:
                ruled.open = _opened(person, version, rule, ruled, (since, at), home, shift[0])
                ruled.begun = watched.newest
                yield row_of(person.id, version, rule, ruled.open)


def _why_over(watched: Watched, ruled: Ruled, alert: Open, shift: tuple[int, int] | None) -> str | None:
    """Why an alert is over in a shift: "" because something came; None: it is not."""
    if watched.newest > ruled.begun:
        return ""
    return SHIFT_OVER if shift is None or shift[0] > alert.raised_at else None


def _when(person: Person, home: str, rule: Stale, watched: Watched, shift: tuple[int, int]) -> int | None:
    """The instant at which a unit has been at work for long enough since the newest entry; None: not in this shift."""
    start, end = shift
    return person.rules.calendars.when_worked(home, max(watched.newest, start), rule.after + rule.pending, end)


def _opened(
    person: Person, version: Version, rule: Stale, ruled: Ruled, times: tuple[int, int], home: str, start: int
) -> Open:
    since, at = times
    found = (None, None, None, rule.after / 1000)
    return opened(version, rule, person.id, ruled, found, ("", since, at, home), start)


def due(person: Person, at: int) -> int:
    """From which instant on a tick after one (ms) may find another silence, NEVER when none may; without later news.

    What is stored of somebody says it whole: after a restart nobody is looked at before.
    """
    if not (person.rules.awaits_silence and person.state.watched):
        return NEVER
    calendars = person.rules.calendars
    role, unit, _, until = assignment_at(person.state.assignments, at)
    found, home = min(until, person.rules.regime(role, at).ends, NEVER), unit or ""
    for _, rule, watched, ruled in waiting(person, at):
        shift = calendars.scheduled(home, at)
        found = min(found, calendars.next_scheduled(home, at), NEVER if shift is None else shift[1])
        if ruled.open is not None:
            found = min(found, NEVER if _why_over(watched, ruled, ruled.open, shift) is None else at)
        elif shift is not None and watched.newest >= 0:
            since = _when(person, home, rule, watched, shift)
            found = min(found, NEVER if since is None else since)
    return found


def worked_since(person: Person, rule: Stale, version: Version, at: int) -> int | None:
    """How long (ms) somebody's unit has been at work without an entry in the present shift; None: there is none."""
    home, calendars = home_at(person.state, at), person.rules.calendars
    shift = calendars.scheduled(home, at)
    found = next((w for w in waiting(person, at) if w.rule is rule and w.version is version), None)
    if shift is None or found is None:
        return None
    return calendars.worked(home, max(found.watched.newest, shift[0]), at)
