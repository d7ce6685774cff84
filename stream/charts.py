"""Limits for shares of counted units: the p-chart over time, the funnel chart over people.

p-chart: Shewhart's three sigma, `p +- 3 * sqrt(p * (1 - p) / n)`, never below 0 or above 1 (Montgomery, Introduction to
Statistical Quality Control). Funnel chart: exact binomial limits, between whole counts as in Spiegelhalter 2005
(Funnel plots for comparing institutional performance, appendix A.1.1); the upper ones mirror the lower ones.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from typing import Final

import msgspec

WARN: Final = 0.95  # of people who differ by chance alone, so many lie within the funnel's inner limits
ACT: Final = 0.999  # and within the outer ones
_SIGMAS: Final = 3.0
_FAR: Final = 12.0  # standard deviations below the mean, where nothing lies that a double could tell


class Band(msgspec.Struct, frozen=True, gc=False):
    """Shares between which chance alone explains what is seen."""

    low: float
    high: float


def p_chart(share: float, n: float) -> Band:
    """Three-sigma limits of a sample of n units when the share is this; n > 0."""
    width = _SIGMAS * sqrt(share * (1 - share) / n)
    return Band(max(0.0, share - width), min(1.0, share + width))


def funnel(share: float, n: int, level: float) -> Band:
    """Of samples of n units at most (1 - level) / 2 lie below the one limit, and above the other.

    0 < share < 1, n > 0, 0 < level < 1.
    """
    tail = (1 - level) / 2
    return Band(_lowest(share, n, tail) / n, 1 - _lowest(1 - share, n, tail) / n)


def _lowest(share: float, n: int, tail: float) -> float:
    """The count below which at most `tail` of all samples lie; between whole counts by how much is left of it."""
    spread = sqrt(n * share * (1 - share))
    count = max(0, int(n * share - _FAR * spread) - 1)
    step = log(share) - log1p(-share)
    term = lgamma(n + 1) - lgamma(count + 1) - lgamma(n - count + 1) + count * log(share) + (n - count) * log1p(-share)
    below = 0.0
    while (reached := below + exp(term)) <= tail:
        below = reached
        term += log((n - count) / (count + 1)) + step
        count += 1
    return max(0.0, count - (reached - tail) / (reached - below))
