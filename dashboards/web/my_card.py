"""What a person's page says of one indicator in the chosen window: numbers, what is missing, what is beside it.

A comparison with the unit is told where the person's interval lies wholly below its value. Of what has no interval the
mean is told as it is, and that nobody can say how much of the difference is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from dashboards.web.course import Course, course_of
from dashboards.web.missing import Missing, missing, personal_target
from dashboards.web.past import Windows
from dashboards.web.reading import Mark, mark
from dashboards.web.shapes import is_mean, rises
from dashboards.web.sketch import Spark, Whisker, spark, whisker
from dashboards.web.updates import Row
from dashboards.web.windows import length_of
from schemas.rows import OK, ScoreRow, UnitRow
from schemas.updates import ScoreUpdate
from stream.indicator import Indicator
from stream.interval import wilson

Stands = Literal["told", "below", "under", "over"]


class Beside(NamedTuple):
    """The unit's pooled number in the same window. `below`: the person's interval lies wholly below it; `under`,
    `over`: on the worse side of it, by how much chance nobody knows; `told` otherwise.
    """

    unit: str
    value: float
    stands: Stands


class Card(NamedTuple):
    """An indicator in the chosen window. `share`: its weight in all; `elsewhere`: its rows in the other windows.

    `gain`: the points that the total would have more with this indicator on its target.
    """

    indicator: Indicator
    row: ScoreRow
    mark: Mark
    missing: Missing
    share: float
    gain: float
    with_numbers: str
    points_with_numbers: str | None
    personal: tuple[str, float] | None
    beside: Beside | None
    course: Course | None
    spark: Spark | None
    whisker: Whisker | None
    elsewhere: tuple[ScoreRow, ...]


class Weights(NamedTuple):
    """Sums of weights in the window: of all indicators that it has, and of those with points."""

    all: float
    scored: float


class Around(NamedTuple):
    """What a card is drawn from beside its own row."""

    update: ScoreUpdate
    own: Sequence[ScoreRow]  # of the template, in all windows
    past: Windows
    weights: Weights


def card_of(item: Indicator, row: ScoreRow, pooled: Row | None, around: Around) -> Card:
    """The card of an indicator. `pooled`: its unit's row of the same name."""
    update, weights = around.update, around.weights
    short = missing(row, item, update.targets)
    personal = personal_target(row, item, update.targets)
    course = course_of(row, around.past.get((row.template, row.version, row.indicator), ()), update.trends, item)
    interval = row.value is not None and row.low is not None and row.high is not None
    others = (each for each in around.own if each.indicator == row.indicator and each.window != row.window)
    return Card(
        indicator=item,
        row=row,
        mark=mark(row, item.target),
        missing=short,
        share=item.weight / weights.all if weights.all else 0.0,
        gain=(short.points or 0.0) * item.weight / weights.scored if weights.scored and row.points is not None else 0.0,
        with_numbers=item.value.substitute(row.sums, {} if personal is None else {personal[0]: personal[1]}),
        points_with_numbers=_points(item, row),
        personal=personal,
        beside=_beside(item, row, pooled, update.unit),
        course=course,
        spark=None if course is None else spark(course, item.target),
        whisker=whisker(row.value or 0, row.low or 0, row.high or 0, item.target) if interval else None,
        elsewhere=tuple(sorted(others, key=lambda other: length_of(other.window))),
    )


def _points(item: Indicator, row: ScoreRow) -> str | None:
    if item.points is None or row.points is None or row.value is None:
        return None
    known = {"value": float(row.value)} | ({} if item.target is None else {"target": item.target})
    return item.points.substitute(known, {})


def _beside(item: Indicator, row: ScoreRow, pooled: Row | None, unit: str) -> Beside | None:
    """In the very same window of the same version only; where work is adjusted, both are."""
    if not isinstance(pooled, UnitRow) or (pooled.version, pooled.window_start) != (row.version, row.window_start):
        return None
    if row.value is None or pooled.value is None or row.status != OK:
        return None
    if item.rate_of is None:
        return _beside_mean(item, row.value, pooled.value, unit)
    if row.n is None or row.good is None:
        return None
    own, theirs, good = row.value, pooled.value, float(row.good)
    if isinstance(row.adjusted, float) and isinstance(pooled.adjusted, float):
        own, theirs, good = row.adjusted, pooled.adjusted, row.adjusted * row.n
    interval = wilson(good, row.n)
    if interval is None:
        return None
    return Beside(unit, theirs, "below" if interval[1] < theirs and own < theirs else "told")


def _beside_mean(item: Indicator, own: float, theirs: float, unit: str) -> Beside | None:
    """Of what is a mean whoever's sums go in, such as points of satisfaction by answer."""
    if not is_mean(item.value):
        return None
    more = rises(item)
    if more is None or own == theirs:
        return Beside(unit, theirs, "told")
    return Beside(unit, theirs, "told" if (own > theirs) == more else "under" if more else "over")
