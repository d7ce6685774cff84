"""Held records wait in the log; the state keeps where. They are decided when rules apply, or become late."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.event import Event
from stream.decide import decide
from stream.state import Held, Person
from stream.tally import Tally


def open_gate(person: Person) -> list[Held]:
    """The held records to which some version applies by now."""
    return [held for held in person.state.held if person.resolve(held.at).versions]


def release(person: Person, events: Mapping[Held, Event], tally: Tally) -> None:
    """Scores held records whose gate is open. `events` are the same records, read from the log again."""
    state = person.state
    for held, event in events.items():
        state.held.remove(held)
        tally.held -= 1
        decide(person, event, held.topic, tally)


def expire(person: Person, at: int, held_ms: int, tally: Tally) -> None:
    """At a tick: what has been held for longer than `held_ms` becomes late."""
    state = person.state
    staying = [held for held in state.held if at - held.at <= held_ms]
    gone = len(state.held) - len(staying)
    if gone:
        state.held = staying
        tally.held -= gone
        tally.late += gone


def expiry(person: Person, held_ms: int) -> int | None:
    """When the next held record becomes late, None when none waits."""
    return min((held.at + held_ms + 1 for held in person.state.held), default=None)
