"""An event that is new is held, unused or scored: rules in force for the person at its own instant decide."""

from __future__ import annotations

from schemas.event import Event
from stream.accumulate import add
from stream.person import Person
from stream.state import Held
from stream.tally import Tally
from stream.watching import watch_event


def decide(person: Person, event: Event, topic: int, tally: Tally) -> None:
    """Holds an event to which no version applies, else counts it where its type and dims belong."""
    state = person.state
    at = event.occurred_at
    regime = person.regime if person.begins <= at < person.ends else person.resolve(at)
    action = regime.action(event.type, event.dims)
    if not action.entries:
        if regime.versions:
            tally.unused += 1
            state.unused += 1
            if at > state.measured:
                state.measured = at
        else:
            tally.held += 1
            tally.waiting.add(person.id)
            state.held.append(Held(topic, event.offset, at))
        return
    tally.scored += 1
    state.scored += 1
    if at > state.measured:
        state.measured = at
    if at > state.newest:
        state.newest = at
    if at > tally.last:
        tally.last = at
    landings = person.bound.get(event.kind)
    if landings is None:
        landings = person.bind(event.kind, action)
    watch_event(person, event, tally)
    add(landings, event.measures, at, state.newest)
