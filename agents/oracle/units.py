"""What units say follows from the inputs: minute by minute, from what everybody brings to them by then."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from typing import NamedTuple

from agents.oracle.alerts import Alert
from agents.oracle.behind import Behind
from agents.oracle.commands import Command
from agents.oracle.common_cause import CommonCause, Fold
from agents.oracle.known import Knowledge
from agents.oracle.minutes import HOME, Closing, closings_of, decided_in, ticks_of
from agents.oracle.rosters import Rosters
from agents.oracle.rows import Person
from agents.oracle.rulebook import Rulebook
from agents.oracle.shares import Share, shares_of

_FOREVER = 1 << 62


class Decided(NamedTuple):
    """How far units have come: decided up to `minute` (ms), their own alerts' commands obeyed up to `obeyed`.

    `obeyed`: next offset in `commands`, by partition. `heard`: by partition the last minute (ms) of which members have
    heard what was said to them.
    """

    minute: int
    obeyed: Mapping[int, int]
    heard: Mapping[int, int]


class UnitAlerts(NamedTuple):
    """`alerts` of units and of members who are below theirs; which unit's alert stands for a member's, by its id.

    `stands` holds those for which one does now, `stood` all that ever did.
    """

    alerts: list[Alert]
    stands: Mapping[str, str]
    stood: Mapping[str, frozenset[str]]


class Sources(NamedTuple):
    """What units are decided from; `known` by partition, all of them."""

    people: Sequence[Person]
    known: Sequence[Knowledge]
    commands: Sequence[Command]
    models: Rulebook


def unit_alerts(sources: Sources, decided: Decided | None) -> UnitAlerts:
    """All that units have said; as far as they had decided, if that is told."""
    alerts: list[Alert] = []
    folds: list[Fold] = []
    for found in _said(sources, decided):
        if isinstance(found, Fold):
            folds.append(found)
        else:
            alerts.append(found)
    home = {person.employee: person.events[0].partition for person in sources.people}
    heard = {
        employee: _FOREVER if decided is None else decided.heard.get(partition, decided.minute)
        for employee, partition in home.items()
    }
    cut = (_as_heard(alert, heard[alert.employee]) if alert.employee else alert for alert in alerts)
    stands: dict[str, str] = {}
    stood: dict[str, frozenset[str]] = {}
    for fold in folds:
        if fold.into:
            stood[fold.alert_id] = stood.get(fold.alert_id, frozenset()) | {fold.into}
        if fold.minute <= heard[fold.employee]:
            stands[fold.alert_id] = fold.into
    standing = {name: into for name, into in stands.items() if into}
    return UnitAlerts([alert for alert in cut if alert is not None], standing, stood)


def _as_heard(alert: Alert, until: int) -> Alert | None:
    """An alert of a member as far as its partition has heard of it."""
    if alert.raised_at > until:
        return None
    is_over = alert.cleared_at is not None and alert.cleared_at <= until
    return alert if is_over else alert._replace(cleared_at=None, reason="")


def _said(sources: Sources, decided: Decided | None) -> Iterator[Alert | Fold]:
    closings = [closings_of(known) for known in sources.known]
    until = _FOREVER if decided is None else decided.minute
    minutes = [minute for minute in decided_in(closings) if minute <= until]
    rosters, behind, cause = Rosters(), Behind(), CommonCause()
    shares = _merged(sources, closings)
    orders = _Orders(sources)
    ticks = [ticks_of(own) for own in closings]
    waiting = next(shares, None)
    for minute in minutes:
        while waiting is not None and waiting[0] <= minute:
            rosters.take(waiting[1], waiting[2])
            waiting = next(shares, None)
        for command, at in orders.up_to([closed[minute] for closed in ticks]):
            yield from cause.obey(command, at)
        rulebook = sources.known[HOME].rulebook(ticks[HOME][minute])
        yield from cause.decide(rosters, rulebook, minute)
        yield from behind.decide(rosters, rulebook, minute, rosters.take_touched())
    for command, at in orders.up_to([len(known.ticks.times) - 1 for known in sources.known]):
        if decided is None or command.offset < decided.obeyed.get(command.partition, 0):
            yield from cause.obey(command, at)
    yield from cause.open()
    yield from behind.open()


def _merged(sources: Sources, closings: Sequence[Sequence[Closing]]) -> Iterator[tuple[int, str, Share]]:
    """(minute, employee, share) of everybody, by minute."""

    commands: dict[tuple[int, str], list[Command]] = {}
    for command in sources.commands:
        commands.setdefault((command.partition, command.whose), []).append(command)

    def of(person: Person) -> Iterator[tuple[int, str, Share]]:
        partition = person.events[0].partition
        own = commands.get((partition, person.employee), [])
        for minute, share in shares_of(person, sources.known[partition], closings[partition], own, sources.models):
            yield minute, person.employee, share

    return merge(*map(of, sources.people), key=lambda found: found[:2])


class _Orders:
    """Commands about units' own alerts: partition by partition, each once."""

    def __init__(self, sources: Sources) -> None:
        self._known = sources.known
        own = (command for command in sources.commands if command.unit)
        self._waiting: list[Command] = sorted(own, key=lambda command: command[:2])

    def up_to(self, ticks: Iterable[int]) -> Iterator[tuple[Command, int]]:
        """Those that a tick up to these ones (by partition) follows and no earlier one did, and when that was (ms)."""
        last, waiting = list(ticks), self._waiting
        self._waiting = []
        for command in waiting:
            of_partition = self._known[command.partition].ticks
            tick = of_partition.after("commands", command.offset)
            if tick <= last[command.partition]:
                yield command, of_partition.times[tick]
            else:
                self._waiting.append(command)
