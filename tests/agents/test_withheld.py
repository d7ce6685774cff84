"""No pooled value is about too few people, and no difference of two of them is."""

from __future__ import annotations

import random

import pytest

from agents.withheld import told

PLANT = {"P": (), "A": ("P",), "B": ("P",), "L1": ("A", "P"), "L2": ("A", "P"), "L3": ("A", "P")}


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ({"L1": 5}, {"L1"}),
        ({"L1": 4}, set()),
        ({"A": 12, "L1": 6, "L2": 6}, {"A", "L1", "L2"}),
        ({"A": 13, "L1": 6, "L2": 5, "L3": 2}, {"A", "L1"}),
        ({"A": 7, "L1": 5, "L3": 2}, {"A"}),
        ({"A": 16, "L1": 6, "L2": 5, "L3": 5}, {"A", "L1", "L2", "L3"}),
        ({"P": 17, "A": 16, "B": 1, "L1": 6, "L2": 5, "L3": 5}, {"P", "L1", "L3"}),
        ({"P": 12, "A": 8, "B": 4, "L1": 4, "L2": 4}, {"P"}),
    ],
    ids=["five", "four", "all told", "the smallest hides two", "its only sibling", "no rest", "a level up", "no crew"],
)
def test_who_is_told(people: dict[str, int], expected: set[str]) -> None:
    """Of two and eleven in a line the two would be its value less that of both crews."""
    assert expected == told(people, PLANT, 5)


def test_a_small_unit_is_not_told_whoever_worked_there() -> None:
    """Fewer people belong to it than did something in it."""
    assert {"A"} == told({"A": 14, "L1": 9, "L2": 5}, PLANT, 5, small={"L1", "L2"})


def test_one_is_enough_where_somebody_says_so() -> None:
    """Then everything is told."""
    people = {"A": 2, "L1": 1, "L2": 1}
    assert people.keys() == told(people, PLANT, 1)


def test_no_difference_is_about_too_few() -> None:
    """In any tree: of what is told, the largest units within one leave nobody, or enough."""
    dice = random.Random(7)
    for _ in range(300):
        above: dict[str, tuple[str, ...]] = {"U0": ()}
        for number in range(1, 12):
            parent = f"U{dice.randrange(number)}"
            above[f"U{number}"] = (parent, *above[parent])
        own = {unit: dice.choice((0, 0, 1, 2, 4, 5, 9)) for unit in above}
        people = {unit: sum(own[one] for one in above if unit in (one, *above[one])) for unit in above}
        shown = told({unit: number for unit, number in people.items() if number}, above, 5)
        for unit in shown:
            inside = {one for one in shown if unit in above[one]}
            largest = {one for one in inside if not inside & set(above[one])}
            rest = people[unit] - sum(people[one] for one in largest)
            assert rest == 0 or rest >= 5, (unit, above, own, shown)
