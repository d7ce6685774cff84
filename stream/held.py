"""Held records wait in the log; the state keeps where. They are decided when rules apply, or become late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.event import Event
from stream.decide import decide
from stream.person import Person
from stream.state import Expired, Held
from stream.tally import Tally


def open_gate(person: Person) -> list[Held]:
    """The held records to which some version applies by now."""
    return [held for held in person.state.held if person.resolve(held.at).versions]


def release(person: Person, events: Mapping[Held, Event], tally: Tally) -> None:
    """Scores held records whose gate is open. `events` are the same records, read from the log again."""
    person.state.held = [held for held in person.state.held if held not in events]
    tally.held -= len(events)
    for held, event in events.items():
        decide(person, event, held.topic, tally)


def expire(person: Person, at: int, follows: Sequence[int], held_ms: int, tally: Tally) -> list[Held]:
    """At a tick: what has been held for longer than `held_ms` becomes late, for good; these records.

    `follows` is the tick's place in the log, an offset per topic: a record from there on is not touched.
    """
    state = person.state
    gone = [held for held in state.held if at - held.at > held_ms and held.offset < follows[held.topic]]
    if gone:
        state.held = [held for held in state.held if held not in set(gone)]
        state.expired.extend(Expired(held.topic, held.offset, at) for held in gone)
        tally.held -= len(gone)
        tally.late += len(gone)
    return gone


def expiry(person: Person, held_ms: int) -> int | None:
    """When the next held record becomes late, None when none waits."""
    return min((held.at + held_ms + 1 for held in person.state.held), default=None)
