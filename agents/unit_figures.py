"""How a unit's people stand, for Grafana: the unit's values, and the distribution of its members' beside the funnel.

Counted now and then in small slices; a scrape reads what was counted last. No member appears by name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from stream import metric_names as names
from stream.charts import ACT, WARN, funnel
from stream.metric_names import YIELD_BUCKETS
from stream.plan import Line, plan_of
from stream.pool import Member, Units
from stream.rulebook import Rulebook, Version
from stream.unit_rules import Seen, seen

MOST: Final = 4_000  # rows of units that are shown
_LARGEST: Final = 1_000_000  # units in a funnel's sample: beyond it is as narrow as makes no difference


class Row(NamedTuple):
    """A pooled value of a unit."""

    template: str
    indicator: str
    window: str
    value: float
    n: float


class Spread(NamedTuple):
    """Members of a unit by one rate: how many per bucket, the sum of values, how many lie outside or near an alert."""

    indicator: str
    buckets: tuple[int, ...]
    total: float
    warned: int
    acted: int
    drifting: int


class Figures(NamedTuple):
    """Of one unit."""

    members: int
    rows: tuple[Row, ...]
    spreads: tuple[Spread, ...]


def figures(units: Units, rules: Rulebook, unit: str, at: int) -> Figures:
    """What there is to say of a unit as of an instant (ms)."""
    members = list(units.members(unit))
    rows: list[Row] = []
    spreads: dict[str, Spread] = {}
    for version in (v for name in rules.versions if (v := rules.in_force(name, at)) is not None):
        vectors = units.vectors(unit, version, at)
        for line in plan_of(version).lines:
            whole = seen(line, vectors[line.slot])
            if whole.value is None:
                continue
            rows.append(Row(version.key[0], line.indicator.id, line.window.text, whole.value, whole.n or 0.0))
            if line.of is not None and line.indicator.id not in spreads:  # its first window
                spreads[line.indicator.id] = _spread(version, line, whole, members, at)
    return Figures(len(members), tuple(rows), tuple(spreads.values()))


def _spread(version: Version, line: Line, whole: Seen, members: Sequence[Member], at: int) -> Spread:
    buckets, total, outside = [0] * (len(YIELD_BUCKETS) + 1), 0.0, [0, 0]
    share = (whole.good or 0.0) / whole.n if whole.n else 0.0
    for member in members:
        value, n, _ = seen(line, member.vector(version, line.slot, at))
        if value is None or n is None:
            continue
        buckets[bisect_left(YIELD_BUCKETS, value)] += 1
        total += value
        if 0 < share < 1 and 1 <= n <= _LARGEST:
            for place, level in enumerate((WARN, ACT)):
                outside[place] += value < _lowest(round(share, 4), int(n), level)
    key = f"{version.key[0]}/{line.indicator.id}"
    drifting = sum(key in member.drifts for member in members)
    warned, acted = outside
    return Spread(line.indicator.id, tuple(buckets), total, warned, acted, drifting)


@lru_cache(maxsize=16_384)
def _lowest(share: float, n: int, level: float) -> float:
    return funnel(share, n, level).low if 0 < share < 1 else 0.0


class UnitFigures:
    """The last figures of all units; `one` counts the next unit anew."""

    def __init__(self) -> None:
        self._known: dict[str, Figures] = {}
        self._waiting: list[str] = []

    def one(self, units: Units, rules: Rulebook, at: int) -> bool:
        """Counts one unit; whether that was the last of a round."""
        if not self._waiting:
            self._waiting = units.names()[::-1]
            self._known = {name: self._known[name] for name in self._waiting if name in self._known}
        if self._waiting:
            unit = self._waiting.pop()
            self._known[unit] = figures(units, rules, unit, at)
        return not self._waiting

    @property
    def units(self) -> list[str]:
        """Those that are known."""
        return list(self._known)

    def collect(self) -> Iterator[Metric]:
        """prometheus-client calls this."""
        known = list(self._known.items())
        value, sample = (_gauge(name) for name in (names.UNIT_SCORE, names.UNIT_SAMPLE))
        shown = 0
        for unit, found in known:
            for row in found.rows if shown < MOST else ():
                labels = [unit, row.template, row.indicator, row.window]
                value.add_metric(labels, row.value)
                sample.add_metric(labels, row.n)
                shown += 1
        yield from (value, sample)
        members = _gauge(names.UNIT_MEMBERS)
        for unit, found in known:
            members.add_metric([unit], found.members)
        yield members
        yield from _spreads(known)


def _spreads(known: Sequence[tuple[str, Figures]]) -> Iterator[Metric]:
    yields = HistogramMetricFamily(names.YIELD.name, names.YIELD.help, labels=names.YIELD.labels)
    funnels, drifts = _gauge(names.FUNNEL_OUTSIDE), _gauge(names.DRIFT_MEMBERS)
    bounds = [*map(str, YIELD_BUCKETS), "+Inf"]
    for unit, found in known:
        for spread in found.spreads:
            counts = [sum(spread.buckets[: place + 1]) for place in range(len(bounds))]
            yields.add_metric([unit, spread.indicator], list(zip(bounds, counts, strict=True)), spread.total)
            funnels.add_metric([unit, spread.indicator, "warn"], spread.warned)
            funnels.add_metric([unit, spread.indicator, "act"], spread.acted)
            drifts.add_metric([unit, spread.indicator], spread.drifting)
    yield from (yields, funnels, drifts)


def _gauge(name: names.Name) -> GaugeMetricFamily:
    return GaugeMetricFamily(name.name, name.help, labels=name.labels)
