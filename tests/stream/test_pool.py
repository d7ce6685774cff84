"""A unit's sums are its members' latest contributions, whatever came before and however often."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.updates import Contribution, Pool
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.template import load_published
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
