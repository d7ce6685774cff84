"""How likely a piece is good: product, machine, skill and what is going wrong just now, added as log odds.

Something goes wrong every three hours, for the first time one minute after the start: for 25 minutes one machine
spoils two pieces in five or more, on the second line first, later on any.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from random import Random
from typing import Final

from agents.plant.factory import PRODUCTS, Machine, Person, Plant
from schemas.instants import HOUR, MINUTE

DROP_AFTER: Final = MINUTE
DROP_LENGTH: Final = 25 * MINUTE
DROP_EVERY: Final = 3 * HOUR
DROP_DEPTH: Final = 3.0  # log odds
FIRST_DROP_LINE: Final = "L02"
RUN_LENGTH: Final = 30 * MINUTE  # a machine makes one product that long
REWORK_SHARE: Final = 0.25
SCRAP_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Drop:
    """A disturbance: one machine makes bad pieces from `start` (included) to `end` (ms)."""

    machine: str
    start: int
    end: int

    def hits(self, machine: Machine, at: int) -> bool:
        """Whether the machine is disturbed at an instant (ms)."""
        return machine.id == self.machine and self.start <= at < self.end


def drop_at(plant: Plant, began: int, at: int) -> Drop | None:
    """The disturbance nearest before `at` in a run that began at `began`, None before the first; times in ms."""
    number, into = divmod(at - began - DROP_AFTER, DROP_EVERY)
    if number < 0:
        return None
    chosen = [m for m in plant.machines if number > 0 or m.line == FIRST_DROP_LINE]
    machine = chosen[0] if number == 0 else plant.random("drop", number).choice(chosen)
    start = at - into
    return Drop(machine.id, start, start + DROP_LENGTH)


def product_at(plant: Plant, machine: Machine, at: int) -> str:
    """What a machine makes at an instant (ms)."""
    return plant.random("product", machine.id, at // RUN_LENGTH).choice(machine.products)


def good_odds(person: Person, product: str, drop: Drop | None, at: int) -> float:
    """The log odds that a piece passes at the first attempt."""
    odds = PRODUCTS[product] + person.machine.quality + person.skill
    return odds - DROP_DEPTH if drop is not None and drop.hits(person.machine, at) else odds


def inspect(dice: Random, pieces: int, odds: float) -> dict[str, int]:
    """What an inspection of so many pieces finds; a quarter of the bad ones is saved by rework, half is scrapped."""
    chance = 1 / (1 + exp(-odds))
    counts = {"inspected": pieces, "accepted": 0, "reworked": 0, "scrapped": 0}
    for _ in range(pieces):
        if dice.random() < chance:
            counts["accepted"] += 1
            continue
        fate = dice.random()
        if fate < REWORK_SHARE:
            counts["accepted"] += 1
            counts["reworked"] += 1
        elif fate < REWORK_SHARE + SCRAP_SHARE:
            counts["scrapped"] += 1
    return counts
