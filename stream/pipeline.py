"""What happens to an event, whole: late? known? held? unused? else it counts.

`step` takes one employee's events of one topic in log order. It changes the person's state and tells the rest
through a Tally. It reads no clock: a record is decided at its own log time.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.event import Event
from schemas.instants import DAY, HOUR
from stream.accumulate import add
from stream.decide import decide
from stream.dedupe import TAIL, Recall, new_lane, register, registered, seal
from stream.people import apply_person_event
from stream.state import LANES, PEOPLE, Lane, Person
from stream.tally import Forget, Tally


class Limits(msgspec.Struct, frozen=True):
    """How long things are waited for and remembered, in ms (contract, section 2)."""

    late: int = 7 * DAY  # log time - occurred_at
    horizon: int = 35 * DAY  # behind the newest of the same topic, employee and source; identities kept
    correction: int = 400 * DAY  # both of these for a correction
    held: int = 400 * DAY  # a held event becomes late
    tail: int = TAIL  # unsealed identities kept in a state; beyond that all but a quarter are sealed


def limit_values(limits: Limits) -> dict[str, int]:
    """The limits that decide how records end, by name, in ms."""
    return {name: getattr(limits, name) for name in ("late", "horizon", "correction", "held")}


def step(person: Person, events: Sequence[Event], topic: int, limits: Limits, recall: Recall, tally: Tally) -> None:
    """Applies events of one employee and topic, in log order; those below the applied offset are skipped.

    Most events are newer than all before them and of a kind that was seen before: they are counted right here.
    All others go through `_general`, which is the whole rule and gives the same.
    """
    state = person.state
    if events[0].offset < state.applied[topic]:
        events = [event for event in events if event.offset >= state.applied[topic]]
        if not events:
            return
    state.applied[topic] = events[-1].offset + 1
    lane = state.lanes[topic] or _open(state.lanes, topic)
    sources, late_ms = state.sources[topic], limits.late
    ids, times, digests, kept = lane.ids, lane.times, lane.digests, tally.kept
    straight = topic != PEOPLE and state.lanes[topic + 3] is None and kept is None
    latest, newest, bound = lane.latest, state.newest, person.bound
    scored, settled, measured = 0, 0, -1  # counted here, before the last look at the whole rule, newest of those
    begins, ends = person.begins, person.ends
    for event in events:
        at = event.occurred_at
        if (
            straight
            and at > latest
            and begins <= at < ends
            and event.corrects is None
            and event.timestamp - at <= late_ms
            and at >= sources.get(source := event.source, -1)
            and (landings := bound.get(event.kind)) is not None
        ):
            sources[source] = latest = at
            ids.append(event.event_id)
            times.append(at)
            digests.append(event.digest)
            scored += 1
            if at > newest:
                newest = at
            add(landings, event.measures, at, newest)
            continue
        if scored > settled:
            settled, measured = scored, latest
        lane.latest, state.newest = latest, newest
        _general(person, event, topic, limits, recall, tally)
        latest, newest, bound = lane.latest, state.newest, person.bound
        begins, ends = person.begins, person.ends
        straight = straight and state.lanes[topic + 3] is None
    lane.latest, state.newest = latest, newest
    if scored:
        state.scored += scored
        tally.scored += scored
        measured = latest if scored > settled else measured  # not that of a newer event which waits
        state.measured = max(state.measured, measured)
        tally.last = max(tally.last, measured)
    if len(ids) > limits.tail:
        _put_away(person, topic, lane, limits, tally)
    corrections = state.lanes[topic + 3]
    if corrections is not None and len(corrections.ids) > limits.tail:
        _put_away(person, topic + 3, corrections, limits, tally)


def pass_over(person: Person, event: Event, topic: int) -> None:
    """An event that was held for too long: known, so that it cannot come again, but it counts nowhere."""
    state = person.state
    state.applied[topic] = event.offset + 1
    state.sources[topic][event.source] = max(event.occurred_at, state.sources[topic].get(event.source, -1))
    number = topic if event.corrects is None else topic + 3
    register(state.lanes[number] or _open(state.lanes, number), event)


def _general(person: Person, event: Event, topic: int, limits: Limits, recall: Recall, tally: Tally) -> None:
    """The whole rule for one event, in the contract's order: late, duplicate or conflict, then what it counts."""
    state, at = person.state, event.occurred_at
    newest = state.sources[topic].get(event.source, -1)
    waiting, behind = (limits.late, limits.horizon) if event.corrects is None else (limits.correction,) * 2
    if event.timestamp - at > waiting or at < newest - behind:
        tally.late += 1
        tally.late_events.append(event)
        return
    known = registered(event, state, topic, limits.horizon, limits.correction, recall)
    if known is not None:
        _repeated(event, known, tally)
        return
    if tally.kept is not None:
        tally.kept.append(event)
    if at > newest:
        state.sources[topic][event.source] = at
    number = topic if event.corrects is None else topic + 3
    register(state.lanes[number] or _open(state.lanes, number), event)
    if topic == PEOPLE:
        _person_event(person, event, tally)
    else:
        decide(person, event, topic, tally)


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
    tally.sealed.extend(seal(person.id, number, lane, limits.tail // 4))
    sources = person.state.sources[number % 3]
    kept = limits.correction if number >= LANES // 2 else limits.horizon
    before = (min(sources.values()) - kept) // HOUR
    if lane.oldest + 24 <= before:  # a day's worth at a time
        tally.forget.append(Forget(person.id, number, before))
        lane.oldest = before
