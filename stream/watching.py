"""Records on their way to the rules that watch them: a run of columns, or one event; rules see them before the sums do.

Records that come to rules out of the log's order (held ones that are released) have the person counted anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.columns import EventColumns
from schemas.event import Event
from schemas.measures import Measures
from stream.person import Person
from stream.rulebook import Entry, Group
from stream.state import target_values
from stream.tally import Tally
from stream.watch import Watch


def watch_run(person: Person, own: EventColumns, begin: int, end: int, tally: Tally) -> None:
    """Shows the rules columns from one place to another: plain events, newer than all of the topic before them."""
    kinds, watching = own.kinds, person.watching
    first = kinds[begin]
    if end - begin == 1 or kinds.count(first) == len(kinds):
        for watch in watching.get(first, ()):
            show_places(person, own, watch, range(begin, end), tally)
        return
    places: dict[Watch, list[int]] = {}
    for place in range(begin, end):
        for watch in watching.get(kinds[place], ()):
            if watch in places:
                places[watch].append(place)
            else:
                places[watch] = [place]
    for watch, own_places in places.items():
        show_places(person, own, watch, own_places, tally)


def show_places(person: Person, own: EventColumns, watch: Watch, places: Sequence[int], tally: Tally) -> None:
    """Shows one group's rules some places of the columns, whose kinds the person has bound."""
    watched = watch.watched
    if own.first < watched.after and own.offset(places[0]) < watched.after:
        tally.restate.add(person.id)
    watch.see(_Run(person, own, places), tally.alerts)
    watched.after = own.offset(places[-1]) + 1


def watch_event(person: Person, event: Event, tally: Tally) -> None:
    """Shows the rules one event."""
    for watch in person.watching.get(event.kind, ()):
        if event.offset < watch.watched.after:
            tally.restate.add(person.id)
        watch.see(_One(person, event), tally.alerts)
        watch.watched.after = event.offset + 1


def _entry(person: Person, kind: int, group: Group) -> Entry:
    return next(entry for entry in person.entries[kind] if entry.group is group)


class _Run:
    """Some places of an employee's columns: plain events."""

    __slots__ = ("_own", "_person", "_places", "_times", "measures")

    correction = False

    def __init__(self, person: Person, own: EventColumns, places: Sequence[int]) -> None:
        self._person = person
        self._own = own
        self._places = places
        self._times: Sequence[int] | None = None
        measures = own.measures
        self.measures: Sequence[Measures] = [measures[place] for place in places]

    @property
    def times(self) -> Sequence[int]:
        if self._times is None:  # rules of drift ask for none as a rule, all others for each place
            times = self._own.times
            self._times = [times[place] for place in self._places]
        return self._times

    @property
    def span(self) -> tuple[int, int]:
        times, places = self._own.times, self._places
        return times[places[0]], times[places[-1]]

    @property
    def home(self) -> str:
        return self._person.unit or ""

    def event_id(self, place: int) -> str:
        return self._own.ids[self._places[place]]

    def stamp(self, place: int) -> int:
        return self._own.stamp(self._places[place])

    def unit(self, place: int) -> str:
        kind = self._own.kinds[self._places[place]]
        return self._person.unit or self._own.shape(kind).dims.values.get("line", "")

    def entry(self, place: int, group: Group) -> Entry:
        return _entry(self._person, self._own.kinds[self._places[place]], group)

    def targets(self, place: int) -> Mapping[str, float]:
        return target_values(self._person.state, self._own.times[self._places[place]])


class _One:
    """One event, which may be older than what came before, or a correction."""

    __slots__ = ("_event", "_person", "measures", "times")

    def __init__(self, person: Person, event: Event) -> None:
        self._person = person
        self._event = event
        self.measures: Sequence[Measures] = (event.measures,)
        self.times: Sequence[int] = (event.occurred_at,)

    @property
    def span(self) -> tuple[int, int]:
        return self._event.occurred_at, self._event.occurred_at

    @property
    def correction(self) -> bool:
        return self._event.corrects is not None

    @property
    def home(self) -> str:
        return self._person.unit or ""

    def event_id(self, place: int) -> str:
        return self._event.event_id

    def stamp(self, place: int) -> int:
        return self._event.timestamp

    def unit(self, place: int) -> str:
        return self._person.unit or self._event.dims.values.get("line", "")

    def entry(self, place: int, group: Group) -> Entry:
        return _entry(self._person, self._event.kind, group)

    def targets(self, place: int) -> Mapping[str, float]:
        return target_values(self._person.state, self._event.occurred_at)
