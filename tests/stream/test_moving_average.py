"""The moving average of a value that is no rate: Montgomery's example through `step`, and what people are told.

Montgomery, Introduction to Statistical Quality Control, table 9.1 and example 9.2: mean 10, sigma 1, the last ten of
thirty samples from a mean of 11; lambda 0.1, L 2.7. His averages are 9.945, 9.7495, ..., 10.5731, 10.6468, 10.6341,
his limits 10 +- 0.27 at first and 10 +- 0.62 in the long run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import sqrt

import pytest

from schemas.alerts import AlertRow
from schemas.chunk import decode_groups
from schemas.event import Row
from schemas.memo import Memo
from stream.person import Person
from stream.pipeline import Limits, step
from stream.reasons import reasons
from stream.rulebook import Rulebook
from stream.state import BUSINESS, State
from stream.tally import Tally
from stream.template import load_published
from tests.oracle.logs import NOON, template

MINUTE = 60_000
PUBLISHED = (
    *(9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08),
    *(9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52),
)
MIRRORED = tuple(round(20 - value, 2) for value in PUBLISHED)
RULE = "{id: slow, ewma: {lambda: 0.1, L: 2.7, sigma: 1, side: above}}"


class Work:
    """Somebody whose minutes per case are watched by these rules."""

    def __init__(self, *rules: str) -> None:
        text = (
            "{id: pace, name: {zh: 每单分钟数, en: Minutes per case}, from: business.case, value: minutes / cases, "
            f"target: 10, windows: [day], alerts: [{', '.join(rules)}]}}"
        )
        self.person = Person("E1", State(), Rulebook([load_published(template(text))]))
        self.memo = Memo("business-events", lambda _: True)
        self.sent = 0

    def __call__(self, values: Iterable[float], cases: int = 1, **more: object) -> list[AlertRow]:
        """What is told of records with these values, a minute apart, all in one chunk."""
        rows = []
        for value in values:
            at = NOON + self.sent * MINUTE
            event = {
                "event_id": f"e{self.sent}", "type": "business.case", "employee_id": "E1", "occurred_at": at,
                "source": "desk", "measures": {"minutes": value, "cases": cases}, **more,
            }  # fmt: skip
            rows.append(Row(self.sent, at, b"E1", json.dumps(event).encode(), None))
            self.sent += 1
        tally = Tally()
        for _, own in decode_groups([rows], self.memo)[0]:
            step(self.person, own, BUSINESS, Limits(), lambda *_: (), tally)
        return tally.alerts


@pytest.mark.parametrize(
    ("rule", "work", "way"), [(RULE, PUBLISHED, 1), (RULE.replace("above", "below"), MIRRORED, -1)]
)
def test_montgomerys_example(rule: str, work: tuple[float, ...], way: int) -> None:
    """The 29th average is the first beyond its limit, on the side that is asked for, and none on the other."""
    (row,) = Work(rule)(work)
    assert row.value == pytest.approx(10 + way * 0.6468, abs=0.00005)
    assert row.threshold == pytest.approx(10 + way * 2.7 * sqrt(0.1 / 1.9 * (1 - 0.9 ** (2 * 29))), rel=1e-12)
    assert ("e28", None, None, None, None) == (row.last_event, row.n, row.good, row.low, row.high)
    assert [] == Work(rule)(tuple(20 - value for value in work))


def test_the_first_limit_is_narrow() -> None:
    """L * sigma * lambda: 10.27. A first record of 12.7 reaches it and does not cross it; a long one does."""
    assert [] == Work(RULE)([12.699])
    (row,) = Work(RULE)([12.701])
    assert row.threshold == pytest.approx(10.27, rel=1e-12)


def test_record_by_record_or_in_one_chunk() -> None:
    """The same row, to the last bit."""
    work, said = Work(RULE), []
    for value in PUBLISHED:
        said += work([value])
    assert Work(RULE)(PUBLISHED) == said


def test_it_is_over_when_the_average_is_back_at_its_target() -> None:
    """And raised anew, once, when it leaves it again."""
    work = Work("{id: slow, ewma: {lambda: 0.5, L: 2, sigma: 1, side: above}}")
    # averages: 12, 11, 10 (over), 13
    assert [("firing", None), ("cleared", None)] == [(row.state, row.n) for row in work([14.0, 10.0, 9.0])]
    assert ["firing"] == [row.state for row in work([16.0])]


def test_what_does_not_enter() -> None:
    """A correction and a record without a value leave the average where it is: at 12, where it was raised."""
    work = Work("{id: slow, ewma: {lambda: 0.5, L: 2, sigma: 1, side: above}}")
    assert ["firing"] == [row.state for row in work([14.0])]
    assert [] == work([5.0], cases=0)
    assert [] == work([-14.0], corrects="e0")
    (reason,) = reasons(work.person, NOON + 10 * MINUTE)
    assert ("average 12.0000, limit 11.0000", 12.0, "firing") == (reason.why, reason.value, reason.state)


def test_what_people_are_told() -> None:
    """In their own unit, to a hundredth of sigma, and on which side."""
    (row,) = Work(RULE)(PUBLISHED)
    assert "The moving average of Minutes per case is high since 2026-03-02 12:19: 10.65, its limit is 10.62." == (
        row.message.en
    )
    assert "每单分钟数的移动平均自2026-03-02 12:19起偏高：10.65，上限10.62。" == row.message.zh
    (row,) = Work(RULE.replace("above", "below"))(MIRRORED)
    assert "is low since 2026-03-02 12:19: 9.35, its limit is 9.38." in row.message.en
    assert "起偏低：9.35，下限9.38。" in row.message.zh
