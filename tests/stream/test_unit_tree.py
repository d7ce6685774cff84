"""The tree of units: what a record says of it, at each instant, and which records say nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.unit_tree import FOREVER, Place, Unit, UnitTree, read_tree, write_tree

JAN, FEB, MAR = 1_767_225_600_000, 1_769_904_000_000, 1_772_323_200_000  # 2026, UTC
NAME = {"zh": "厂", "en": "Plant"}


def tree(*units: tuple[str, list[tuple[str | None, int, int | None]]]) -> bytes:
    """The record with these units and places."""
    texts = [
        {
            "unit": unit,
            "kind": "team",
            "name": NAME,
            "places": [{"parent": parent, "begins": begins, "ends": ends} for parent, begins, ends in places],
        }
        for unit, places in units
    ]
    return json.dumps({"units": texts}).encode()


MOVED = tree(
    ("plant", [(None, JAN, None)]),
    ("north", [("plant", JAN, None)]),
    ("south", [("plant", JAN, None)]),
    ("L1", [("north", JAN, FEB), ("south", FEB, MAR)]),
)


@pytest.mark.parametrize(
    ("at", "above", "below"),
    [
        (JAN - 1, [], ["plant"]),
        (JAN, ["north", "plant"], ["plant", "north", "south", "L1"]),
        (FEB - 1, ["north", "plant"], ["plant", "north", "south", "L1"]),
        (FEB, ["south", "plant"], ["plant", "north", "south", "L1"]),
        (MAR, [], ["plant", "north", "south"]),
    ],
)
def test_a_unit_belongs_where_it_does_at_the_instant(at: int, above: list[str], below: list[str]) -> None:
    """From the instant at which a place begins until the one at which it ends."""
    found = read_tree(MOVED)
    assert above == found.above("L1", at)
    assert below == found.subtree("plant", at)


def test_instants_are_written_as_events_have_them() -> None:
    """RFC 3339 with a zone is the same as milliseconds."""
    text = MOVED.replace(str(FEB).encode(), b'"2026-02-01T08:00:00+08:00"')
    assert read_tree(MOVED).units == read_tree(text).units


def _broken(**changes: Any) -> bytes:
    unit = {"unit": "L1", "kind": "team", "name": NAME, "places": [{"parent": None, "begins": JAN, "ends": None}]}
    return json.dumps({"units": [{**unit, **changes}]}).encode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b'{"units": 1}',
        b"\xff",
        _broken(unit=""),
        _broken(unit="a\nb"),
        _broken(places=[{"begins": "yesterday"}]),
        _broken(places=[{"begins": FEB, "ends": JAN}]),
        _broken(places=[{"begins": JAN, "ends": MAR}, {"begins": FEB}]),
        _broken(places=[{"begins": JAN, "parent": "L1"}]),
        tree(("a", [(None, JAN, None)]), ("a", [(None, JAN, None)])),
        tree(("a", [("b", JAN, None)]), ("b", [("a", FEB, None)])),
        tree(("a", [("b", FEB, MAR)]), ("b", [("c", JAN, None)]), ("c", [("a", JAN, None)])),
    ],
)
def test_what_is_no_tree_is_refused(value: bytes | None) -> None:
    """Not JSON, ids and spans that are none, a unit that is there twice or belongs to itself at some instant."""
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        read_tree(value)


def test_units_may_take_turns_above_each_other() -> None:
    """As long as it is not at the same time."""
    found = read_tree(tree(("a", [("b", JAN, FEB), (None, FEB, None)]), ("b", [(None, JAN, FEB), ("a", FEB, None)])))
    assert (["b", "a"], ["a", "b"]) == (found.subtree("b", JAN), found.subtree("a", FEB))


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from([JAN, FEB, MAR]), st.booleans()), max_size=12))
def test_whoever_is_below_has_it_above(moves: list[tuple[int, int, bool]]) -> None:
    """Subtrees and what lies above say the same of every pair, at every instant; and the record is read as written."""
    places: dict[int, list[Place]] = {}
    for number, (parent, begins, last) in enumerate(moves):
        if parent < number % 8:  # so that there is no cycle
            known = places.setdefault(number % 8, [])
            if not known or known[-1].ends <= begins:
                known.append(Place(f"u{parent}", begins, FOREVER if last else begins + 1_000))
    made = {f"u{n}": Unit("team", NAME, tuple(places.get(n, ()))) for n in range(8)}
    found = read_tree(write_tree(made))
    assert made == found.units
    for at in (JAN - 1, JAN, JAN + 1_000, FEB, MAR + 1):
        pairs = {(unit, below) for unit in made for below in found.subtree(unit, at)[1:]}
        assert {(above, unit) for unit in made for above in found.above(unit, at)} == pairs


def test_no_tree_has_no_units() -> None:
    """Each unit is alone."""
    assert (["L1"], [], ()) == (
        UnitTree().subtree("L1", JAN), UnitTree().above("L1", JAN), UnitTree().children("L1", JAN)
    )  # fmt: skip
