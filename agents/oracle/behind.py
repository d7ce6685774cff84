"""Who is well below their unit, minute by minute: raised at a decided one after long enough, over at a later one."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from agents.oracle.alerts import Alert, alert_id
from agents.oracle.looked_at import Line, start_of
from agents.oracle.rosters import Rosters, own_sums, said_of
from agents.oracle.rows import span
from agents.oracle.rulebook import Rulebook, Version
from agents.oracle.rules import BelowUnit, Rule
from agents.oracle.score import Counts
from agents.oracle.shares import Share
from agents.oracle.template import Indicator

ENDED = "its template version is not in force any more"
_Key = tuple[str, int, str, str]  # template, version, indicator, rule


class _Below(NamedTuple):
    """Below since a minute (ms); `alert` is None as long as the rule's `for` lasts."""

    since: int
    alert: Alert | None


class _Stood(NamedTuple):
    """How a member stands under a rule; `whole` is the unit's value."""

    unit: str
    line: Line
    rule: Rule
    counts: Counts
    whole: float | None
    below: bool


class _Looked(NamedTuple):
    """How everybody in a unit stands under a rule, while nobody's share and no window is another."""

    version: Version
    start: int | None
    stood: dict[str, _Stood]
    below: list[str]


class Behind:
    """The rules `below_unit` of everybody: what is open goes on from one minute to the next."""

    def __init__(self) -> None:
        self._known: dict[str, dict[_Key, _Below]] = {}
        self._looked: dict[tuple[str, _Key], _Looked] = {}

    def decide(self, rosters: Rosters, rulebook: Rulebook, minute: int, touched: Collection[str]) -> Iterator[Alert]:
        """The alerts that are over at a minute (ms); `touched`: units in which shares are others than before."""
        stood: dict[str, dict[_Key, _Stood]] = {}
        rules = [found for version in rulebook.in_force(minute) for found in _rules(version)]
        for unit in rosters.units() if rules else ():
            for line, rule in rules:
                key = (*line.version.key, line.indicator.id, rule.id)
                looked = self._look(rosters, rulebook, minute, unit, line, rule, unit in touched)
                for employee in {*looked.below, *(self._known.keys() & looked.stood.keys())}:
                    stood.setdefault(employee, {})[key] = looked.stood[employee]
        for employee in sorted(self._known.keys() | stood.keys()):
            known = self._known.setdefault(employee, {})
            yield from _judge(employee, known, stood.get(employee, {}), rulebook, minute)
            if not known:
                del self._known[employee]

    def _look(
        self, rosters: Rosters, rulebook: Rulebook, minute: int, unit: str, line: Line, rule: Rule, is_touched: bool
    ) -> _Looked:
        place = (unit, (*line.version.key, line.indicator.id, rule.id))
        start = start_of(line, rulebook.calendars, unit, minute)
        before = self._looked.get(place)
        if before is None or is_touched or (before.version, before.start) != (line.version, start):
            stood = dict(_standings(rosters, rulebook, minute, unit, line, rule))
            below = [employee for employee, one in stood.items() if one.below]
            before = self._looked[place] = _Looked(line.version, start, stood, below)
        return before

    def open(self) -> Iterator[Alert]:
        """Those that are not over."""
        yield from (one.alert for known in self._known.values() for one in known.values() if one.alert is not None)


def _rules(version: Version) -> Iterator[tuple[Line, Rule]]:
    for indicator in version.template.indicators:
        for rule in indicator.rules:
            if isinstance(rule.condition, BelowUnit):
                yield Line(version, indicator, rule.condition.window), rule


def _standings(
    rosters: Rosters, rulebook: Rulebook, minute: int, unit: str, line: Line, rule: Rule
) -> Iterator[tuple[str, _Stood]]:
    """How everybody stands whom the version assesses."""
    whole = said_of(line, rosters.pooled(unit, line, rulebook, minute)).value
    for employee, share in rosters.members(unit):
        if line.version.key not in share.left:
            counts = _counts(share, unit, line, rulebook, minute)
            yield employee, _Stood(unit, line, rule, counts, whole, _is_below(line.indicator, rule, counts, whole))


def _counts(share: Share, unit: str, line: Line, rulebook: Rulebook, minute: int) -> Counts:
    return said_of(line, own_sums(share, unit, line, rulebook, minute))


def _is_below(indicator: Indicator, rule: Rule, counts: Counts, whole: float | None) -> bool:
    enough = not indicator.min_sample or (counts.n is not None and counts.n >= indicator.min_sample)
    if not isinstance(rule.condition, BelowUnit) or counts.value is None or whole is None or not enough:
        return False
    return counts.value < whole - rule.condition.gap


def _judge(
    employee: str, known: dict[_Key, _Below], stood: Mapping[_Key, _Stood], rulebook: Rulebook, minute: int
) -> Iterator[Alert]:
    for key, one in stood.items():
        if one.below:
            before = known.get(key, _Below(minute, None))
            raises = before.alert is None and minute - before.since >= one.rule.wait
            known[key] = before._replace(alert=_alert(employee, one, rulebook, minute)) if raises else before
    for key in [key for key in known if key not in stood or not stood[key].below]:
        alert = known.pop(key).alert
        if alert is not None:
            yield alert._replace(cleared_at=minute, reason="" if key in stood else ENDED)


def _alert(employee: str, stood: _Stood, rulebook: Rulebook, minute: int) -> Alert:
    line, rule, counts = stood.line, stood.rule, stood.counts
    (template, version), window = line.version.key, line.window
    start = start_of(line, rulebook.calendars, stood.unit, minute)
    if window.kind != "shift":
        start = span(line.version, window, minute)[0]
    named_by = (template, version, line.indicator.id, rule.id, window.text, employee, stood.unit, minute)
    return Alert(
        alert_id(*named_by), rule.id, employee, stood.unit, line.indicator.id, template, version, rule.severity,
        minute, None, window.text, minute if start is None else start, counts.value, counts.n, counts.good,
        stood.whole or 0.0, "", "",
    )  # fmt: skip
