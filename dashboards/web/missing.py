"""What is missing to a target, told in units only where that is exact: the least that reaches it if all else stays.

A person can act on "12 more good units"; where a formula does not allow to say that, only the points are told.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final, Literal, NamedTuple

from schemas.rows import INSUFFICIENT, NO_DATA, ScoreRow
from stream.formula import Formula
from stream.formula_parser import Chain, Name, Node, Target
from stream.indicator import Indicator

Kind = Literal["reached", "units", "amount", "untold", "unreachable", "insufficient", "no_data", "no_target"]
MOST: Final = 10**9  # units: more than anybody makes is no help


class Missing(NamedTuple):
    """`units`: `amount` good ones in a row; `amount`: so much more of `measure`; `insufficient`: so many until judged.

    `points`: how many points the target is away, 0 when it is reached; None where nobody can say.
    """

    kind: Kind
    points: float | None = None
    amount: float | None = None
    measure: str = ""


def missing(row: ScoreRow, indicator: Indicator) -> Missing:
    """What the row's indicator is away from its target."""
    if row.status == NO_DATA or row.value is None:
        return Missing("no_data")
    if row.status == INSUFFICIENT:
        return Missing("insufficient", amount=None if row.n is None else indicator.min_sample - row.n)
    goal = goal_points(indicator)
    if indicator.target is None or goal is None or row.points is None:
        return Missing("no_target")
    away = max(0.0, goal - row.points)
    if away == 0 or row.value == indicator.target:
        return Missing("reached", 0.0)
    if row.value > indicator.target:  # less of it is better: nobody undoes what there is
        return Missing("untold", away)
    return _in_units(row, row.value, indicator, indicator.target, away)


def goal_points(indicator: Indicator) -> float | None:
    """The points of somebody who is exactly on the target; None without a target, or without points for it."""
    if indicator.target is None or indicator.points is None:
        return None
    return _on_target(indicator.points, indicator.target)


@lru_cache(maxsize=4096)  # a formula is compiled to be evaluated
def _on_target(points: Formula, target: float) -> float | None:
    return points.bind(("value", "target"))((target, target), {})


def good_units(good: float, n: float, target: float) -> int | None:
    """The least k of good units in a row with (good + k) / (n + k) >= target; None when no number of them does it."""
    if n > 0 and good / n >= target:
        return 0
    if not 0 < target < 1:
        return None
    share = Fraction(target)
    k = max(1, ceil((share * Fraction(n) - Fraction(good)) / (1 - share)))
    # The score is a double: it may reach the target a unit before the exact quotient does, never more.
    while k > 1 and (good + k - 1) / (n + k - 1) >= target:
        k -= 1
    return k if k <= MOST else None


def personal_target(row: ScoreRow, indicator: Indicator) -> tuple[str, float] | None:
    """Name and number of the personal target in `measure / target("name")`; None for any other formula.

    Rows carry the sum and the value, and a target is kept in millionths: their quotient is it.
    """
    if not row.value or (parts := _quotient(indicator.value.tree)) is None:
        return None
    return parts[1], round(row.sums.get(parts[0], 0) / row.value, 6)


def _in_units(row: ScoreRow, value: float, indicator: Indicator, target: float, away: float) -> Missing:
    if is_plain_rate(indicator):
        if row.good is None or row.n is None:
            return Missing("untold", away)
        k = good_units(row.good, row.n, target)
        return Missing("unreachable", away) if k is None else Missing("units", away, k, indicator.value.names[0])
    if (own := personal_target(row, indicator)) is not None:
        measure = indicator.value.names[0]
        return Missing("amount", away, round(target * own[1] - row.sums.get(measure, 0), 6), measure)
    if _adds_up(indicator.value.tree):
        return Missing("amount", away, round(target - value, 6), indicator.value.names[0])
    return Missing("untold", away)


def is_plain_rate(indicator: Indicator) -> bool:
    """Whether the value is good / of and nothing else, both plain measures."""
    good, of = indicator.rate_good, indicator.rate_of
    if good is None or of is None:
        return False
    return indicator.value.tree == Chain(good.tree, (("/", of.tree),)) and isinstance(good.tree, Name)


def _adds_up(tree: Node) -> bool:
    """Whether the value is a sum of measures: one more of it is one more."""
    if isinstance(tree, Chain):
        return isinstance(tree.first, Name) and all(sign in "+-" and isinstance(x, Name) for sign, x in tree.rest)
    return isinstance(tree, Name)


def _quotient(tree: Node) -> tuple[str, str] | None:
    """(measure, target) of `measure / target("name")`."""
    if isinstance(tree, Chain) and isinstance(tree.first, Name) and len(tree.rest) == 1:
        sign, under = tree.rest[0]
        if sign == "/" and isinstance(under, Target):
            return tree.first.name, under.name
    return None
