"""Qualities differ by product and machine, and the drop comes when and where it is announced."""

from __future__ import annotations

from random import Random

import pytest

from agents.plant.factory import PRODUCTS
from agents.plant.quality import DROP_AFTER, DROP_EVERY, DROP_LENGTH, Drop, drop_at, good_odds, inspect, product_at
from schemas.instants import HOUR, MINUTE
from tests.plant.records import START, plant


def test_the_first_drop_begins_a_minute_after_the_start() -> None:
    """There is none before, and it is the first machine of the second line until 26 minutes after the start."""
    begin = START + DROP_AFTER
    assert drop_at(plant(), START, begin - 1) is None
    drop = drop_at(plant(), START, begin)
    assert drop == Drop("M21", START + MINUTE, START + MINUTE + DROP_LENGTH)
    hit = {machine.id for machine in plant().machines if drop.hits(machine, begin)}
    assert hit == {"M21"}
    assert not any(drop.hits(machine, begin + DROP_LENGTH) for machine in plant().machines)


def test_drops_come_back() -> None:
    """Every three hours another one begins, on whatever machine the seed says, the same each time one asks."""
    begins = [START + DROP_AFTER + number * DROP_EVERY for number in range(40)]
    drops = [drop_at(plant(), START, begin + 5) for begin in begins]
    assert [drop.start for drop in drops if drop] == begins
    assert len({drop.machine for drop in drops if drop}) > 5
    assert drops == [drop_at(plant(), START, begin + 5) for begin in begins]


def test_a_drop_lowers_the_odds_of_its_machine_only() -> None:
    """The people at the machine lose, everybody else keeps their odds."""
    drop = Drop("M21", START, START + HOUR)
    for person in plant().people:
        usual, now = good_odds(person, "P21", None, START), good_odds(person, "P21", drop, START)
        assert (now < usual) is (person.machine.id == "M21")


def test_machines_change_products() -> None:
    """Within a day every machine makes both products of its line."""
    for machine in plant().machines:
        assert {product_at(plant(), machine, START + half * HOUR // 2) for half in range(48)} == set(machine.products)
    assert {name for machine in plant().machines for name in machine.products} == set(PRODUCTS)


@pytest.mark.parametrize(("odds", "accepted"), [(20.0, 1.0), (0.0, 0.625), (-20.0, 0.25)])
def test_inspections_follow_the_odds(odds: float, accepted: float) -> None:
    """Good pieces are accepted, a quarter of the others after rework, and half of them are scrapped."""
    found = inspect(Random(1), 20_000, odds)
    assert found["accepted"] / 20_000 == pytest.approx(accepted, abs=0.01)
    bad = found["inspected"] - (found["accepted"] - found["reworked"])
    assert found["scrapped"] == pytest.approx(bad / 2, abs=300)
    assert found["scrapped"] <= found["inspected"] - found["accepted"]
