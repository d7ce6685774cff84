"""What happens to an event, whole: late? known? held? unused? else it counts.

`step` takes one employee's events of one topic, as columns in log order. It changes the person's state and tells
the rest through a Tally. It reads no clock: a record is decided at its own log time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import lt

import msgspec

from schemas.columns import EventColumns
from schemas.event import Event
from schemas.instants import DAY, HOUR
from stream.accumulate import add_all
from stream.decide import decide
from stream.dedupe import TAIL, Recall, extend, kept_identities, new_lane, register, registered, seal
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


def step(person: Person, own: EventColumns, topic: int, limits: Limits, recall: Recall, tally: Tally) -> None:
    """Applies one employee's events of one topic, in log order; those below the applied offset are skipped.

    Most events are newer than all before them and of a kind that was seen before: they are counted many at once. All
    others go through `_general`, one by one, which is the whole rule and gives the same.
    """
    state, place, end = person.state, 0, len(own.times)
    if own.offset(0) < state.applied[topic]:
        place = bisect_left(range(end), state.applied[topic], key=own.offset)
        if place == end:
            return
    state.applied[topic] = own.offset(end - 1) + 1
    lane = state.lanes[topic] or _open(state.lanes, topic)
    straight = topic != PEOPLE and tally.kept is None
    bound = person.bound
    stops = _doubts(own, place, limits.late) if straight else range(place, end)
    familiar = bound.keys() >= set(own.kinds)
    for stop in (*stops, end):
        while place < stop:
            until = _clear(person, lane, own.times, place, stop) if state.lanes[topic + 3] is None else place
            if not familiar or person.bound is not bound:
                until = _bound_until(person.bound, own.kinds, place, until)
            if until > place:
                _count(person, lane, own, place, until, topic, tally)
                place = until
            else:
                _general(person, own.event(place, person.id), topic, limits, recall, tally)
                place += 1
        if stop < end:
            _general(person, own.event(stop, person.id), topic, limits, recall, tally)
            place = stop + 1
    if kept_identities(lane) > limits.tail:
        _put_away(person, topic, lane, limits, tally)
    corrections = state.lanes[topic + 3]
    if corrections is not None and kept_identities(corrections) > limits.tail:
        _put_away(person, topic + 3, corrections, limits, tally)


def _doubts(own: EventColumns, begin: int, late: int) -> Sequence[int]:
    """The places that the whole rule must look at; between two of them events are in order and in time."""
    times = own.times
    if all(map(lt, times, times[1:])) and own.tables.delay <= late and not own.tables.corrects:
        return ()
    doubts = {place for place, (earlier, at) in enumerate(pairwise(times), 1) if at <= earlier}
    if own.tables.delay > late:
        doubts.update(place for place, at in enumerate(times) if own.stamp(place) - at > late)
    if own.tables.corrects:
        doubts.update(place for place in range(len(times)) if own.offset(place) in own.tables.corrects)
    return sorted(place for place in doubts if place >= begin)


def _clear(person: Person, lane: Lane, times: Sequence[int], begin: int, end: int) -> int:
    """Up to where events in order are newer than all before them and under the person's present rules."""
    if times[begin] <= lane.latest or not person.begins <= times[begin] < person.ends:
        return begin
    return end if times[end - 1] < person.ends else bisect_left(times, person.ends, begin, end)


def _bound_until(bound: Mapping[int, object], kinds: Sequence[int], begin: int, end: int) -> int:
    """Up to where all kinds are known."""
    return next((place for place in range(begin, end) if kinds[place] not in bound), end)


def _count(person: Person, lane: Lane, own: EventColumns, begin: int, end: int, topic: int, tally: Tally) -> None:
    """Events newer than all of the topic before them, in order, of kinds that land somewhere: they count."""
    state, times = person.state, own.times if end - begin == len(own.times) else own.times[begin:end]
    latest = times[-1]
    extend(lane, *own.identities(begin, end), latest)
    state.sources[topic].update(own.newest(begin, end))
    state.newest = add_all(person.bound, own.kinds[begin:end], own.measures[begin:end], times, state.newest)
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
