"""The durable value: states its own format, tells its due time without being read, and keeps everything."""

from __future__ import annotations

import pytest

from schemas.packed import pack
from stream.person import Person
from stream.rulebook import Rulebook
from stream.state import (
    NEVER,
    Assignment,
    Calendar,
    Cells,
    Expired,
    Held,
    Lane,
    Segment,
    State,
    Target,
    UnknownFormat,
    assignment_at,
    decode_state,
    due_of,
    encode_state,
    has_rows,
    target_values,
)


def _full() -> State:
    state = State()
    state.applied = [1, 2, 3]
    state.newest, state.measured, state.scored, state.unused = 5, 6, 7, 8
    state.sources[1]["aoi"] = 9
    state.assignments.append(Assignment(1, "operator", None))
    state.targets["quota"] = [Target(1, 2, 3)]
    state.held.append(Held(1, 2, 3))
    state.lanes[1] = Lane("e\n", pack((1,)), pack((1 << 62,)), 1, 2, 3, 4)
    state.segments.append(Segment("op", 1, "L1", [Cells([{7: [1, 2]}], [Calendar(0, 9, [1, 2])])]))
    state.expired.append(Expired(0, 1, 2))
    return state


def test_a_state_comes_back_whole() -> None:
    """Everything that is remembered survives, due included."""
    raw = encode_state(_full(), 12_345)
    assert _full() == decode_state(raw)
    assert 12_345 == due_of(raw)
    assert NEVER == due_of(encode_state(State(), NEVER))


def test_a_value_of_before_a_field_was_added_is_still_read() -> None:
    """What came later in the state is empty then."""
    raw = encode_state(State(), 0)
    without_last = raw[:9] + bytes((raw[9] - 1,)) + raw[10:-1]
    assert State() == decode_state(without_last)


def test_another_format_is_refused_by_name() -> None:
    """A value of another version is no state, whatever follows."""
    with pytest.raises(UnknownFormat, match="install the version"):
        decode_state(b"\x63" + encode_state(State(), 0)[1:])


def test_two_states_share_nothing() -> None:
    """What one employee gets, another does not have."""
    one, other = State(), State()
    one.assignments.append(Assignment(1, None, None))
    one.sources[0]["a"] = 1
    one.held.append(Held(0, 0, 0))
    assert State() == other


def test_the_assignment_in_force() -> None:
    """The one with the largest instant not after it, and from when until when."""
    known = [Assignment(10, "operator", "L1"), Assignment(20, None, "L2")]
    assert (None, None, -NEVER, 10) == assignment_at(known, 9)
    assert ("operator", "L1", 10, 20) == assignment_at(known, 10)
    assert (None, "L2", 20, NEVER) == assignment_at(known, 20)


def test_targets_in_force_are_in_units() -> None:
    """Per name the latest instant not after it; corrections add to what was said."""
    state = State()
    state.targets = {"quota": [Target(10, 2_000_000, -500_000), Target(20, 1, 0)], "later": [Target(30, 1, 1)]}
    assert {"quota": 1.5} == target_values(state, 19)
    assert {"quota": 0.000001} == target_values(state, 29)
    assert {} == target_values(state, 9)


@pytest.mark.parametrize(
    ("state", "known"),
    [
        (State(), False),
        (State(scored=0, newest=5), True),
        (State(unused=1), True),
        (State(held=[Held(0, 0, 0)]), True),
        (State(expired=[Expired(0, 0, 0)]), False),
    ],
)
def test_who_has_rows(state: State, known: bool) -> None:
    """Somebody of whom a record is held, unused or scored."""
    assert known is has_rows(state)


def test_a_person_remembers_how_long_a_regime_holds() -> None:
    """Until the next assignment, and no rule at all without templates."""
    state = State(assignments=[Assignment(10, "operator", "L1"), Assignment(20, "guest", None)])
    person = Person("E1", state, Rulebook())
    assert () == person.resolve(15).versions
    assert (10, 20, "L1") == (person.begins, person.ends, person.unit)
