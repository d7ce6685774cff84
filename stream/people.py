"""What people events say: role and unit, and personal targets, each from its own instant on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

from schemas.event import Event
from stream.person import Person
from stream.state import Assignment, Target

ASSIGNMENT: Final = "people.assignment"
TARGET: Final = "people.target"


def apply_person_event(person: Person, event: Event) -> bool:
    """Records an assignment or targets; True when it changes what earlier events count in, or say."""
    if event.type == ASSIGNMENT:
        return _assign(person, event)
    if event.type == TARGET:
        _aim(person, event)
        return event.occurred_at <= person.state.measured and person.aims()
    return False


def _assign(person: Person, event: Event) -> bool:
    """An assignment holds from its instant to the next one's; of equal instants the later in the log holds."""
    state, at = person.state, event.occurred_at
    entry = Assignment(at, event.dims.values.get("role"), event.dims.values.get("unit"))
    place = bisect_left(state.assignments, at, key=lambda known: known.at)
    same = place < len(state.assignments) and state.assignments[place].at == at
    if same and state.assignments[place] == entry:
        return False
    if same:
        state.assignments[place] = entry
    else:
        state.assignments.insert(place, entry)
    person.adopt(person.rules)
    return at <= state.measured


def _aim(person: Person, event: Event) -> None:
    """A target's differences add to the entry of their instant, whether or not its plain event is known."""
    at = event.occurred_at
    for name, micro in event.measures.micro.items():
        entries = person.state.targets.setdefault(name, [])
        place = bisect_right(entries, at, key=lambda known: known.at)
        if place == 0 or entries[place - 1].at != at:
            entries.insert(place, Target(at, 0, 0))
            place += 1
        entry = entries[place - 1]
        if event.corrects is None:
            entry.said = micro
        else:
            entry.corrected += micro
