"""A unit's sums are its members' latest contributions, whatever came before and however often."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.updates import Contribution, Pool
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.template import load_published
from stream.unit_tree import FOREVER, Place, Unit, UnitTree, read_tree, write_tree
from tests.oracle.logs import DAY, MIDNIGHT, NOON, template

RULES = Rulebook([load_published(template())])
TREND = "op/yield/rolling 60m"


def _gives(employee: str, inspected: int, accepted: int, **changes: Any) -> Contribution:
    micro = [1, accepted * 1_000_000, inspected * 1_000_000]
    unit = changes.pop("unit", "L1")
    given = {
        "employee_id": employee, "unit": unit, "as_of": "2026-03-02T12:00:00.000Z",
        "newest": "2026-03-02T12:00:00.000Z", "trends": {TREND: [(NOON, inspected, accepted)]},
        "pools": [Pool(unit, "op", 1, [changes.pop("start", MIDNIGHT)], [micro])],
    }  # fmt: skip
    return Contribution(**{**given, **changes})


def _value(units: Units, unit: str = "L1", as_of: int = NOON) -> tuple[object, object]:
    rows = [row for row in units.update(unit, RULES, as_of).rows if row.indicator == "yield"]
    return (rows[0].good, rows[0].n) if rows else (None, None)


def test_sums_are_pooled_not_rates() -> None:
    """One of ten and one of one are two of eleven."""
    units = Units()
    units.take(_gives("E1", 10, 1))
    units.take(_gives("E2", 1, 1))
    assert (2, 11) == _value(units)
    update = units.update("L1", RULES, NOON)
    assert ["E1", "E2"] == update.members
    assert [(NOON, 11, 2)] == update.trends[TREND]


def test_the_latest_contribution_takes_the_place_of_the_one_before() -> None:
    """The same one again changes nothing; who moves on takes theirs along."""
    units = Units()
    for _ in range(2):
        units.take(_gives("E1", 10, 1))
    units.take(_gives("E2", 3, 2))
    units.take(_gives("E1", 20, 5))
    assert (7, 23) == _value(units)
    units.changed.clear()
    units.take(_gives("E1", 4, 4, unit="L2"))
    assert {"L1", "L2"} == units.changed
    assert (2, 3) == _value(units)
    assert (4, 4) == _value(units, "L2")
    assert ["E2"] == units.update("L1", RULES, NOON).members


def test_a_member_who_has_moved_on_leaves_what_was_done_here() -> None:
    """Somebody whose unit is another one now is no member, but their events of then count."""
    units = Units()
    units.take(_gives("E1", 4, 4, unit="L1"))
    moved = _gives("E1", 4, 4, unit="L1")
    moved.unit = "L2"
    units.take(moved)
    assert (4, 4) == _value(units)
    assert [] == units.update("L1", RULES, NOON).members
    assert ["E1"] == units.update("L2", RULES, NOON).members


@pytest.mark.parametrize(("as_of", "expected"), [(NOON, (3, 4)), (NOON + DAY, (None, None))])
def test_a_contribution_counts_in_its_own_day(as_of: int, expected: tuple[object, object]) -> None:
    """Yesterday's sums are none of today's, though nobody has said so yet."""
    units = Units()
    units.take(_gives("E1", 4, 3))
    units.take(_gives("E2", 100, 1, start=MIDNIGHT - DAY))
    good, n = _value(units, as_of=as_of)
    assert expected == ((good, n) if n else (None, None))


def test_a_unit_without_anybody_has_no_rows() -> None:
    """And no failure."""
    update = Units().update("L9", RULES, NOON)
    assert ([], [], {}, None) == (update.rows, update.members, update.trends, update.newest)


def _tree(*places: tuple[str, str | None, int, int]) -> UnitTree:
    units: dict[str, Unit] = {}
    for unit, parent, begins, ends in places:
        known = units[unit].places if unit in units else ()
        units[unit] = Unit("team", {"zh": unit, "en": unit.lower()}, (*known, Place(parent, begins, ends)))
    return read_tree(write_tree(units))


PLANT = _tree(
    ("P", None, MIDNIGHT - DAY, FOREVER),
    ("A", "P", MIDNIGHT - DAY, FOREVER),
    ("B", "P", MIDNIGHT - DAY, FOREVER),
    ("L1", "A", MIDNIGHT - DAY, FOREVER),
    ("L2", "A", MIDNIGHT - DAY, NOON + 60_000),
    ("L2", "B", NOON + 60_000, FOREVER),
)


def _rolled(units: Units, unit: str, as_of: int) -> tuple[object, object]:
    rules = Rulebook([load_published(template())], tree=PLANT)
    rows = [row for row in units.update(unit, rules, as_of).rows if row.indicator == "yield"]
    return (rows[0].good, rows[0].n) if rows else (None, None)


def test_a_unit_pools_what_belongs_to_it_at_the_instant() -> None:
    """Sums of all that is below it, never a mean; what moves takes its history along."""
    units = Units()
    units.take(_gives("E1", 10, 1))
    units.take(_gives("E2", 1, 1, unit="L2"))
    units.take(_gives("E3", 5, 5, unit="P"))  # belongs to the plant itself
    assert [(2, 11), (None, None), (7, 16)] == [_rolled(units, unit, NOON) for unit in ("A", "B", "P")]
    later = NOON + 60_000
    assert [(1, 10), (1, 1), (7, 16)] == [_rolled(units, unit, later) for unit in ("A", "B", "P")]


def test_a_unit_shows_its_parts() -> None:
    """Each with its own pooled rows, and how many people belong to it."""
    rules = Rulebook([load_published(template())], tree=PLANT)
    units = Units()
    for employee, unit in (("E1", "L1"), ("E2", "L1"), ("E3", "L2")):
        units.take(_gives(employee, 10, 9, unit=unit))
    assert ["L1", "L2", "A", "P"] == units.take_changed(PLANT, NOON)
    told = [units.update(unit, rules, NOON) for unit in ("L1", "L2", "A", "P")]
    assert [["A", "P"], ["A", "P"], ["P"], []] == [update.parents for update in told]
    assert [("L1", 2, 20), ("L2", 1, 10)] == [(p.unit, p.people, p.rows[0].n) for p in told[2].parts]
    assert [("A", 3, 30), ("B", 0, None)] == [
        (p.unit, p.people, p.rows[0].n if p.rows else None) for p in told[3].parts
    ]
    assert {"zh": "P", "en": "p"} == told[3].name
    assert (30, 30, 27) == (told[3].rows[0].n, *told[3].trends[TREND][0][1:])
    assert [] == told[3].members


def test_a_change_is_told_of_everything_above() -> None:
    """And of nothing beside it; of all that has people when the tree is another, or a unit has moved by itself."""
    units = Units()
    for employee, unit in (("E1", "L1"), ("E3", "L2")):
        units.take(_gives(employee, 10, 9, unit=unit))
    units.take_changed(PLANT, NOON)
    assert [] == units.take_changed(PLANT, NOON)
    units.take(_gives("E1", 11, 9))
    assert ["L1", "A", "P"] == units.take_changed(PLANT, NOON)
    assert ["L1", "L2", "A", "B", "P"] == units.take_changed(PLANT, NOON + 60_000)
    assert [] == units.take_changed(PLANT, NOON + 60_000)
    units.update("P", Rulebook(tree=PLANT), NOON + 60_000)
    other = _tree(("L1", None, MIDNIGHT, FOREVER))
    assert ["A", "B", "L1", "L2", "P"] == units.take_changed(other, NOON + 60_000)  # also to be taken back
    assert [] == units.update("P", Rulebook(tree=other), NOON + 60_000).rows
