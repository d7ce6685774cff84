"""A past that has changed is counted anew, of whom it has changed for: rules that reach back, assignments said late.

Identities and what units and ticks have decided stay; sums, held records and alerts are those of the replay. The log
is read in a thread, everything else done in slices: nobody else changes the partition meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from agents.held_events import HELD_AT_ONCE, events_again
from agents.replay import replay
from agents.rules import version_names
from agents.slices import Slices
from agents.told import keep_decided, keep_handling, put_right, said
from agents.transport.log import Outgoing
from schemas.alerts import AlertRow
from stream.held import open_gate, release
from stream.history import History
from stream.keys import EMPLOYEE
from stream.person import Person
from stream.rulebook import Rulebook
from stream.state import Expired, Held, State, decode_state
from stream.tally import Tally

if TYPE_CHECKING:
    from agents.partition import Partition

SLICE: Final = 64  # employees
MANY: Final = 1_024  # of whom only a note is made


def adopt(partition: Partition, rules: Rulebook, since: int) -> Slices:
    """Takes a new rulebook that differs from the old one from `since` (ms) on: restates, releases, shows."""
    partition.rules = rules
    partition.meta.rules = version_names(rules)
    for count, person in enumerate(list(partition.persons.values())):
        person.adopt(rules)
        if count % SLICE == 0:
            yield
    everybody = yield partition.employees_of()
    settled = set(partition.unsettled)
    if since <= partition.meta.measured:
        for count, (name, state) in enumerate(_states(partition)):
            if state.measured >= since:
                settled.add(name)
            if count % SLICE == 0:
                yield
    partition.unsettled = set(settled)
    yield from settle(partition)
    waiting = [name for name in dict.fromkeys([*partition.holding, *partition.dirty]) if name not in settled]
    yield from decide_held(partition, waiting)
    partition.owed.everybody(everybody)
    if rules.awaits_units:
        partition.shares.stir(everybody)
    if rules.awaits_silence:
        yield from _await_silence(partition, everybody, since)


def _await_silence(partition: Partition, everybody: Sequence[str], since: int) -> Slices:
    """Ticks look at everybody: the next one where these rules hold already, another when they begin to, at `since`."""
    noticed = since <= partition.meta.now
    for begin in range(0, len(everybody), MANY):
        some = everybody[begin : begin + MANY]
        if noticed:
            partition.alerting.noticed(some)
        for name in some:
            partition.due.schedule(name, since)
        yield


def settle(partition: Partition) -> Slices:
    """Before a tick and before a commit: counts anew whoever's past has changed, once for all that changed it."""
    if partition.unsettled:
        yield from restate(partition, partition.unsettled)
        partition.unsettled = set()


def restate(partition: Partition, employees: Collection[str]) -> Slices:
    """Counts some employees' records anew, from the log, under the assignments and rules known by now."""
    expired: dict[str, Collection[Expired]] = {}
    for count, name in enumerate(employees):
        if late := partition.person(name).state.expired:
            expired[name] = late
        if count % SLICE == 0:
            yield
    said_last = (*partition.sending, *partition.outputs)
    histories, alerts = yield lambda: _counted_anew(partition, employees, expired, said_last)
    meta, fell = partition.meta, False
    last = meta.last
    for count, (employee_id, history) in enumerate(histories.items()):
        person = partition.person(employee_id)
        was = person.state.newest
        kept = _transplant(partition, person, history)
        right = put_right(alerts.get(employee_id, {}), history.alerts, kept, meta.logged)
        partition.outputs.extend(partition.alerting.told(right))
        fell = fell or person.state.newest < was == last
        meta.last = max(meta.last, person.state.newest)
        if count % SLICE == 0:
            yield
    if fell:
        yield from _find_last(partition)


def _counted_anew(
    partition: Partition,
    employees: Collection[str],
    expired: Mapping[str, Collection[Expired]],
    waiting: Sequence[Outgoing],
) -> tuple[dict[str, History], dict[str, dict[str, AlertRow]]]:
    """In a thread: what the log says about them, and what was said of their alerts."""
    log, number, meta = partition.log, partition.number, partition.meta
    histories = replay(
        log, partition.rules, number, partition.limits, employees=employees, until=meta.applied, expired=expired
    )
    return histories, said(log, number, waiting, histories) if histories else {}


def _find_last(partition: Partition) -> Slices:
    """The newest instant may have gone with what is counted anew: it is looked for in all states."""
    newest = -1
    for count, (_, state) in enumerate(_states(partition)):
        newest = max(newest, state.newest)
        if count % SLICE == 0:
            yield
    partition.meta.last = newest


def _states(partition: Partition) -> Iterator[tuple[str, State]]:
    """Everybody's state; who is not in memory stays out of it."""
    yield from [(name, person.state) for name, person in partition.persons.items()]
    elsewhere = {key: raw for key, raw in partition.flushing.items() if key[:1] == EMPLOYEE and raw is not None}
    for key, raw in chain(elsewhere.items(), partition.store.items(EMPLOYEE)):
        name = key[1:].decode()
        if name not in partition.persons and elsewhere.get(key, raw) is raw:
            yield name, decode_state(raw)


def _transplant(partition: Partition, person: Person, history: History) -> set[str]:
    """Sums, held records and counts of the replay take the place of the old ones; identities stay.

    The ids of alerts that stay although no record raised them.
    """
    old, new = person.state, history.person.state
    for outcome, was, now in (
        ("scored", old.scored, new.scored),
        ("unused", old.unused, new.unused),
        ("held", len(old.held), len(new.held)),
    ):
        partition.meta.count(outcome, now - was)
    kept = keep_decided(old, new)
    keep_handling(old, new)
    old.segments, old.held, old.watched = new.segments, new.held, new.watched
    old.scored, old.unused, old.measured, old.newest = new.scored, new.unused, new.measured, new.newest
    person.adopt(partition.rules)
    partition.changed(person)
    partition.expect_expiry(person)
    return kept


def decide_held(partition: Partition, employees: Iterable[str]) -> Slices:
    """Decides employees' held records anew, read from the log again: many at once."""
    waiting: dict[str, list[Held]] = {}
    found = 0
    for count, employee_id in enumerate(employees):
        opened = open_gate(partition.person(employee_id))
        if opened:
            waiting[employee_id] = opened
            found += len(opened)
        if found >= HELD_AT_ONCE:
            yield from _decide(partition, waiting)
            waiting, found = {}, 0
        if count % SLICE == 0:
            yield
    if waiting:
        yield from _decide(partition, waiting)


def _decide(partition: Partition, waiting: Mapping[str, Sequence[Held]]) -> Slices:
    wanted = list(chain.from_iterable(waiting.values()))
    events = yield partial(events_again, partition.log, partition.number, wanted)
    tally = Tally()
    for employee_id, opened in waiting.items():
        person = partition.person(employee_id)
        found = [held for held in opened if held in events]
        many = max(SLICE, len(found) // SLICE)  # each part looks through all that are held
        for begin in range(0, max(1, len(found)), many):
            release(person, {held: events[held] for held in found[begin : begin + many]}, tally)
            partition.changed(person)
            yield
    partition.note(tally)
    partition.unsettled |= tally.restate
