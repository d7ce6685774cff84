"""Drift of a rate, unit by unit: the Bernoulli CUSUM, and the same with each unit's own risk.

A statistic adds the log-likelihood ratio of "the odds of a defect have grown by `odds`" against "they are as expected"
for each unit, and never falls below 0 (Reynolds and Stoumbos 1999; with risks: Steiner, Cook, Farewell and Treasure
2000). It is raised at a height `h`: the greater, the rarer a false alarm and the later a true one.
"""

from __future__ import annotations

from math import ceil, log
from typing import Final, NamedTuple

MOST_STEPS: Final = 100
CAP: Final = 2.0  # times h: beyond that a statistic does not grow, so that it can come back in sensible time


class Weights(NamedTuple):
    """What a defective and a good unit add; the second is negative."""

    defective: float
    good: float


def odds_ratio(good: float, bad: float) -> float:
    """By how much the odds of a defect grow from the share `good` of good units to `bad`; both inside 0..1."""
    return (1 - bad) / bad * good / (1 - good)


def weights(risk: float, odds: float) -> Weights:
    """Of a unit that is defective with probability `risk` when all is well: ln(odds**y / (1 - risk + odds * risk)).

    With the risk 1 - good and the odds of `odds_ratio` these are ln(p1 / p0) and ln((1 - p1) / (1 - p0)).
    """
    expected = log(1 - risk + odds * risk)
    return Weights(log(odds) - expected, -expected)


def advance(statistic: float, defective: float, good: float, each: Weights, h: float) -> tuple[float, float]:
    """(the highest value on the way, the value after) for a record's units, its defective ones first."""
    highest = min(statistic + defective * each.defective, CAP * h)
    return highest, max(0.0, highest + good * each.good)


def advance_evenly(statistic: float, defective: float, good: float, each: Weights, h: float) -> tuple[float, float]:
    """The same with the defective units evenly among the good ones, in at most MOST_STEPS parts.

    A long record's usual defects, one after the other, would be a drop that nobody had (docs/alert-quality.md).
    """
    up, down, cap = each.defective, each.good, CAP * h
    if 0 < defective <= 1:  # as a rule; what follows does the same
        half = good / 2 * down
        reached = min((statistic + half if statistic + half > 0.0 else 0.0) + defective * up, cap)
        return reached, (reached + half if reached + half > 0.0 else 0.0)
    steps = min(MOST_STEPS, ceil(defective))
    if not steps:
        return statistic, max(0.0, statistic + good * down)
    highest, between, part = 0.0, good / (steps + 1), defective / steps
    for _ in range(steps):
        statistic = min(max(0.0, statistic + between * down) + part * up, cap)
        highest = max(highest, statistic)
    return highest, max(0.0, statistic + between * down)
