"""What a person's page says, made of what was published and nothing else: no clock, no I/O, no words, nobody's rank.

A comparison with the unit is told where the person's interval lies wholly below its value, and is silent elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from dashboards.web.catalogue import Catalogue, Guide
from dashboards.web.missing import Missing, goal_points, missing, personal_target
from dashboards.web.reading import Mark, Trend, band, mark, trend
from dashboards.web.sketch import Spark, Whisker, spark, whisker
from dashboards.web.updates import Row, is_total, key
from schemas.rows import OK, TOTALS, ScoreRow, UnitRow
from schemas.updates import ScoreUpdate, UnitUpdate
from stream.indicator import DEFAULT_POINTS, Indicator
from stream.interval import wilson

TODAY: Final = ("day", "shift")  # what a page opens with, when there is one
FULL: Final = 100.0  # points of somebody who is on every target
MOST_HELPS: Final = 3
_ORDER: Final = ("shift", "day", "week", "month", "quarter", "year", "all")


class Score(NamedTuple):
    """A total or a dimension's score: its points, None without any, and what is missing to all targets."""

    indicator: str
    points: float | None
    away: float | None


class Beside(NamedTuple):
    """The unit's pooled number in the same window; `below`: the person's interval lies wholly below it."""

    unit: str
    value: float
    below: bool


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
    trend: Trend
    spark: Spark | None
    whisker: Whisker | None
    elsewhere: tuple[ScoreRow, ...]


class Sheet(NamedTuple):
    """One template's part: its totals in the chosen window, its indicators, and those of them that would help most."""

    guide: Guide
    total: Score
    dimensions: tuple[Score, ...]
    cards: tuple[Card, ...]
    helps: tuple[Card, ...]


class Page(NamedTuple):
    """`window` was chosen of `windows`; None when there is no score at all."""

    employee: str
    unit: str
    as_of: str
    newest: str | None
    windows: tuple[str, ...]
    window: str | None
    sheets: tuple[Sheet, ...]
    totals: Mapping[str, float | None]  # by window, of the first template


def my_page(update: ScoreUpdate, unit: UnitUpdate | None, catalogue: Catalogue, asked: str | None) -> Page:
    """The page of an update in the window that is asked for, or today's."""
    windows = _windows(update.rows)
    window = asked if asked in windows else next((w for w in (*TODAY, *windows) if w in windows), None)
    sheets = tuple(
        _sheet(guide, update, unit, window)
        for template, version in dict.fromkeys((row.template, row.version) for row in update.rows)
        if window is not None and (guide := catalogue.guide(template, version)) is not None
    )
    shown = tuple(sheet for sheet in sheets if sheet.cards)
    first = {shown[0].guide.template} if shown else set()
    totals = {row.window: row.points for row in update.rows if row.indicator == TOTALS[-1] and row.template in first}
    return Page(update.employee_id, update.unit, update.as_of, update.newest, windows, window, shown, totals)


def _windows(rows: Sequence[ScoreRow]) -> tuple[str, ...]:
    """Each window once: rolling ones first, shorter before longer."""
    return tuple(sorted({row.window for row in rows if not is_total(row)}, key=_length))


def _length(window: str) -> tuple[int, int]:
    if window.startswith("rolling "):
        return 0, int(window.removeprefix("rolling ").removesuffix("m"))
    return 1, _ORDER.index(window)


def _sheet(guide: Guide, update: ScoreUpdate, unit: UnitUpdate | None, window: str | None) -> Sheet:
    own = [row for row in update.rows if (row.template, row.version) == (guide.template, guide.version)]
    rows = [row for row in own if row.window == window]
    scored = {row.indicator: row for row in rows}
    items = [facts.indicator for facts in guide.indicators.values() if facts.indicator is not None]
    there = [item for item in items if item.id in scored]
    weights = sum(item.weight for item in there if scored[item.id].points is not None)
    everything = sum(item.weight for item in there)
    pooled = {key(row): row for row in (unit.rows if unit else ())}
    cards = tuple(
        _card(item, scored[item.id], own, update, pooled.get(key(scored[item.id])), weights, everything)
        for item in there
    )
    helps = sorted((card for card in cards if card.gain > 0), key=lambda card: -card.gain)[:MOST_HELPS]
    dimensions = tuple(_score(scored[name]) for name in TOTALS[:-1] if name in scored and scored[name].status == OK)
    total = _score(scored[TOTALS[-1]]) if TOTALS[-1] in scored else Score(TOTALS[-1], None, None)
    return Sheet(guide, total, dimensions if len(dimensions) > 1 else (), cards, tuple(helps))


def _score(row: ScoreRow) -> Score:
    return Score(row.indicator, row.points, None if row.points is None else max(0.0, FULL - row.points))


def _card(
    item: Indicator,
    row: ScoreRow,
    own: Sequence[ScoreRow],
    update: ScoreUpdate,
    pooled: Row | None,
    weights: float,
    everything: float,
) -> Card:
    short = missing(row, item)
    personal = personal_target(row, item)
    trends = (trend(update.trends, key(row)), band(update.trends, key(row)))
    interval = row.value is not None and row.low is not None and row.high is not None
    return Card(
        indicator=item,
        row=row,
        mark=mark(row, item.target),
        missing=short,
        share=item.weight / everything if everything else 0.0,
        gain=(short.points or 0.0) * item.weight / weights if weights and row.points is not None else 0.0,
        with_numbers=item.value.substitute(row.sums, dict([personal] if personal else [])),
        points_with_numbers=_points(item, row),
        personal=personal,
        beside=_beside(row, pooled, update.unit),
        trend=trends[0],
        spark=spark(*trends, item.target) if item.rate_of is not None else None,
        whisker=whisker(row.value or 0, row.low or 0, row.high or 0, item.target) if interval else None,
        elsewhere=tuple(sorted(_elsewhere(row, own), key=lambda other: _length(other.window))),
    )


def _elsewhere(row: ScoreRow, own: Sequence[ScoreRow]) -> Iterator[ScoreRow]:
    return (other for other in own if other.indicator == row.indicator and other.window != row.window)


def _points(item: Indicator, row: ScoreRow) -> str | None:
    if item.points is None or row.points is None or row.value is None:
        return None
    known = {"value": float(row.value)} | ({} if item.target is None else {"target": item.target})
    return item.points.substitute(known, {})


def points_rule(item: Indicator) -> tuple[str | None, float | None]:
    """How points are given, as the name of a sentence, and the most that there can be; None where no sentence fits."""
    if item.points is None:
        return "none", None
    text = item.points.text.replace(" ", "")
    if text == DEFAULT_POINTS.text.replace(" ", ""):
        return "default", None
    if text.startswith("100*min(value/target,") and text.endswith(")") and goal_points(item) == FULL:
        cap = text.removeprefix("100*min(value/target,").removesuffix(")")
        return ("capped", 100 * float(cap)) if cap.replace(".", "", 1).isdigit() else (None, None)
    return None, None


def _beside(row: ScoreRow, pooled: Row | None, unit: str) -> Beside | None:
    """Of rates in the very same window of the same version only; where work is adjusted, both are."""
    if not isinstance(pooled, UnitRow) or (pooled.version, pooled.window_start) != (row.version, row.window_start):
        return None
    if row.n is None or row.good is None or row.value is None or pooled.value is None or row.status != OK:
        return None
    own, theirs, good = row.value, pooled.value, float(row.good)
    if isinstance(row.adjusted, float) and isinstance(pooled.adjusted, float):
        own, theirs, good = row.adjusted, pooled.adjusted, row.adjusted * row.n
    interval = wilson(good, row.n)
    return None if interval is None else Beside(unit, theirs, interval[1] < theirs and own < theirs)
