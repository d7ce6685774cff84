"""A row as it is shown: with its name and target, with where it stands and how sure that is, and with its trend.

`above` and `below` need the whole interval on that side of the target, everything between is `near`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from dashboards.web.catalogue import Catalogue, Facts
from dashboards.web.updates import Key, Row
from schemas.instants import format_rfc3339
from stream.interval import wilson

Mark = Literal["above", "near", "below", "none", "insufficient", "no_data"]
Trends = Mapping[str, Sequence[tuple[int, float, float]]]


class Trend(msgspec.Struct, frozen=True):
    """The rate pane by pane: `seconds` since `start`; None where a pane has no value."""

    start: str | None = None
    seconds: tuple[float, ...] = ()
    values: tuple[float | None, ...] = ()


class Band(msgspec.Struct, frozen=True):
    """The 95 % Wilson interval of each pane of a trend; None where a pane has none."""

    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """An indicator in a window. `value`, `low`, `high`, `target` as the formula's numbers, `n` in units."""

    template: str
    indicator: str
    name: Mapping[str, str]
    window: str
    unit: str
    status: str
    mark: Mark
    value: float | None
    points: float | None
    n: float | None
    low: float | None
    high: float | None
    target: float | None
    min_sample: float


def reading(row: Row, catalogue: Catalogue) -> Reading:
    """The row together with what its template says."""
    facts = facts_of(row, catalogue)
    return Reading(
        template=row.template,
        indicator=row.indicator,
        name=facts.name,
        window=row.window,
        unit=facts.unit,
        status=row.status,
        mark=mark(row, facts.target),
        value=row.value,
        points=row.points,
        n=row.n,
        low=row.low,
        high=row.high,
        target=facts.target,
        min_sample=facts.min_sample,
    )


def mark(row: Row, target: float | None) -> Mark:
    """Where the value stands to its target, as far as its interval allows to say."""
    if row.status in ("insufficient", "no_data"):
        return "insufficient" if row.status == "insufficient" else "no_data"
    if target is None or row.value is None:
        return "none" if row.value is not None else "no_data"
    low = row.value if row.low is None else row.low
    high = row.value if row.high is None else row.high
    if low >= target:
        return "above"
    return "below" if high < target else "near"


def trend(trends: Trends, main: Key) -> Trend:
    """The rate of each pane of the published trend."""
    panes = sorted(trends.get("/".join(main), []))
    if not panes:
        return Trend()
    first = panes[0][0]
    values = tuple(good / n if n else None for _, n, good in panes)
    return Trend(format_rfc3339(first), tuple((start - first) / 1000 for start, _, _ in panes), values)


def band(trends: Trends, main: Key) -> Band:
    """How sure each pane of the trend is: a pane that has just begun says little."""
    intervals = [wilson(good, n) or (None, None) for _, n, good in sorted(trends.get("/".join(main), []))]
    return Band(tuple(low for low, _ in intervals), tuple(high for _, high in intervals))


def facts_of(row: Row, catalogue: Catalogue) -> Facts:
    """What the row's template says of its indicator; nothing while the template is not known."""
    return catalogue.facts(row.template, row.version, row.indicator) or Facts({})
