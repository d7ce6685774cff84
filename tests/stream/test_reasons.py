"""A rule says what it compares: why somebody is alerted, or why not."""

from __future__ import annotations

import json

import pytest

from schemas.chunk import decode_groups
from schemas.event import Row
from schemas.memo import Memo
from stream.person import Person
from stream.pipeline import Limits, step
from stream.reasons import Reason, reasons
from stream.rulebook import Rulebook
from stream.state import QC, State
from stream.tally import Tally
from stream.template import load_published
from tests.oracle.logs import NOON, YIELD, template


def _reasons(alerts: str, *work: tuple[int, int], sample: int = 0) -> list[Reason]:
    """Of somebody who has inspected and accepted so many, a second apart."""
    text = template(YIELD.rstrip("}") + f", min_sample: {sample}, alerts: {alerts}}}")
    person = Person("E1", State(), Rulebook([load_published(text)]))
    rows = []
    for number, (inspected, accepted) in enumerate(work):
        event = {
            "event_id": f"e{number}", "type": "qc.inspection", "employee_id": "E1", "occurred_at": NOON + number * 1000,
            "source": "aoi", "measures": {"inspected": inspected, "accepted": accepted},
        }  # fmt: skip
        rows.append(Row(number, NOON + number * 1000, b"E1", json.dumps(event).encode(), None))
    groups, _ = decode_groups([rows], Memo("qc-events", lambda _: True))
    for _, own in groups:
        step(person, own, QC, Limits(), lambda *_: (), Tally())
    return list(reasons(person, NOON + 60_000))


@pytest.mark.parametrize(
    ("work", "sample", "said"),
    [
        ((100, 95), 30, "upper bound 0.9755 is not below 0.9"),
        ((100, 80), 30, "value 0.8000, over at 0.92"),
        ((20, 2), 30, "n 20 is less than min_sample 30"),
        ((0, 0), 0, "no value: no event in the window, a division by zero or a missing target"),
    ],
)
def test_a_level(work: tuple[int, int], sample: int, said: str) -> None:
    """The bound that is compared, or what is missing for that."""
    (reason,) = _reasons("[{id: low, window: day, below: 0.9}]", work, sample=sample)
    assert said == reason.why
    assert ("firing" if "over" in said else "ok") == reason.state


def test_a_level_that_has_not_held_for_long_enough() -> None:
    """It is low, and waits."""
    (reason,) = _reasons("[{id: low, window: day, below: 0.9, for: 1h}]", (100, 50))
    assert ("ok", "upper bound 0.5812 is below 0.9, not for long enough") == (reason.state, reason.why)


def test_drift_and_average() -> None:
    """A statistic and its height; an average and its limit."""
    drift, ewma = _reasons("[{drift: {good: 0.95, bad: 0.85, h: 5.5}}, {ewma: {lambda: 0.2, L: 3}}]", (10, 8))
    assert ("statistic 1.31 of 5.5", 0.8, 10, "ok") == (drift.why, drift.value, drift.n, drift.state)
    assert ewma.why.startswith("average 0.5600, limit 0.4")


def test_a_gap() -> None:
    """The unit knows."""
    (reason,) = _reasons("[{below_unit: 0.05, window: day}]", (10, 8))
    assert ("ok", "the unit compares every minute; told when more than 0.05 below it") == (reason.state, reason.why)
