"""The Bernoulli CUSUM against published values and against itself, unit by unit."""

from __future__ import annotations

from math import exp, log
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.cusum import CAP, Weights, advance, odds_ratio, weights

P0, P1, H = 0.05, 0.15, 5.5
EACH = weights(P0, odds_ratio(1 - P0, 1 - P1))


def test_weights_are_the_log_likelihood_ratios() -> None:
    """+1.0986 for a defective unit, -0.1112 for a good one, at 5 % against 15 %."""
    assert pytest.approx((log(P1 / P0), log((1 - P1) / (1 - P0)))) == EACH
    assert (1.0986, -0.1112) == (round(EACH.defective, 4), round(EACH.good, 4))


@pytest.mark.parametrize(("score", "good", "defective"), [(0, -0.024, 0.669), (50, -0.433, 0.260)])
def test_published_risk_adjusted_scores(score: float, good: float, defective: float) -> None:
    """Steiner 2014, p. 234: logit(risk) = -3.68 + 0.077 * score, twice the odds."""
    found = weights(1 / (1 + exp(3.68 - 0.077 * score)), 2.0)
    assert (defective, good) == (round(found.defective, 3), round(found.good, 3))


@given(st.floats(0, CAP * H), st.integers(0, 60), st.integers(0, 200))
def test_a_record_is_its_units_defective_ones_first(statistic: float, defective: int, good: int) -> None:
    """One after the other, kept between 0 and the cap, gives the same height and the same end."""
    highest = now = statistic
    for unit in [EACH.defective] * defective + [EACH.good] * good:
        now = min(max(0.0, now + unit), CAP * H)
        highest = max(highest, now)
    assert pytest.approx((highest, now), abs=1e-9) == advance(statistic, defective, good, EACH, H)


def _units_until_raised(dice: Random, rate: float, most: int, each: Weights = EACH) -> int:
    statistic = 0.0
    for unit in range(1, most + 1):
        defective = dice.random() < rate
        highest, statistic = advance(statistic, defective, not defective, each, H)
        if highest >= H:
            return unit
    return most + 1


def test_run_lengths_are_the_published_ones() -> None:
    """About 7,250 units between false alarms in control, about 71 until a shift to 15 % is caught."""
    dice = Random(20260302)
    caught = [_units_until_raised(dice, P1, 10_000) for _ in range(2_000)]
    assert pytest.approx(71, rel=0.05) == sum(caught) / len(caught)
    false = [_units_until_raised(dice, P0, 100_000) for _ in range(150)]
    assert pytest.approx(7_250, rel=0.2) == sum(false) / len(false)


def test_a_drop_to_80_percent_is_caught_soon_and_a_steady_95_rarely_accused() -> None:
    """Median of 34 units, and at most 5 % of shifts of 400 units."""
    dice = Random(1)
    false = sum(_units_until_raised(dice, P0, 400) <= 400 for _ in range(1_000)) / 1_000
    assert false <= 0.065  # 4.8 % and the chance of 1,000 shifts
    delays = []
    for _ in range(1_000):
        statistic, delay, raised = 0.0, 0, False
        for _ in range(200):
            defective = dice.random() < P0
            highest, statistic = advance(statistic, defective, not defective, EACH, H)
            raised = raised or highest >= H
        while not raised:
            delay += 1
            defective = dice.random() < 0.20
            highest, statistic = advance(statistic, defective, not defective, EACH, H)
            raised = highest >= H
        if delay:
            delays.append(delay)
    assert 30 <= median(delays) <= 36
