"""Records on their way to the rules that watch them: a run of columns, or one event; rules see them before the sums do.

Records that come to rules out of the log's order (held ones that are released) have the person counted anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.columns import EventColumns
from schemas.event import Event
from stream.person import Person
from stream.state import target_values
from stream.tally import Tally
from stream.watch import Watch


def watch_run(person: Person, own: EventColumns, begin: int, end: int, tally: Tally) -> None:
    """Shows the rules columns from one place to another: plain events, newer than all of the topic before them."""
    kinds, watching = own.kinds[begin:end], person.watching
    if kinds.count(kinds[0]) == len(kinds):
        shown = {watch: range(begin, end) for watch in watching.get(kinds[0], ())}
        _show(person, own, shown, tally)
        return
    places: dict[Watch, list[int]] = {}
    for place, kind in enumerate(kinds, begin):
        for watch in watching.get(kind, ()):
            places.setdefault(watch, []).append(place)
    _show(person, own, places, tally)


def _show(person: Person, own: EventColumns, shown: Mapping[Watch, Sequence[int]], tally: Tally) -> None:
    for watch, places in shown.items():
        if own.offset(places[0]) < watch.watched.after:
            tally.restate.add(person.id)
        watch.see(_Run(person, own, places), tally.alerts)
        watch.watched.after = own.offset(places[-1]) + 1


def watch_event(person: Person, event: Event, tally: Tally) -> None:
    """Shows the rules one event."""
    for watch in person.watching.get(event.kind, ()):
        if event.offset < watch.watched.after:
            tally.restate.add(person.id)
        watch.see(_One(person, event), tally.alerts)
        watch.watched.after = event.offset + 1


class _Run:
    """Some places of an employee's columns: plain events."""

    __slots__ = ("_own", "_person", "_places", "correction", "times")

    def __init__(self, person: Person, own: EventColumns, places: Sequence[int]) -> None:
        self._person = person
        self._own = own
        self._places = places
        self.correction = False
        if isinstance(places, range):
            self.times: Sequence[int] = own.times[places.start : places.stop]
        else:
            self.times = [own.times[place] for place in places]

    def vectors(self, names: str) -> Sequence[Sequence[int]]:
        measures = self._own.measures
        own = [measures[place] for place in self._places]
        return [measured.vectors.get(names) or measured.vector(names) for measured in own]

    def event_id(self, place: int) -> str:
        return self._own.ids[self._places[place]]

    def stamp(self, place: int) -> int:
        return self._own.stamp(self._places[place])

    def unit(self, place: int) -> str:
        kind = self._own.kinds[self._places[place]]
        return self._person.unit or self._own.shape(kind).dims.values.get("line", "")

    def targets(self, place: int) -> Mapping[str, float]:
        return target_values(self._person.state, self.times[place])


class _One:
    """One event, which may be older than what came before, or a correction."""

    __slots__ = ("_event", "_person", "times")

    def __init__(self, person: Person, event: Event) -> None:
        self._person = person
        self._event: Final = event
        self.times: Sequence[int] = (event.occurred_at,)

    def vectors(self, names: str) -> Sequence[Sequence[int]]:
        return (self._event.measures.vector(names),)

    @property
    def correction(self) -> bool:
        return self._event.corrects is not None

    def event_id(self, place: int) -> str:
        return self._event.event_id

    def stamp(self, place: int) -> int:
        return self._event.timestamp

    def unit(self, place: int) -> str:
        return self._person.unit or self._event.dims.values.get("line", "")

    def targets(self, place: int) -> Mapping[str, float]:
        return target_values(self._person.state, self._event.occurred_at)
