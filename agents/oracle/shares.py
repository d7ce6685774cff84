"""What somebody brings to units at the end of a minute follows from what is known at the tick that closes it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from agents.oracle.alerts import Alert, episodes_of
from agents.oracle.commands import CLEAR, Command
from agents.oracle.known import Epoch, Knowledge, epochs_of
from agents.oracle.log import Event
from agents.oracle.looked_at import Shelf, Sums, lines_of
from agents.oracle.minutes import Closing
from agents.oracle.rows import Person
from agents.oracle.rulebook import Rulebook, Version
from agents.oracle.rules import Drift, Ewma, Level

_NEVER = 1 << 62
LineKey = tuple[str, int, str, str]


class OpenDrift(NamedTuple):
    """Somebody's open alert of a rule that they drift by; `raised_at` is its log time (ms)."""

    alert_id: str
    template: str
    indicator: str
    raised_at: int


class Share(NamedTuple):
    """Where somebody belongs; sums by line and the unit in which the events happened; alerts that are open.

    `left`: the versions in force that they have records under, and that do not apply to them any more.
    """

    unit: str
    sums: Mapping[tuple[LineKey, str], Sums]
    drifts: tuple[OpenDrift, ...]
    left: frozenset[tuple[str, int]]


NOTHING = Share("", {}, (), frozenset())


def shares_of(
    person: Person, known: Knowledge, closings: Sequence[Closing], commands: Iterable[Command], models: Rulebook
) -> Iterator[tuple[int, Share]]:
    """(minute, share) of one person, of each minute in which it is another one than before.

    `commands` are those with their id as the key, in their partition; `models` knows the models of case mix.
    """
    if not closings or not any(map(lines_of, known.rulebook(len(known.ticks.times) - 1).versions)):
        return
    cleared = {
        (known.ticks.after("commands", command.offset), command.alert_id)
        for command in commands
        if command.action == CLEAR and command.by and not command.unit
    }
    handled: set[str] = set()
    before = NOTHING
    for epoch in epochs_of(person, known):
        drifts = _drifts(epoch, known, cleared, handled, models)
        view = _View(epoch, known, drifts)
        first = bisect_left(closings, epoch.begin, key=lambda closing: closing.tick)
        for closing in closings[first:]:
            if closing.tick >= epoch.end:
                break
            share = view.look(closing)
            if share is not None and share != before:
                yield closing.minute, share
                before = share


class _Opened(NamedTuple):
    """An alert that is open at the ticks [begin, end)."""

    begin: int
    end: int
    alert: OpenDrift


def _drifts(
    epoch: Epoch, known: Knowledge, cleared: set[tuple[int, str]], handled: set[str], models: Rulebook
) -> list[_Opened]:
    """The alerts that are open at ticks of an epoch.

    `handled` are those that people or time have ended while their condition goes on; it goes on from epoch to epoch.
    """
    found: list[tuple[_Opened, Version]] = []
    for version in epoch.rulebook.versions:
        for raised, over, alert in _episodes(epoch, known, version, models):
            if raised < over:
                opened = OpenDrift(alert.alert_id, alert.template, alert.indicator, alert.raised_at)
                found.append((_Opened(raised, over, opened), version))
    handled.intersection_update(one.alert.alert_id for one, _ in found if one.begin == epoch.begin)
    kept: list[_Opened] = []
    for one, version in found:
        if one.alert.alert_id not in handled:
            end = min([tick for tick, name in cleared if name == one.alert.alert_id and tick >= one.begin] + [one.end])
            end = min(end, _left(epoch, known, version, one))
            kept.append(one._replace(end=end))
            if end < one.end:
                handled.add(one.alert.alert_id)
    return kept


def _episodes(epoch: Epoch, known: Knowledge, version: Version, models: Rulebook) -> Iterator[tuple[int, int, Alert]]:
    """(first tick of the epoch that knows it raised, first that knows it over, alert)."""
    for alert, raised, over, _ in episodes_of(epoch.person, epoch.rulebook, version, models, (Drift, Ewma, Level)):
        end = epoch.end if over is None else min(epoch.end, known.since(over))
        yield max(epoch.begin, known.since(raised)), end, alert


def _left(epoch: Epoch, known: Knowledge, version: Version, opened: _Opened) -> int:
    """The first tick at which an alert is open whose version does not apply any more; the epoch's end without one."""
    times, person = known.ticks.times, epoch.person
    edges = [edge for edge in (version.start, version.end, *person.assignments.times) if edge is not None]
    ticks = (bisect_left(times, edge, opened.begin, opened.end) for edge in edges)
    for tick in sorted({opened.begin, *ticks} - {opened.end}):
        if version not in epoch.rulebook.applying(times[tick], person.assignments.role(times[tick])):
            return tick
    return epoch.end


class _View:
    """The ticks of one epoch, which are looked at one minute after the other."""

    def __init__(self, epoch: Epoch, known: Knowledge, drifts: Sequence[_Opened]) -> None:
        self._epoch, self._drifts = epoch, drifts
        arrivals = ((max(epoch.begin, known.since(event)), event) for event in epoch.person.events)
        self._arrivals = sorted(arrivals, key=lambda arrival: arrival[0], reverse=True)
        self._moves = sorted({tick for one in drifts for tick in one[:2]}, reverse=True)  # of alerts
        self._newest = -1
        self._units: set[str] = set()
        self._under: set[tuple[str, int]] = set()  # versions that anything counts under
        versions = epoch.rulebook.versions
        calendars = epoch.rulebook.calendars
        self._shelves = {v.key: [(line, Shelf(line, calendars)) for line in lines_of(v)] for v in versions}
        bounds = (bound for version in versions for bound in (version.start, version.end) if bound is not None)
        self._edges = sorted({*bounds, *epoch.person.assignments.times})
        self._due = 0

    def look(self, closing: Closing) -> Share | None:
        """What there is at the end of a minute; None where nothing can be otherwise than at the last one."""
        moved = closing.minute >= self._due
        while self._arrivals and self._arrivals[-1][0] <= closing.tick:
            self._take(self._arrivals.pop()[1])
            moved = True
        while self._moves and self._moves[-1] <= closing.tick:
            self._moves.pop()
            moved = True
        return self._share(closing) if moved else None

    def _take(self, event: Event) -> None:
        assignments = self._epoch.person.assignments
        unit, scored = assignments.unit_of(event), event.topic == "people-events"
        for version in self._epoch.rulebook.applying(event.at, assignments.role(event.at)):
            entered = {version.template.indicators[position].id for position in version.entered(event.kind)}
            if entered:
                scored = True
                self._units.add(unit)
            if entered and unit:
                self._under.add(version.key)
                for line, shelf in self._shelves[version.key]:
                    if line.indicator.id in entered:
                        shelf.add(event, unit)
        if scored:
            self._newest = max(self._newest, event.at)

    def _share(self, closing: Closing) -> Share:
        minute, rulebook, assignments = closing.minute, self._epoch.rulebook, self._epoch.person.assignments
        as_of = max(minute, self._newest)
        after = self._edges[bisect_right(self._edges, minute) :]
        self._due = min(after, default=_NEVER) if as_of == minute else minute + 1
        sums: dict[tuple[LineKey, str], Sums] = {}
        in_force = rulebook.in_force(minute)
        for line, shelf in (pair for version in in_force for pair in self._shelves[version.key]):
            sums.update(((line.key, unit), own) for unit, own in shelf.sums(as_of).items())
            self._due = min(self._due, shelf.changes(as_of))
        applying = {version.key for version in rulebook.applying(minute, assignments.role(minute))}
        left = frozenset({version.key for version in in_force} & self._under - applying)
        drifts = tuple(one.alert for one in self._drifts if one.begin <= closing.tick < one.end)
        return Share(assignments.unit(minute) or max(self._units, default=""), sums, drifts, left)
