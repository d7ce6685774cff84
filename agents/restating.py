"""Whoever's past has changed is counted anew, from the log, and what was said of it is put right.

Identities and what units and ticks have decided stay; sums, held records and alerts are those of the replay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from agents.replay import replay
from agents.told import keep_decided, keep_handling, put_right, said
from stream.history import History
from stream.keys import EMPLOYEE
from stream.person import Person
from stream.state import State, decode_state

if TYPE_CHECKING:
    from agents.partition import Partition


def restate(partition: Partition, employees: Collection[str]) -> None:
    """Counts some employees' records anew, under the assignments and rules known by now."""
    histories = replay(
        partition.log,
        partition.rules,
        partition.number,
        partition.limits,
        employees=employees,
        until=partition.meta.applied,
        expired={name: partition.person(name).state.expired for name in employees},
    )
    meta, fell = partition.meta, False
    last, waiting = meta.last, (*partition.sending, *partition.outputs)
    alerts = said(partition.log, partition.number, waiting, histories) if histories else {}
    for employee_id, history in histories.items():
        person = partition.person(employee_id)
        was = person.state.newest
        kept = _transplant(partition, person, history)
        right = put_right(alerts.get(employee_id, {}), history.alerts, kept, meta.logged)
        partition.outputs.extend(partition.alerting.told(right))
        fell = fell or person.state.newest < was == last
        meta.last = max(meta.last, person.state.newest)
    if fell:
        meta.last = max(state.newest for state in _states(partition))


def _states(partition: Partition) -> Iterator[State]:
    """Everybody's state; who is not in memory stays out of it."""
    persons = partition.persons
    yield from (person.state for person in persons.values())
    elsewhere = {key: raw for key, raw in partition.flushing.items() if key[:1] == EMPLOYEE and raw is not None}
    for key, raw in chain(elsewhere.items(), partition.store.items(EMPLOYEE)):
        if key[1:].decode() not in persons and elsewhere.get(key, raw) is raw:
            yield decode_state(raw)


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
