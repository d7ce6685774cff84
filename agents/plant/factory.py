"""The plant is built once from its seed: lines, machines, products and people, none of which changes afterwards.

Qualities are log odds of a good piece, so that product, machine, skill and disturbance add up and a yield never
leaves 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from agents.plant.garments import FINISHING, SEWING, Department
from schemas.instants import HOUR

SHIFTS: Final = 2
SHIFT_LENGTH: Final = 12 * HOUR
FIRST_SHIFT_AT: Final = -2 * HOUR  # 06:00 in Shanghai (UTC+8, no summer time), from 1970 UTC
TEAMS: Final = {"L01": (8, SEWING), "L02": (7, SEWING), "L03": (6, FINISHING)}  # people per line and shift
MACHINES_PER_LINE: Final = 3
PRODUCTS: Final = {  # log odds of a good piece: first-pass yields of 97, 95, 96, 93.5, 96.5 and 91 %
    "P11": 3.48, "P12": 2.94, "P21": 3.18, "P22": 2.67, "P31": 3.32, "P32": 2.31,
}  # fmt: skip
SKILL_SD: Final = 0.30
MACHINE_SD: Final = 0.15
FULL_PACE: Final = 4.0  # inspections per person and minute: one every 15 s
TRAINEE_PACE: Final = 1 / 6
CREWS: Final = ("A", "B")  # of each line: by day, by night


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a line, what it can make, and how it shifts the log odds of a good piece."""

    id: str
    line: str
    products: tuple[str, ...]
    quality: float


@dataclass(frozen=True, slots=True)
class Person:
    """An operator: line, shift (0 or 1), machine, own skill in log odds, and inspections per minute."""

    id: str
    line: str
    shift: int
    machine: Machine
    skill: float
    pace: float
    department: Department

    @property
    def crew(self) -> str:
        """The unit in which the person works: those of a line who are there at the same time."""
        return f"{self.line}-{CREWS[self.shift]}"

    @property
    def trainee(self) -> bool:
        """Whether the person is still too slow for their numbers to say much."""
        return self.pace < 1


@dataclass(frozen=True, slots=True)
class Plant:
    """All that the seed decides."""

    seed: int
    people: tuple[Person, ...]
    machines: tuple[Machine, ...]

    def on_shift(self, at: int) -> list[Person]:
        """Who works at an instant (ms): half of the people, whenever that is."""
        return [person for person in self.people if person.shift == shift_at(at)]

    def random(self, *place: object) -> Random:
        """The dice of one place, for example a person and a minute: the same in every run with this seed."""
        return Random("/".join(map(str, (self.seed, *place))))


def shift_at(at: int) -> int:
    """The shift on duty at an instant (ms): 0 from 06:00, 1 from 18:00, Shanghai time."""
    return (at - FIRST_SHIFT_AT) // SHIFT_LENGTH % SHIFTS


def shift_start(at: int) -> int:
    """When the shift on duty at an instant began, both in ms."""
    return at - (at - FIRST_SHIFT_AT) % SHIFT_LENGTH


def build(seed: int) -> Plant:
    """The plant of a seed: three lines, two shifts, 42 people."""
    dice = Random(f"{seed}/plant")
    machines = [
        Machine(f"M{line[-1]}{number}", line, (f"P{line[-1]}1", f"P{line[-1]}2"), dice.gauss(0, MACHINE_SD))
        for line in TEAMS
        for number in range(1, MACHINES_PER_LINE + 1)
    ]
    people = []
    for line, (size, department) in TEAMS.items():
        own = [machine for machine in machines if machine.line == line]
        for shift in range(SHIFTS):
            for number in range(1, size + 1):
                trainee = line == "L03" and number == size
                person = Person(
                    id=f"E{line[-1]}{shift + 1}{number:02d}",
                    line=line,
                    shift=shift,
                    machine=own[(number - 1) % len(own)],
                    skill=dice.gauss(0, SKILL_SD) - (0.5 if trainee else 0),
                    pace=TRAINEE_PACE if trainee else FULL_PACE,
                    department=department,
                )
                people.append(person)
    return Plant(seed, tuple(people), tuple(machines))
