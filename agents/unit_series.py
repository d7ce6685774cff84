"""What Prometheus is told of units: of what was counted, what is about enough people and has a place.

All of it is counted in a round, unit by unit, and shown at its end: a scrape sees one state of the plant.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from agents import withheld
from agents.exposition import head, histogram, labels, sample
from agents.series import Column, Series
from agents.unit_figures import Figures, Key, Row, Spread, counting
from stream import metric_names as names
from stream.metric_names import YIELD_BUCKETS
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.unit_tree import UnitTree

LEAST: Final = 5  # people behind a value, unless the setting metric_people says otherwise
EACH: Final = 64  # units whose samples are written at once
_PEOPLE: Final = Column("people", (), "how many people units have")
_FAMILIES: Final = (
    names.UNIT_SCORE, names.UNIT_SAMPLE, names.UNIT_MEMBERS, names.UNIT_PEOPLE, names.YIELD, names.FUNNEL_OUTSIDE,
    names.DRIFT_MEMBERS,
)  # fmt: skip
_LIMITS: Final = ("warn", "act")
Work = Generator[None, None, None]


class _Columns(NamedTuple):
    """Of one value of units: itself, who lies outside of limits, the distribution."""

    value: Column
    limits: Column
    spread: Column


class UnitSeries:
    """The figures of all units as of the last round, as text; `step` counts on."""

    def __init__(self, series: Series | None = None, least: int = LEAST) -> None:
        self.small = 0  # units with people of whom no value is told
        self._series, self._least = series or Series(), least
        self._figures: dict[str, Figures] = {}
        self._columns: dict[Key, _Columns] = {}
        self._under_way: Work | None = None  # a round
        self._of: Units | None = None
        self._texts: dict[names.Name, dict[Column, str]] = {}  # samples by family and column

    def step(self, units: Units, rules: Rulebook, at: int) -> bool:
        """Counts a unit, or as much of it as is counted at once; whether that was the end of a round."""
        if self._under_way is None or self._of is not units:
            self._of, self._under_way = units, self._round(units, rules, at)
        for _ in self._under_way:
            return False
        self._under_way = None
        return True

    @property
    def units(self) -> list[str]:
        """Those that are known."""
        return list(self._figures)

    def forget(self) -> None:
        """Somebody else counts them now."""
        if self._figures or self._under_way is not None:
            self._figures, self._texts, self._under_way, self._of, self.small = {}, {}, None, None, 0

    def text(self) -> str:
        """The exposition of what was counted last."""
        kept = self._series.kept
        return "".join(
            part
            for name in _FAMILIES
            for part in (head(name), *(text for column, text in self._texts.get(name, {}).items() if kept(column)))
        )

    def _round(self, units: Units, rules: Rulebook, at: int) -> Work:
        found: dict[str, Figures] = {}
        for unit in units.all_names(rules.tree, at):
            found[unit] = yield from counting(units, rules, unit, at)
            yield
        told = _told(found, rules.tree, at, self._least)
        yield
        self.small = sum(1 for unit, own in found.items() if own.rows and unit not in told)
        self._series.ask(self._sizes(found, told))
        made: dict[names.Name, dict[Column, list[str]]] = {name: {} for name in _FAMILIES}
        for count, (unit, own) in enumerate(found.items()):
            for name, column, text in self._samples(unit, own, told.get(unit, set())):
                made[name].setdefault(column, []).append(text)
            if count % EACH == 0:
                yield
        self._texts = {name: {column: "".join(own) for column, own in by.items()} for name, by in made.items()}
        self._figures = found

    def _sizes(self, found: Mapping[str, Figures], told: Mapping[str, set[Key]]) -> dict[Column, int]:
        """How many series each column has."""
        sizes = {_PEOPLE: sum(1 + (own.members > 0) for own in found.values())}
        for unit, keys in told.items():
            for row in found[unit].rows:
                columns = self._columns.setdefault(row.key, _columns(row))
                if row.key in keys:
                    sizes[columns.value] = sizes.get(columns.value, 0) + 2
            for spread in self._spreads(found[unit], keys):
                columns = self._columns[spread.key]
                sizes[columns.limits] = sizes.get(columns.limits, 0) + len(_LIMITS) + 1
                sizes[columns.spread] = sizes.get(columns.spread, 0) + len(spread.buckets) + 2
        return sizes

    def _spreads(self, own: Figures, told: set[Key]) -> Iterator[Spread]:
        return (one for one in own.spreads if one.key in told and sum(one.buckets) >= self._least)

    def _samples(self, unit: str, own: Figures, told: set[Key]) -> Iterator[tuple[names.Name, Column, str]]:
        """What is shown of a unit."""
        kept, whose = self._series.kept, labels(("unit",), (unit,))
        if own.members:  # so that who counts these counts nobody twice, and no unit that has none
            yield names.UNIT_MEMBERS, _PEOPLE, sample(names.UNIT_MEMBERS, whose, own.members)
        yield names.UNIT_PEOPLE, _PEOPLE, sample(names.UNIT_PEOPLE, whose, own.people)
        for row in own.rows:
            if row.key in told and kept(column := self._columns[row.key].value):
                pairs = labels(names.SCORE_KEYS, (unit, *row.key))
                yield names.UNIT_SCORE, column, sample(names.UNIT_SCORE, pairs, row.value)
                yield names.UNIT_SAMPLE, column, sample(names.UNIT_SAMPLE, pairs, row.n)
        for spread in self._spreads(own, told):
            _, limits, whole = self._columns[spread.key]
            pairs = labels(("unit", "indicator"), (unit, spread.key.indicator))
            if kept(limits):
                for limit, number in zip(_LIMITS, (spread.warned, spread.acted), strict=True):
                    yield names.FUNNEL_OUTSIDE, limits, sample(names.FUNNEL_OUTSIDE, f'{pairs},limit="{limit}"', number)
                yield names.DRIFT_MEMBERS, limits, sample(names.DRIFT_MEMBERS, pairs, spread.drifting)
            if kept(whole):
                counts = list(accumulate(spread.buckets))
                yield names.YIELD, whole, histogram(names.YIELD, pairs, YIELD_BUCKETS, counts, spread.total)


def _told(found: Mapping[str, Figures], tree: UnitTree, at: int, least: int) -> dict[str, set[Key]]:
    """Which values are told of each unit that there is anything to tell of."""
    behind: dict[Key, dict[str, int]] = {}
    for unit, own in found.items():
        for row in own.rows:
            behind.setdefault(row.key, {})[unit] = row.people
    above: dict[str, Sequence[str]] = {unit: tree.above(unit, at) for unit in found}
    small = {unit for unit, own in found.items() if own.people < least}
    shown: dict[str, set[Key]] = {}
    for key, people in behind.items():
        for unit in withheld.told(people, above, least, small):
            shown.setdefault(unit, set()).add(key)
    return shown


def _columns(row: Row) -> _Columns:
    name = "/".join(row.key[:2])
    return _Columns(
        Column("values", row.place, f"values of {name} in {row.key.window}"),
        Column("limits", row.place, f"people of {name} outside of limits"),
        Column("distribution", row.place, f"the distribution of {name}"),
    )
