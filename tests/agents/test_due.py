"""Everybody falls due once, at the earliest instant that was asked for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.due import Due
from stream.state import NEVER


def test_the_earliest_instant_counts() -> None:
    """Who is scheduled twice is taken once; later than asked for does not count."""
    due = Due()
    due.schedule("E1", 10)
    due.schedule("E2", 20)
    due.schedule("E1", 5)
    due.schedule("E1", 30)
    assert not due.by(4)
    assert due.by(5)
    assert ["E1"] == list(due.take(19))
    assert ["E2"] == list(due.take(50))
    assert [] == list(due.take(10**15))


def test_who_was_taken_can_be_scheduled_again() -> None:
    """Also at an instant that is past already."""
    due = Due()
    due.schedule("E1", 10)
    assert ["E1"] == list(due.take(10))
    due.schedule("E1", 3)
    assert ["E1"] == list(due.take(10))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20))), st.integers(0, 20))
def test_nobody_is_forgotten(asked: list[tuple[str, int]], now: int) -> None:
    """Exactly those are taken whose earliest instant has come; the rest follows later."""
    due = Due()
    for employee_id, at in asked:
        due.schedule(employee_id, at)
    early = {name for name, at in asked if at <= now}
    taken = list(due.take(now))
    assert sorted(early) == sorted(taken)
    assert {name for name, _ in asked} - early == set(due.take(20))


def test_who_never_falls_due_takes_no_room() -> None:
    """However often that is said of them, between two times at which they do."""
    due = Due()
    for at in range(1_000):
        due.schedule("E1", NEVER)
        due.schedule("E1", at)
        assert ["E1"] == list(due.take(at))
    due.schedule("E1", NEVER)
    assert ([], {}) == (due._heap, due._earliest)
