"""How an indicator has gone until now: its windows before this one, or, of a rolling rate, its last minutes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from agents.records.results import Past
from dashboards.web.reading import Trends
from schemas.instants import parse_rfc3339
from schemas.rows import ScoreRow
from stream.indicator import Indicator
from stream.interval import wilson


class Course(NamedTuple):
    """Values with their 95 % interval (None where there is none), oldest first; `seconds` from the first one.

    `window`: each value is that of such a window; of a rolling one, of the panes in it.
    """

    window: str
    seconds: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


def course_of(row: ScoreRow, past: Sequence[Past], trends: Trends, item: Indicator) -> Course | None:
    """The course of the row's indicator; None where nothing came before what the page shows anyway."""
    if past and row.value is not None:
        return _of_windows(row, past)
    return _of_panes(row, trends, item)


def _of_windows(row: ScoreRow, past: Sequence[Past]) -> Course | None:
    begins = begin_of(row)
    before = [each for each in past if each.start < begins]
    if not before:
        return None
    first = before[0].start
    return Course(
        row.window,
        (*((each.start - first) / 1000 for each in before), (begins - first) / 1000),
        (*(each.value for each in before), float(row.value or 0)),
        (*(each.low for each in before), row.low),
        (*(each.high for each in before), row.high),
    )


def begin_of(row: ScoreRow) -> int:
    """When the row's window began, in ms."""
    return _instant(row.window_start)


@lru_cache(maxsize=4096)  # windows of many people began together
def _instant(text: str) -> int:
    return parse_rfc3339(text) or 0


def _of_panes(row: ScoreRow, trends: Trends, item: Indicator) -> Course | None:
    """Of the window itself where it rolls, else of the indicator's shortest one that does."""
    rolling = [row.window, *(each.text for each in item.windows if each.kind == "rolling")]
    found = next((window for window in rolling if _name(row, window) in trends), None)
    if found is None:
        return None
    return course_of_panes(found, trends[_name(row, found)])


def course_of_panes(window: str, trend: Sequence[tuple[int, float, float]]) -> Course | None:
    """The course of a rolling rate from its published trend; None where fewer than two panes have units."""
    panes = [pane for pane in sorted(trend) if pane[1] > 0]
    if len(panes) < 2:
        return None
    bounds = [wilson(good, n) or (None, None) for _, n, good in panes]
    return Course(
        window,
        tuple((start - panes[0][0]) / 1000 for start, _, _ in panes),
        tuple(good / n for _, n, good in panes),
        tuple(low for low, _ in bounds),
        tuple(high for _, high in bounds),
    )


def _name(row: ScoreRow, window: str) -> str:
    return f"{row.template}/{row.indicator}/{window}"
