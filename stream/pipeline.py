"""What happens to an event, whole: late? known? held? unused? else it counts.

`step` takes one employee's events of one topic, as columns in log order. It changes the person's state and tells
the rest through a Tally. It reads no clock: a record is decided at its own log time.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import msgspec

from schemas.columns import EventColumns, EventGroups
from schemas.event import Event
from schemas.instants import DAY, HOUR
from stream.accumulate import add_all
from stream.decide import decide
from stream.dedupe import TAIL, Recall, extend, kept_identities, new_lane, register, registered, seal
from stream.people import apply_person_event
from stream.person import Person
from stream.state import LANES, PEOPLE, Lane
from stream.tally import Forget, Tally
from stream.together import FEWEST, Together
from stream.watching import watch_run


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


def step(person: Person, own: EventColumns, topic: int, limits: Limits, recall: Recall, tally: Tally) -> None:
    """Applies one employee's events of one topic, in log order; those below the applied offset are skipped.

    Most events are newer than all before them and of a kind that was seen before: they are counted many at once. All
    others go through `_general`, one by one, which is the whole rule and gives the same.
    """
    state, applied = person.state, person.state.applied[topic]
    if own.after <= applied:
        return
    state.applied[topic] = own.after
    lane = state.lanes[topic] or _open(state.lanes, topic)
    if topic == PEOPLE or tally.kept is not None or own.first < applied:
        for event in own.events(person.id):
            if event.offset >= applied:
                _general(person, event, topic, limits, recall, tally)
    elif own.orderly and own.delay <= limits.late and _all_clear(person, lane, own, topic):
        _count(person, lane, own, 0, len(own.times), topic, tally)
        tally.duplicate += len(own.copies())
    else:
        _walk(person, lane, own, topic, limits, recall, tally)
    if kept_identities(lane) > limits.tail:
        _put_away(person, topic, lane, limits, tally)
    corrections = state.lanes[topic + 3]
    if corrections is not None and kept_identities(corrections) > limits.tail:
        _put_away(person, topic + 3, corrections, limits, tally)


def together(groups: EventGroups, topic: int, limits: Limits, fewest: int = FEWEST) -> Together:
    """A chunk's people, to be counted together but for those that need `step`; at least so many under one regime."""

    def see_to(person: Person, lane: Lane, tally: Tally) -> None:
        if kept_identities(lane) > limits.tail:
            _put_away(person, topic, lane, limits, tally)

    return Together(groups, topic, limits.late, see_to, fewest)


def _all_clear(person: Person, lane: Lane, own: EventColumns, topic: int) -> bool:
    """Whether events in order are newer than all before them, under one regime and of kinds that land somewhere."""
    times = own.times
    if times[0] <= lane.latest or person.state.lanes[topic + 3] is not None:
        return False
    if not person.begins <= times[0] < person.ends:
        person.resolve(times[0])
    if times[-1] >= person.ends:
        return False
    return all(map(person.bound.get, own.kinds)) or person.bind_new(own)


def _walk(
    person: Person, lane: Lane, own: EventColumns, topic: int, limits: Limits, recall: Recall, tally: Tally
) -> None:
    """Counts the runs that are clear; looks at every other event by itself. A copy follows what it repeats."""
    doubts = _doubts(own, limits.late)
    copies = own.copies()
    borders = sorted({*doubts, *(copy.place + 1 for copy in copies), len(own)})
    place = following = 0
    for border in borders:
        while place < border:
            until = place if place in doubts else _clear(person, lane, own, topic, place, border)
            counted = until > place
            if counted:
                _count(person, lane, own, place, until, topic, tally)
            else:
                _general(person, own.event(place, person.id), topic, limits, recall, tally)
                until = place + 1
            place = until
            while following < len(copies) and copies[following].place < place:
                if counted and own.delay <= limits.late:
                    tally.duplicate += 1
                else:
                    _general(person, own.copy(copies[following], person.id), topic, limits, recall, tally)
                following += 1


def _doubts(own: EventColumns, late: int) -> frozenset[int]:
    """The places that the whole rule must look at; between two of them events are in order and in time."""
    times = own.times
    doubts: set[int] = set()
    if not own.orderly:
        doubts.update(place for place, (earlier, at) in enumerate(pairwise(times), 1) if at <= earlier)
        doubts.update(filter(own.corrects, range(len(times))))
    if own.delay > late:
        doubts.update(place for place, at in enumerate(times) if own.stamp(place) - at > late)
    return frozenset(doubts)


def _clear(person: Person, lane: Lane, own: EventColumns, topic: int, begin: int, end: int) -> int:
    """Up to where events in order are newer than all before them, under the present rules and of known kinds."""
    times, bound = own.times, person.bound
    if not person.begins <= times[begin] > lane.latest or person.state.lanes[topic + 3] is not None:
        return begin
    if times[end - 1] >= person.ends:
        end = bisect_left(times, person.ends, begin, end)
    return next((place for place in range(begin, end) if own.kinds[place] not in bound), end)


def _count(person: Person, lane: Lane, own: EventColumns, begin: int, end: int, topic: int, tally: Tally) -> None:
    """Events newer than all of the topic before them, in order, of kinds that land somewhere: they count."""
    state, times, kinds, measures = person.state, own.times, own.kinds, own.measures
    if end - begin < len(times):
        times, kinds, measures = times[begin:end], kinds[begin:end], measures[begin:end]
    latest = times[-1]
    extend(lane, *own.identities(begin, end), latest)
    own.note_newest(state.sources[topic], begin, end)
    if person.watching:
        watch_run(person, own, begin, end, tally)
    state.newest = add_all(person.bound, kinds, measures, times, state.newest)
    state.scored += end - begin
    tally.scored += end - begin
    if latest > state.measured:
        state.measured = latest
    if latest > tally.last:
        tally.last = latest


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
