"""What people events say holds from their own instant on, whenever they arrive."""

from __future__ import annotations

from schemas.event import Event
from schemas.event import decode_one as decode
from stream.people import apply_person_event
from stream.person import Person
from stream.rulebook import Rulebook
from stream.state import Assignment, State, target_values
from tests.oracle.logs import HOUR, NOON, Log


def _events(log: Log) -> list[Event]:
    found = [decode(r.value, r.key, r.topic, r.timestamp, lambda key: True) for r in log.records]
    return [event for event in found if isinstance(event, Event)]


def _person(log: Log) -> tuple[Person, list[bool]]:
    person = Person("E1", State(), Rulebook())
    person.state.measured = NOON
    return person, [apply_person_event(person, event) for event in _events(log)]


def test_assignments_stand_in_the_order_of_their_instants() -> None:
    """One that arrives late stands where it belongs; of one instant the later in the log stands."""
    log = Log()
    log.assign(NOON + HOUR, role="seller")
    log.assign(NOON - HOUR, role="operator", unit="L1")
    log.assign(NOON + HOUR, unit="L2")
    person, _ = _person(log)
    assert [
        Assignment(NOON - HOUR, "operator", "L1"),
        Assignment(NOON + HOUR, None, "L2"),
    ] == person.state.assignments


def test_only_what_reaches_back_to_counted_events_restates() -> None:
    """Not what begins after the newest of them, nor what changes nothing."""
    log = Log()
    log.assign(NOON + 1, role="operator")
    log.assign(NOON, role="operator")
    log.assign(NOON, role="operator")
    log.assign(NOON, role="seller")
    log.target(NOON - HOUR, quota=1)
    _, restates = _person(log)
    assert [False, True, False, True, False] == restates


def test_a_correction_of_a_target_adds_to_its_instant() -> None:
    """Whether or not the plain event is known, and whichever comes first; a later plain one takes its place."""
    log = Log()
    log.target(NOON, corrects="x", quota=0.5)
    log.target(NOON, quota=2, other=1)
    log.target(NOON, corrects="x", quota=-0.25)
    log.target(NOON, quota=3)
    log.target(NOON - HOUR, corrects="y", quota=7)
    person, _ = _person(log)
    assert {"quota": 3.25, "other": 1} == target_values(person.state, NOON)
    assert {"quota": 7} == target_values(person.state, NOON - 1)


def test_other_people_events_change_nothing() -> None:
    """They are scored, and that is all."""
    log = Log()
    log.send(type="people.note", measures={}, occurred_at=NOON)
    person, restates = _person(log)
    assert [False] == restates
    assert [] == person.state.assignments
    assert {} == person.state.targets
