"""What happens to an event, whole: late? known? held? unused? else it counts.

`step` takes one employee's events of one topic in log order. It changes the person's state and tells the rest
through a Tally. It reads no clock: a record is decided at its own log time.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.event import Event
from schemas.instants import DAY, HOUR
from stream.decide import decide
from stream.dedupe import TAIL, Recall, new_lane, registered, seal
from stream.people import apply_person_event
from stream.state import LANES, PEOPLE, Lane, Person
from stream.tally import Forget, Tally


class Limits(msgspec.Struct, frozen=True):
    """How long things are waited for and remembered, in ms (contract, section 2)."""

    late: int = 7 * DAY  # log time - occurred_at
    horizon: int = 35 * DAY  # behind the newest of the same topic, employee and source; identities kept
    correction: int = 400 * DAY  # both of these for a correction
    held: int = 400 * DAY  # a held event becomes late
    tail: int = TAIL  # unsealed identities kept in a state


def step(person: Person, events: Sequence[Event], topic: int, limits: Limits, recall: Recall, tally: Tally) -> None:
    """Applies events of one employee and topic, in log order; those below the applied offset are skipped."""
    state = person.state
    if events[0].offset < state.applied[topic]:
        events = [event for event in events if event.offset >= state.applied[topic]]
        if not events:
            return
    state.applied[topic] = events[-1].offset + 1
    lanes = state.lanes
    lane = lanes[topic] or _open(lanes, topic)
    sources = state.sources[topic]
    kept = tally.kept
    for event in events:
        at, corrects = event.occurred_at, event.corrects
        newest = sources.get(event.source, -1)
        if corrects is None:
            late = event.timestamp - at > limits.late or at < newest - limits.horizon
            home = lane
        else:
            late = event.timestamp - at > limits.correction or at < newest - limits.correction
            home = lanes[topic + 3] or _open(lanes, topic + 3)
        if late:
            tally.late += 1
            tally.late_events.append(event)
            continue
        if at <= lane.latest or lanes[topic + 3] is not None:
            known = registered(person.id, state, topic, event.event_id, at, recall)
            if known is not None:
                _repeated(event, known, tally)
                continue
        if kept is not None:
            kept.append(event)
        if at > newest:
            sources[event.source] = at
        if at > home.latest:
            home.latest = at
        home.ids.append(event.event_id)
        home.times.append(at)
        home.digests.append(event.digest)
        if topic == PEOPLE:
            _person_event(person, event, tally)
        else:
            decide(person, event, topic, tally)
    for number in (topic, topic + 3):
        found = lanes[number]
        if found is not None and len(found.ids) > limits.tail:
            _put_away(person, number, found, limits, tally)


def _person_event(person: Person, event: Event, tally: Tally) -> None:
    if apply_person_event(person, event):
        tally.restate.add(person.id)
    elif person.state.held:
        tally.release.add(person.id)
    tally.scored += 1
    person.state.newest = max(person.state.newest, event.occurred_at)
    tally.last = max(tally.last, event.occurred_at)


def _repeated(event: Event, known: int, tally: Tally) -> None:
    if known == event.digest:
        tally.duplicate += 1
    else:
        tally.conflicts.append(event)


def _open(lanes: list[Lane | None], number: int) -> Lane:
    lane = lanes[number] = new_lane()
    return lane


def _put_away(person: Person, number: int, lane: Lane, limits: Limits, tally: Tally) -> None:
    """Seals old identities; forgets those older than any event that would still be looked up."""
    tally.sealed.extend(seal(person.id, number, lane))
    sources = person.state.sources[number % 3]
    kept = limits.correction if number >= LANES // 2 else limits.horizon
    before = (min(sources.values()) - kept) // HOUR
    if lane.oldest + 24 <= before:  # a day's worth at a time
        tally.forget.append(Forget(person.id, number, before))
        lane.oldest = before
