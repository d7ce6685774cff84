"""The plant has the promised people, and somebody is always at work."""

from __future__ import annotations

from collections import Counter

import pytest

from agents.plant.factory import build, shift_at, shift_start
from schemas.instants import HOUR
from tests.plant.records import START, plant

SIX_IN_SHANGHAI = 1_790_028_000_000  # 2026-09-22 06:00 +08:00


def test_there_are_about_forty_people_on_three_lines() -> None:
    """Three lines in two shifts with six to eight people each, every one with an id of their own."""
    people = plant().people
    teams = Counter((person.line, person.shift) for person in people)
    assert set(teams) == {(line, shift) for line in ("L01", "L02", "L03") for shift in (0, 1)}
    assert set(teams.values()) == {6, 7, 8}
    assert len({person.id for person in people}) == len(people) == 42


def test_the_seed_decides() -> None:
    """The same seed gives the same plant, another seed other skills."""
    assert build(3) == build(3)
    assert [person.skill for person in build(3).people] != [person.skill for person in build(4).people]


@pytest.mark.parametrize("hours", range(0, 48, 3))
def test_somebody_is_always_at_work(hours: int) -> None:
    """At any hour half of the people are on shift, some on every line."""
    present = plant().on_shift(START + hours * HOUR)
    assert len(present) == 21
    assert {person.line for person in present} == {"L01", "L02", "L03"}


def test_shifts_change_at_six() -> None:
    """The day shift begins at 06:00 in Shanghai and the night shift twelve hours later."""
    assert (shift_at(SIX_IN_SHANGHAI - 1), shift_at(SIX_IN_SHANGHAI), shift_at(SIX_IN_SHANGHAI + 12 * HOUR)) == (
        1,
        0,
        1,
    )
    assert shift_start(SIX_IN_SHANGHAI + 5) == SIX_IN_SHANGHAI == shift_start(SIX_IN_SHANGHAI + 12 * HOUR - 1)


def test_every_machine_has_people_and_belongs_to_their_line() -> None:
    """Nobody works at another line's machine, and no machine of a shift stands still."""
    people = plant().people
    assert all(person.machine.line == person.line for person in people)
    assert len({(person.shift, person.machine.id) for person in people}) == 18
