"""What a person's page says, made of what was published and nothing else: no clock, no I/O, no words, nobody's rank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from dashboards.web.catalogue import Catalogue, Guide
from dashboards.web.missing import for_points
from dashboards.web.my_card import Around, Card, Weights, card_of
from dashboards.web.past import NOTHING, Windows
from dashboards.web.shapes import FULL
from dashboards.web.tasks import Task, tasks
from dashboards.web.updates import Row, key
from dashboards.web.windows import chosen, windows_of
from schemas.rows import OK, TOTALS, ScoreRow
from schemas.updates import ScoreUpdate, UnitUpdate

MOST_HELPS: Final = 3
_SHOWN: Final = 0.05  # points: what is less is shown as none
_HAIR: Final = 1e-9  # points: a total is a quotient of sums of doubles


class Score(NamedTuple):
    """A total or a dimension's score: its points, None without any, and what is missing to all targets."""

    indicator: str
    points: float | None
    away: float | None


class Way(NamedTuple):
    """So many good units in a row of one indicator, and the total is on 100 points if all else stays."""

    card: Card
    units: int


class Sheet(NamedTuple):
    """One template's part: its totals in the chosen window, its indicators, and those of them that would help most."""

    guide: Guide
    total: Score
    dimensions: tuple[Score, ...]
    cards: tuple[Card, ...]
    helps: tuple[Card, ...]
    way: Way | None
    tasks: tuple[Task, ...]


class Page(NamedTuple):
    """`window` was chosen of `windows`; None when there is no score at all."""

    employee: str
    unit: str
    as_of: str
    newest: str | None
    windows: tuple[str, ...]
    window: str | None
    sheets: tuple[Sheet, ...]


def my_page(
    update: ScoreUpdate, unit: UnitUpdate | None, catalogue: Catalogue, asked: str | None, past: Windows = NOTHING
) -> Page:
    """The page of an update in the window that is asked for, or today's. `past`: of windows like it that are over."""
    windows = windows_of(update.rows)
    window = chosen(windows, asked)
    sheets = () if window is None else tuple(_sheets(update, unit, catalogue, window, past))
    return Page(update.employee_id, update.unit, update.as_of, update.newest, windows, window, sheets)


def _sheets(
    update: ScoreUpdate, unit: UnitUpdate | None, catalogue: Catalogue, window: str, past: Windows
) -> Iterator[Sheet]:
    pooled = {key(row): row for row in unit.rows if row.window == window} if unit else {}
    by_template: dict[tuple[str, int], list[ScoreRow]] = {}
    for row in update.rows:
        by_template.setdefault((row.template, row.version), []).append(row)
    for version, own in by_template.items():
        guide = catalogue.guide(*version)
        sheet = None if guide is None else _sheet(guide, own, update, pooled, window, past)
        if sheet is not None:
            yield sheet


def _sheet(
    guide: Guide,
    own: Sequence[ScoreRow],
    update: ScoreUpdate,
    pooled: Mapping[tuple[str, str, str], Row],
    window: str,
    past: Windows,
) -> Sheet | None:
    """None where the template has nothing in this window, and no task elsewhere."""
    scored = {row.indicator: row for row in own if row.window == window}
    items = [facts.indicator for facts in guide.indicators.values() if facts.indicator is not None]
    there = [item for item in items if item.id in scored]
    due = tuple(tasks(items, own, window, update.targets))
    if not there and not due:
        return None
    judged = sum(item.weight for item in there if scored[item.id].points is not None)
    around = Around(update, own, past, Weights(sum(item.weight for item in there), judged))
    cards = tuple(card_of(item, scored[item.id], pooled.get(key(scored[item.id])), around) for item in there)
    helps = sorted((card for card in cards if card.gain >= _SHOWN), key=lambda card: -card.gain)[:MOST_HELPS]
    dimensions = tuple(_score(scored[name]) for name in TOTALS[:-1] if name in scored and scored[name].status == OK)
    total = _score(scored[TOTALS[-1]]) if TOTALS[-1] in scored else Score(TOTALS[-1], None, None)
    way = _way(total, helps, judged)
    return Sheet(guide, total, dimensions if len(dimensions) > 1 else (), cards, tuple(helps), way, due)


def _score(row: ScoreRow) -> Score:
    return Score(row.indicator, row.points, None if row.points is None else max(0.0, FULL - row.points))


def _way(total: Score, helps: Sequence[Card], judged: float) -> Way | None:
    """The way to 100 points by good units of one indicator, the one that helps most before the others."""
    if not total.away:
        return None
    for card in helps:
        weight = card.indicator.weight
        needed = (card.row.points or 0.0) + total.away * judged / weight - _HAIR if weight else None
        units = None if needed is None else for_points(card.row, card.indicator, needed)
        if units:
            return Way(card, units)
    return None
