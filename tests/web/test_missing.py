"""What is missing to the target: the smallest that reaches it, checked by trying all; silence where nobody can say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.web.missing import MOST, Missing, good_units, missing, personal_target
from schemas.rows import ScoreRow
from stream.indicator import Indicator
from stream.template import load_published

HEAD = """
template: t
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
title: {zh: 一, en: one}
indicators:
  - id: a
    name: {zh: 一, en: one}
    definition: {zh: 一, en: one}
    from: qc.inspection
    windows: [day]
"""
RATE = "    value: accepted / inspected\n    rate: {good: accepted, of: inspected}\n"


def indicator(lines: str) -> Indicator:
    """An indicator with these lines."""
    return load_published(HEAD + lines).indicators[0]


def scored(of: Indicator, sums: dict[str, float], targets: dict[str, float] | None = None, **changes: Any) -> ScoreRow:
    """The indicator's row over these sums, with its value and points as the core computes them."""
    names = [*sums]
    value = of.value.bind(names)([*sums.values()], targets or {})
    points = None if of.points is None else of.points.bind(("value", "target"))((value or 0, of.target or 0), {})
    n, good = (sums.get("inspected"), sums.get("accepted")) if of.rate_of else (None, None)
    row = ScoreRow("E1", "t", 1, "a", "day", "", "", "ok", value, points, n, good, None, None, sums)
    for name, changed in changes.items():
        setattr(row, name, changed)
    return row


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 999))
def test_no_smaller_number_of_good_units_reaches_the_target(good: int, bad: int, thousandths: int) -> None:
    """Trying 0, 1, 2, ... finds the same number first."""
    target, n = thousandths / 1000, good + bad
    found = good_units(good, n, target)
    tried = next(k for k in range(1_000_000) if n + k and (good + k) / (n + k) >= target)
    assert tried == found or (n == 0 and found == 1)


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.floats(0.01, 0.9999))
def test_large_counts_end_at_the_same_edge(good: int, bad: int, target: float) -> None:
    """One unit less does not reach it, this many do; in doubles, as the score is computed."""
    n = good + bad
    k = good_units(good, n, target)
    if k is None:
        assert (good + MOST) / (n + MOST) < target
        return
    assert (good + k) / (n + k) >= target
    assert k == 0 or (good + k - 1) / (n + k - 1) < target


def test_a_rate_says_good_units() -> None:
    """88 of 100, target 0.95: 140 more good ones in a row."""
    of = indicator(RATE + "    target: 0.95\n")
    found = missing(scored(of, {"accepted": 88, "inspected": 100}), of)
    assert ("units", 140, "accepted") == (found.kind, found.amount, found.measure)
    assert pytest.approx(100 - 100 * 0.88 / 0.95) == found.points
    assert Missing("reached", 0.0) == missing(scored(of, {"accepted": 95, "inspected": 100}), of)
    assert "reached" == missing(scored(of, {"accepted": 99, "inspected": 100}), of).kind


def test_perfection_cannot_be_reached_any_more() -> None:
    """A target of 1 with one defective unit in the window."""
    of = indicator(RATE + "    target: 1\n")
    assert "unreachable" == missing(scored(of, {"accepted": 99, "inspected": 100}), of).kind
    assert "reached" == missing(scored(of, {"accepted": 100, "inspected": 100}), of).kind


def test_a_sum_says_the_amount() -> None:
    """Three new customers; an amount of money; what is taken back counts."""
    of = indicator("    value: customers\n    target: 10\n")
    assert Missing("amount", 30.0, 3, "customers") == missing(scored(of, {"customers": 7}), of)
    net = indicator("    value: paid - refunded\n    target: 100\n")
    found = missing(scored(net, {"paid": 80, "refunded": 10.5}), net)
    assert ("amount", 30.5, "paid") == (found.kind, found.amount, found.measure)


def test_a_personal_target_says_the_amount_to_it() -> None:
    """The person's own target is read off the row exactly."""
    of = indicator('    value: collected / target("collected")\n    target: 1\n')
    row = scored(of, {"collected": 33333.33}, {"collected": 70000.1})
    assert ("collected", 70000.1) == personal_target(row, of)
    assert 36666.77 == missing(row, of).amount
    assert personal_target(scored(of, {"collected": 0}, {"collected": 5}), of) is None


@pytest.mark.parametrize(
    ("lines", "sums"),
    [
        ("    value: accepted / inspected\n    target: 0.9\n", {"accepted": 8, "inspected": 10}),
        ("    value: 100 * scrapped / inspected\n    points: 100 * target / value\n    target: 2\n",
         {"scrapped": 5, "inspected": 100}),
        ("    value: max(accepted, reworked)\n    target: 9\n", {"accepted": 8, "reworked": 1}),
    ],
)  # fmt: skip
def test_where_units_cannot_be_told_the_points_are(lines: str, sums: dict[str, float]) -> None:
    """A quotient that is no rate, less is better, anything else."""
    of = indicator(lines)
    found = missing(scored(of, sums), of)
    assert "untold" == found.kind
    assert found.points is not None
    assert found.points > 0


def test_what_is_not_judged_is_not_missing() -> None:
    """Too few units say how many are missing to a judgement; no data and no target say so."""
    of = indicator(RATE + "    target: 0.95\n    min_sample: 30\n")
    few = scored(of, {"accepted": 10, "inspected": 12}, status="insufficient", points=None)
    assert Missing("insufficient", None, 18) == missing(few, of)
    none = scored(of, {"accepted": 0, "inspected": 0}, status="no_data", points=None)
    assert Missing("no_data") == missing(none, of)
    free = indicator(RATE)
    assert Missing("no_target") == missing(scored(free, {"accepted": 8, "inspected": 10}), free)
