"""What work of one kind usually gives, from counts: each kind is drawn towards the coarser one that it belongs to.

Empirical Bayes: the shares of the kinds of one level scatter around those of the level above as a beta distribution,
whose strength is estimated from the counts themselves by moments (Kleinman 1973, Proportions with extraneous variance;
Casella 1985, An introduction to empirical Bayes data analysis). Few units say little, and leave what the coarser kind
gives; many say it for themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

Kind = tuple[str, ...]

PEOPLE: Final = 3  # a kind that fewer have worked on says more of them than of the work
MOST: Final = 2_000  # kinds in a model: those with the most units
_WEAKEST: Final = 2.0  # strengths, in units; however much kinds scatter, and however little
_STRONGEST: Final = 1e6
_LAST: Final = 1e-6  # shares have six decimals, and lie between 0 and 1


class Seen(msgspec.Struct):
    """Units of a kind, good ones among them, and how many people worked on it at most at one time of learning."""

    n: float = 0.0
    good: float = 0.0
    people: int = 0


class Fit(msgspec.Struct):
    """Shares of good units: of all work, and by kind. `strengths` by level, in units: what a coarser kind weighs."""

    base: float
    expected: dict[Kind, float]
    strengths: list[float]


def fit(total: Seen, kinds: Mapping[Kind, Seen], depth: int) -> Fit:
    """From the counts of all work and of each kind; a kind is its first dims, up to `depth` of them."""
    base = (total.good + 0.5) / (total.n + 1)  # never 0 or 1
    expected: dict[Kind, float] = {(): base}
    strengths: list[float] = []
    for level in range(1, depth + 1):
        own = {kind: seen for kind, seen in kinds.items() if len(kind) == level and _speaks(kind, seen, expected)}
        strength = strength_of((seen, expected[kind[:-1]]) for kind, seen in own.items())
        strengths.append(strength)
        for kind, seen in own.items():
            expected[kind] = (strength * expected[kind[:-1]] + seen.good) / (strength + seen.n)
    del expected[()]
    most = sorted(expected, key=lambda kind: (-kinds[kind].n, len(kind), kind))[:MOST]  # a coarser one has no fewer
    return Fit(_rounded(base), {kind: _rounded(expected[kind]) for kind in sorted(most)}, strengths)


def _speaks(kind: Kind, seen: Seen, expected: Mapping[Kind, float]) -> bool:
    return seen.people >= PEOPLE and seen.n > 0 and kind[:-1] in expected


def strength_of(groups: Iterable[tuple[Seen, float]]) -> float:
    """Of the beta distribution, alpha + beta, from (counts, share expected) of each group.

    With the correlation r between units of one group the squared distance from what is expected has the mean
    n p (1-p) (1 + (n-1) r), and r = 1 / (1 + strength).
    """
    above = pairs = 0.0
    for seen, share in groups:
        above += (seen.good - seen.n * share) ** 2 / (share * (1 - share)) - seen.n
        pairs += seen.n * (seen.n - 1)
    correlation = above / pairs if pairs > 0 else 0.0
    if correlation <= 0:
        return _STRONGEST
    return min(_STRONGEST, max(_WEAKEST, 1 / correlation - 1))


def _rounded(share: float) -> float:
    return round(min(1 - _LAST, max(_LAST, share)), 6)
