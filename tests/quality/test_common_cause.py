"""When a whole line gets worse, its supervisor hears of the line, not of twenty people. The table is in the summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from schemas.instants import MINUTE
from tests.agents.rig import Rig
from tests.agents.test_unit_alerts import Plant, watched
from tests.oracle.logs import NOON, PARTITIONS, Log, published
from tests.quality.shifts import SEED

PEOPLE: Final = 20
PERIOD: Final = 12 * MINUTE  # a record of ten units each, one unit every 72 s
STEADY: Final = 10  # records of each, at 95 %
THRESHOLD: Final = "[{id: default, window: rolling 60m, below: 0.90, confidence: 0.95}]"
RULES: Final = (*["default"] * 5, THRESHOLD)  # of each line
HEAD: Final = "| rules | alerts of the line | people alerted | of these behind the line's |\n|---|---|---|---|"
WORSE: Final = 15  # records of each, at 80 %


@dataclass(frozen=True, slots=True)
class Told:
    """Of one line: people alerted, how many of these alerts stand behind the line's, and how often the line was."""

    people: int
    folded: int
    line: int


async def _line(folder: Path, number: int, shares: list[float], rules: str = "default") -> Told:
    """A line whose people all work at these shares, record after record; the id of its only rule is `default`."""
    dice = np.random.default_rng((SEED, 7_000 + number))
    rig = Rig(folder, PARTITIONS)
    plant = Plant(rig)
    try:
        text = watched(rules).replace("windows: [day]", "windows: [rolling 60m, day]")
        rig.write(published(text.replace("target: 0.5", "target: 0.95")))
        rig.wall = NOON - MINUTE
        for place, share in enumerate(shares):
            log, at = Log(), NOON + place * PERIOD
            for person in range(PEOPLE):
                log.send(
                    event_id=f"{person}-{place}", employee_id=f"E{person}", occurred_at=at, sent_at=at,
                    measures={"inspected": 10, "accepted": int(dice.binomial(10, share))}, dims={"line": "L1"},
                )  # fmt: skip
            rig.write(log)
            await plant.minute(at + MINUTE - rig.wall)
            await plant.minute()
        people = plant.alerts("default")
        open_ = [row for row in people if row.cleared_at is None]
        return Told(
            len({row.employee_id for row in open_}),
            sum(bool(row.folded_into) for row in open_),
            len(plant.alerts("common_cause")),
        )
    finally:
        rig.close()


async def test_a_line_that_drops_is_one_alert(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Twenty people each, from 95 to 80 %, one line by a threshold: one alert of the line, which all stand behind."""
    shares = [0.95] * STEADY + [0.80] * WORSE
    told = [await _line(tmp_path / str(number), number, shares, rule) for number, rule in enumerate(RULES)]
    rows = "\n".join(
        f"| {'below 0.90' if rule == THRESHOLD else rule} | {one.line} | {one.people} | {one.folded} |"
        for rule, one in zip(RULES, told, strict=True)
    )
    record_property("summary", f"Common cause: a line of {PEOPLE} people, all from 95 to 80 %.\n\n{HEAD}\n{rows}")
    for rule, one in zip(RULES, told, strict=True):
        assert 1 == one.line
        assert one.people >= (15 if rule == "default" else 10)  # a threshold is slower
        assert one.people == one.folded


async def test_a_line_that_works_as_ever_is_not_blamed(tmp_path: Path) -> None:
    """At 95 % some of twenty people have a false alert now and then; never a third of them."""
    shares = [0.95] * (STEADY + WORSE)
    told = [await _line(tmp_path / str(number), 100 + number, shares, rule) for number, rule in enumerate(RULES)]
    assert {0} == {one.line for one in told}
