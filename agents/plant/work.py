"""What one person's minute at the line puts on record; the same person, minute and seed give the same events.

Ids hold no start time, so a plant that is started again over the same hours repeats itself instead of doubling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor
from random import Random
from typing import Any, Final, NamedTuple

import orjson

from agents.plant.factory import TRAINEE_PACE, Person, Plant, shift_start
from agents.plant.quality import drop_at, good_odds, inspect, product_at
from schemas.event import TOPIC_OF
from schemas.instants import MINUTE, format_rfc3339

HIRED: Final = 1_704_038_400_000  # 2024-01-01 in Shanghai, when the operators' template begins
FINISHED_SHARE: Final = 0.25  # of the inspections
FINISHED_BONUS: Final = 1.3  # log odds: what reaches the end of the line has been looked at before
MAX_PIECES: Final = 3  # semi-finished pieces per inspection
OUTPUT_PER_HOUR: Final = 60  # the template's target; what is made of it follows the garment teams' attainment
TRAINEE_MINUTES: Final = round(1 / TRAINEE_PACE)
REPORT_MINUTES: Final = 6
REPORT_HOURS: Final = 0.1
ORDER_MINUTES: Final = 30
PIECE_COST: Final = 4.20  # yuan
OVERSPEND_SD: Final = 0.03


class Happening(NamedTuple):
    """An event of the plant: when (ms), what kind in the plant's own words, whose, and the event itself."""

    at: int
    kind: str
    person: str
    event: dict[str, Any]


def encode(event: Mapping[str, object]) -> bytes:
    """An event as it goes over the wire."""
    return orjson.dumps(event)


def topic_of(event: Mapping[str, object]) -> str:
    """The topic of an event's type."""
    return TOPIC_OF[str(event["type"]).partition(".")[0]]


def assignment(person: Person) -> Happening:
    """Who works on which line, from long ago: for a log without records that would say it."""
    dims = {"role": "operator", "unit": person.line, "shift": "day" if person.shift == 0 else "night"}
    return _happening("assignment", "assignment", "people.assignment", person, HIRED, "hr", {}, dims)


def minute_of(plant: Plant, person: Person, minute: int, began: int) -> Iterator[Happening]:
    """All that the person does in a minute (counted from 1970 UTC) of a run that began at `began` (ms), unordered."""
    dice = plant.random("work", person.id, minute)
    # A trainee is slow and steady, and does not do the last step: an hour's few pieces are no silence.
    count = int(minute % TRAINEE_MINUTES == 0) if person.trainee else floor(person.pace + dice.random())
    for number in range(count):
        at = minute * MINUTE + floor((number + dice.random()) * MINUTE / count)
        stage = "finished" if not person.trainee and dice.random() < FINISHED_SHARE else "semi_finished"
        source = f"line-{person.line[-1]}-{'final' if stage == 'finished' else 'aoi'}"
        yield inspection(plant, person, at, began, stage, source, f"qc-{minute}-{number}")
    if person.trainee:
        return
    phase = int(person.id[1:]) * 7  # spreads the reports of a line over the minutes
    into_shift = minute * MINUTE - shift_start(minute * MINUTE)
    if minute % REPORT_MINUTES == phase % REPORT_MINUTES and into_shift >= REPORT_MINUTES * MINUTE:
        yield _output(plant, person, minute, dice)
    if minute % ORDER_MINUTES == phase % ORDER_MINUTES and into_shift >= ORDER_MINUTES * MINUTE:
        yield _cost(person, minute, dice)


def inspection(
    plant: Plant, person: Person, at: int, began: int, stage: str, source: str, name: str
) -> Happening:  # fmt: skip
    """One inspection of the person's pieces at an instant; times in ms."""
    dice = plant.random("inspection", person.id, at)
    product = product_at(plant, person.machine, at)
    finished = stage == "finished"
    odds = good_odds(person, product, drop_at(plant, began, at), at) + (FINISHED_BONUS if finished else 0)
    measures = inspect(dice, 1 if finished else dice.randint(1, MAX_PIECES), odds)
    dims = {"stage": stage, "product": product, "machine": person.machine.id, "line": person.line}
    return _happening("inspection", name, "qc.inspection", person, at, source, measures, dims)


def _output(plant: Plant, person: Person, minute: int, dice: Random) -> Happening:
    """The last minutes' good units; how much of the target a person makes is drawn anew for every shift."""
    at = minute * MINUTE + dice.randrange(MINUTE)
    level = plant.random("attainment", person.id, shift_start(at)).random()
    units = OUTPUT_PER_HOUR * REPORT_HOURS * person.department.attainment.at(level) * dice.gauss(1, 0.1)
    measures = {"produced": max(0, floor(units + dice.random())), "hours": REPORT_HOURS}
    dims = {"line": person.line, "product": product_at(plant, person.machine, at), "machine": person.machine.id}
    return _happening("output", f"output-{minute}", "business.output", person, at, "mes", measures, dims)


def _cost(person: Person, minute: int, dice: Random) -> Happening:
    """An order's planned and actual cost in yuan; the skilled waste less."""
    at = minute * MINUTE + dice.randrange(MINUTE)
    planned = round(PIECE_COST * dice.randint(25, 40), 2)
    actual = round(planned * (1 + dice.gauss(-0.02 * person.skill, OVERSPEND_SD)), 2)
    measures = {"planned_cost": planned, "actual_cost": actual}
    return _happening("cost", f"cost-{minute}", "business.cost", person, at, "erp", measures, {"line": person.line})


def _happening(
    kind: str, name: str, type_: str, person: Person, at: int, source: str,
    measures: Mapping[str, float], dims: Mapping[str, str],
) -> Happening:  # fmt: skip
    event: dict[str, Any] = {
        "event_id": name,
        "type": type_,
        "employee_id": person.id,
        "occurred_at": format_rfc3339(at),
        "source": source,
        "measures": dict(measures),
        "dims": dict(dims),
    }
    return Happening(at, kind, person.id, event)
