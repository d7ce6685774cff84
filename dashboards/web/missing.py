"""What is missing to a target, told in units only where that is exact: the least that reaches it if all else stays.

A person can act on "12 more good units"; where a formula does not allow to say that, only the points are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Final, Literal, NamedTuple

from dashboards.web.shapes import adds_up, goal_points, is_plain_rate, points_at, points_text, quotient
from schemas.rows import INSUFFICIENT, NO_DATA, ScoreRow
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


def missing(row: ScoreRow, indicator: Indicator, targets: Mapping[str, float] = {}) -> Missing:
    """What the row's indicator is away from its target; `targets`: the personal ones."""
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
    return _in_units(row, row.value, indicator, indicator.target, away, targets)


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


def personal_target(row: ScoreRow, indicator: Indicator, targets: Mapping[str, float] = {}) -> tuple[str, float] | None:
    """Name and number of the personal target in `measure / target("name")`; None for any other formula.

    What was published with the rows says it (`targets`). An update of before that did not: then sum and value do, as
    a target is kept in millionths.
    """
    if (parts := quotient(indicator.value)) is None:
        return None
    if (told := targets.get(parts[1])) is not None:
        return parts[1], told
    return (parts[1], round(row.sums.get(parts[0], 0) / row.value, 6)) if row.value else None


def for_points(row: ScoreRow, indicator: Indicator, needed: float) -> int | None:
    """The least number of good units in a row that gives so many points or more, as the score is computed.

    None for what is no plain rate, or has another rule of points than those in proportion to the target.
    """
    points, target, good, n = indicator.points, indicator.target, row.good, row.n
    if points is None or not target or good is None or n is None or not is_plain_rate(indicator):
        return None
    rule, most = points_text(points)
    if rule is None or (most is not None and needed > most):
        return None
    k = good_units(good, n, min(needed / 100 * target, 1.0))
    if k is None:
        return None

    def enough(units: int) -> bool:
        given = points_at(points, (good + units) / (n + units), target) if n + units else None
        return given is not None and given >= needed

    # The rule computes in doubles of its own: it may reach the points a unit before or after the value does.
    return next((near for near in range(max(0, k - 1), k + 2) if enough(near)), None)


def _in_units(
    row: ScoreRow, value: float, indicator: Indicator, target: float, away: float, targets: Mapping[str, float]
) -> Missing:
    if is_plain_rate(indicator):
        if row.good is None or row.n is None:
            return Missing("untold", away)
        k = good_units(row.good, row.n, target)
        return Missing("unreachable", away) if k is None else Missing("units", away, k, indicator.value.names[0])
    if (own := personal_target(row, indicator, targets)) is not None:
        measure = indicator.value.names[0]
        return Missing("amount", away, round(target * own[1] - row.sums.get(measure, 0), 6), measure)
    if adds_up(indicator.value):
        return Missing("amount", away, round(target - value, 6), indicator.value.names[0])
    return Missing("untold", away)
