"""What Prometheus is told of alerts: each open one by an id that names nobody, and how many came, went, were answered.

Counters of a unit and rule begin at 0 as soon as both are known, so that the first alert is an increase; of a rule
that has no place for each unit (agents/series.py) all units count together, and `unit` is empty. An alert that people
are told of is shown for a minute, even where it is over sooner: Prometheus looks only now and then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Histogram

from agents.exposition import head, labels, sample
from agents.series import Column, Series
from schemas.alerts import ACKNOWLEDGED, FIRING, WITHDRAWN, AlertRow
from schemas.instants import MINUTE, parse_rfc3339
from stream import metric_names as names
from stream.alert_reader import COMMON_CAUSE
from stream.rulebook import Rulebook, Version
from stream.watch_plan import drifts, watch_plans

SHOWN: Final = MINUTE  # at least: a few scrapes, should one of them fail
_VERDICTS: Final = ("right", "wrong")
_GRAVITY: Final = {"critical": 0, "warning": 1, "info": 2}
_MILDEST: Final = "info"
_BUCKETS: Final = (60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)

_ALL: Final = ""  # the unit of what all units count together

Key = tuple[str, str, str]  # unit, rule, severity


class _Columns(NamedTuple):
    """Of a rule: its counts of each unit, and of all together."""

    by_unit: Column
    whole: Column


class AlertMetrics:
    """Of one worker. `open` is what people are notified of now."""

    def __init__(self, registry: CollectorRegistry, series: Series | None = None) -> None:
        self.open: tuple[AlertRow, ...] = ()
        self._series = series or Series()
        self._brief: dict[str, tuple[int, AlertRow]] = {}  # by id, what was over soon: shown until (ms)
        self._units: set[str] = set()
        self._rules: dict[tuple[str, str], _Columns] = {}  # by rule and severity
        self._raised: dict[Key, int] = {}
        self._cleared: dict[Key, int] = {}
        self._acknowledged: dict[Key, int] = {}
        self._reviewed: dict[Key, int] = {}  # by unit, rule, verdict
        self._waited = Histogram(
            names.ACKNOWLEDGE_SECONDS.name, names.ACKNOWLEDGE_SECONDS.help, names.ACKNOWLEDGE_SECONDS.labels,
            registry=registry, buckets=_BUCKETS,
        )  # fmt: skip
        for severity in _GRAVITY:
            self._waited.labels(severity)
        self._labels: dict[tuple[tuple[str, ...], Key], str] = {}
        self._text = ""

    def know(self, units: Collection[str], rules: Rulebook) -> None:
        """Counts of these units under the rules of all versions begin."""
        kinds = {rule for versions in rules.versions.values() for v in versions for rule in _rules(v)}
        self._begin(units, kinds)

    def _begin(self, units: Iterable[str], kinds: Iterable[tuple[str, str]]) -> None:
        """Each unit and rule (with its severity) has its counts, as far as there is a place for them."""
        known = len(self._units), len(self._rules)
        self._units.update(units)
        for kind in kinds:
            if kind not in self._rules:
                self._rules[kind] = _columns(*kind)
        if (len(self._units), len(self._rules)) == known:
            return
        each = len(self._counters) + len(_VERDICTS)
        sizes = {columns.whole: each for columns in self._rules.values()}
        self._series.ask(sizes | {columns.by_unit: each * len(self._units) for columns in self._rules.values()})
        for counts in self._counters:
            for key in [key for key in counts if key != self._place(key)]:
                del counts[key]  # it has lost its place, for good
            for rule, severity in self._rules:
                for unit in self._units:
                    if (place := self._place((unit, rule, severity))) is not None:
                        counts.setdefault(place, 0)

    @property
    def _counters(self) -> tuple[dict[Key, int], ...]:
        return self._raised, self._cleared, self._acknowledged

    def _place(self, key: Key) -> Key | None:
        """Where something of a unit, rule and severity is counted; nowhere, if even all units have no place."""
        columns = self._rules[key[1:]]
        if self._series.kept(columns.by_unit):
            return key
        return (_ALL, *key[1:]) if self._series.kept(columns.whole) else None

    def _count(self, counts: dict[Key, int], row: AlertRow) -> None:
        self._begin([row.unit], [(row.rule, row.severity)])
        if (place := self._place((row.unit, row.rule, row.severity))) is not None:
            counts[place] = counts.get(place, 0) + 1

    def take(self, news: Iterable[AlertRow], now: int) -> None:
        """Changes of alerts, each once; `now` in ms."""
        for row in news:
            if row.cleared_at is not None:
                self._count(self._cleared, row)
                if _is_brief(row):
                    self._brief[row.alert_id] = (now + SHOWN, replace(row, state=FIRING))
            elif row.state == ACKNOWLEDGED and row.folded_into is None:
                self._count(self._acknowledged, row)
                waited = (parse_rfc3339(row.changed_at) or 0) - (parse_rfc3339(row.raised_at) or 0)
                self._waited.labels(row.severity).observe(waited / 1000)
            elif row.state == FIRING and row.changed_at == row.raised_at and _is_new(row):
                self._count(self._raised, row)

    def reviewed(self, counts: Iterable[Mapping[Key, int]]) -> None:
        """How many stand that people found right or wrong, of each partition."""
        found = Counter[Key]()
        for own in counts:
            found.update(own)
        known = {rule for rule, _ in self._rules}
        self._begin({unit for unit, _, _ in found}, {(rule, _MILDEST) for _, rule, _ in found if rule not in known})
        places = self._verdict_places()
        self._reviewed = {
            (unit, rule, verdict): 0 for rule, units in places.items() for unit in units for verdict in _VERDICTS
        }
        for (unit, rule, verdict), number in found.items():
            if units := places[rule]:
                self._reviewed[unit if unit in units else _ALL, rule, verdict] += number

    def _verdict_places(self) -> dict[str, Collection[str]]:
        """The units of which verdicts on a rule are shown: each, or all together, or none."""
        places: dict[str, Collection[str]] = {}
        for (rule, _), columns in self._rules.items():
            if self._series.kept(columns.by_unit):
                places[rule] = self._units
            elif not places.get(rule):
                places[rule] = (_ALL,) if self._series.kept(columns.whole) else ()
        return places

    def show(self, rows: Iterable[AlertRow], now: int) -> None:
        """These are open at `now` (ms); folded ones, and those of an import, notify nobody."""
        latest = {row.alert_id: row for row in rows}
        self._brief = {name: kept for name, kept in self._brief.items() if now < kept[0]}
        told = [row for row in latest.values() if row.notify and not row.folded_into]
        told += [row for name, (_, row) in self._brief.items() if name not in latest]
        told.sort(key=lambda row: (_GRAVITY[row.severity], row.raised_at, row.alert_id))
        self.open = tuple(told[: self._series.open([1 + (row.escalated_at is not None) for row in told])])
        self._text = "".join(self._families())

    def text(self) -> str:
        """The exposition as it was when alerts were last shown."""
        return self._text

    def _families(self) -> Iterator[str]:
        yield head(names.SCORE_ALERT)
        for row in self.open:
            yield sample(names.SCORE_ALERT, labels(names.SCORE_ALERT.labels, (*_named(row), row.state)), 1)
        yield head(names.ALERT_ESCALATED)
        for row in (row for row in self.open if row.escalated_at is not None):
            yield sample(names.ALERT_ESCALATED, labels(names.ALERT_ESCALATED.labels, _named(row)), 1)
        for name, counts in (
            (names.ALERTS_RAISED, self._raised),
            (names.ALERTS_CLEARED, self._cleared),
            (names.ALERTS_ACKNOWLEDGED, self._acknowledged),
            (names.ALERTS_REVIEWED, self._reviewed),
        ):
            yield head(name)
            for key, number in counts.items():
                yield sample(name, self._pairs(name, key), number)

    def _pairs(self, name: names.Name, key: Key) -> str:
        """The labels of a count, written once."""
        known = self._labels.get((name.labels, key))
        if known is None:
            known = self._labels[name.labels, key] = labels(name.labels, key)
        return known


def _named(row: AlertRow) -> tuple[str, str, str, str, str]:
    return row.alert_id, row.unit, row.indicator, row.rule, row.severity


def _rules(version: Version) -> Iterator[tuple[str, str]]:
    for plan in watch_plans(version):
        for rule in plan.rules if plan is not None else ():
            yield rule.id, rule.severity
            if drifts(rule):
                yield COMMON_CAUSE, rule.severity


def _columns(rule: str, severity: str) -> _Columns:
    """The gravest first; what all units count together takes little, and comes before each of them counts."""
    name, gravity = f"counts of alerts by {rule} ({severity})", _GRAVITY[severity]
    return _Columns(
        Column("alert_counts", (1, gravity), f"{name} of each unit"),
        Column("alert_counts", (0, gravity), f"{name} of all units"),
    )


def _is_new(row: AlertRow) -> bool:
    """Whether it is said for the first time: a tick says it again, and whether it is told to people."""
    return row.notify is None or row.rule == COMMON_CAUSE


def _is_brief(row: AlertRow) -> bool:
    """Whether an alert that is over was to be told, and may have come and gone between two looks."""
    if not row.notify or row.folded_into or row.by or row.reason == WITHDRAWN:
        return False
    return (parse_rfc3339(row.cleared_at or "") or 0) - (parse_rfc3339(row.raised_at) or 0) < SHOWN
