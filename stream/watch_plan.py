"""The rules of a version, bound to the places of its sums: compiled once per version, shared by everybody.

Constants of a rule are computed here in the words of ARCHITECTURE.md (Alerts: what follows from the log); the oracle
computes them too, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt
from statistics import NormalDist
from typing import Final

from stream.alert_rules import (
    AlertRule,
    DefaultRules,
    DriftRule,
    EwmaRule,
    LevelRule,
    NaiveRule,
    StaleRule,
    UnitGapRule,
)
from stream.case_mix import risk_of
from stream.cusum import Weights, odds_ratio, weights
from stream.formula_parser import Chain, Name
from stream.plan import Evaluate
from stream.rulebook import Entry, Group, Version
from stream.template import Indicator
from stream.window import Window

DEFAULT_GOOD: Final = 0.95
DEFAULT_ODDS: Final = 57 / 17  # of a defect: how much higher they are at 0.85 than at 0.95
DEFAULT_H: Final = 5.5
_DEFAULT_DEFECTIVE: Final = 0.05
_FEWER: Final = 0.8
_LEAST_H: Final = 2.5  # two defective units alone never alert


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """An indicator's formulas over a group's vector without its first place."""

    value: Evaluate
    good: Evaluate | None
    of: Evaluate | None
    plain: tuple[int, int] | None  # places of n and good in the vector, where value is good / n of plain measures
    share: str  # then the two measures as Measures.share wants them
    allowance: int  # its place in the vector; 0 where kinds of work make no difference


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What every rule has; `place` among those of its group, `pending` in ms."""

    place: int
    indicator: Indicator
    measure: Measure
    id: str
    severity: str
    pending: int
    escalation: int  # ms without an acknowledgement; 0: never


@dataclass(frozen=True, slots=True, eq=False)
class Level(Head):
    """`below` and `naive`: the value of a window lies too low. `z` None: the value itself is looked at."""

    window: Window
    below: float
    clear_above: float
    z: float | None
    min_sample: int
    naive: bool


@dataclass(frozen=True, slots=True, eq=False)
class Drift(Head):
    """Bernoulli CUSUM over units."""

    good: float  # the share when all is well
    bad: float
    each: Weights  # of work of average difficulty
    h: float
    evenly: bool  # a record's defective units lie among its good ones; else they come first
    mixed: int  # the indicator's place in the group's `mixed`; -1: kinds of work make no difference

    def risks(self, entries: Sequence[Entry]) -> Sequence[Weights]:
        """What a unit of each adds, by its kind of work; none where all are of average difficulty."""
        if self.mixed < 0:
            return ()
        mixes = [entry.mix[self.mixed] for entry in entries]
        if all(base == expected for base, expected in mixes):
            return ()
        return [self.each if mix.base == mix.expected else _by_risk(self, risk_of(self.good, mix)) for mix in mixes]


@dataclass(frozen=True, slots=True, eq=False)
class Ewma(Head):
    """Exponentially weighted moving average of records' shares, or with a `sigma` of their values."""

    target: float
    smoothing: float
    width: float
    sigma: float | None
    high: bool  # it must not drift upwards

    def limit(self, spread: float) -> float:
        """Beyond which the average is out of control; `spread` is its variance."""
        width = self.width * sqrt(spread)
        return self.target + width if self.high else self.target - width

    def off(self, average: float, line: float) -> bool:
        """Whether an average lies on the bad side of a line."""
        return average > line if self.high else average < line


@dataclass(frozen=True, slots=True, eq=False)
class Gap(Head):
    """`below_unit`: the value of a window lies more than `gap` below the unit's. The unit decides, each minute."""

    window: Window
    gap: float


@dataclass(frozen=True, slots=True, eq=False)
class Stale(Head):
    """`stale`: no entry for so long (ms) while the unit is at work. Ticks decide (stream/silence.py)."""

    after: int


Rule = Level | Drift | Ewma | Gap | Stale


@dataclass(frozen=True, slots=True, eq=False)
class WatchPlan:
    """The rules of one group, by what they look at; `rules` are all of them."""

    version: Version
    group: Group
    levels: tuple[tuple[Window, tuple[Level, ...]], ...]  # rules of one window share its sums
    drifts: tuple[Drift, ...]
    ewmas: tuple[Ewma, ...]
    stales: tuple[Stale, ...]
    rules: tuple[Rule, ...]
    aims: bool  # some rule looks at personal targets


@lru_cache(maxsize=4096)
def watch_plans(version: Version) -> tuple[WatchPlan | None, ...]:
    """Per group of a version; None where nothing is watched."""
    return tuple(_plan(version, group) for group in version.groups)


def window_of(rule: Rule) -> str:
    """The window that a rule looks at, as the template writes it; "" for one without."""
    return rule.window.text if isinstance(rule, Level | Gap) else ""


def drifts(rule: Rule) -> bool:
    """Whether its alerts say that somebody's work has got worse: those of many people at once are the line's.

    `naive` is false too often to say it, also of many.
    """
    return isinstance(rule, Drift | Ewma) or (isinstance(rule, Level) and not rule.naive)


def gaps(version: Version) -> tuple[Gap, ...]:
    """The rules of a version that a unit decides."""
    plans = (plan for plan in watch_plans(version) if plan is not None)
    return tuple(rule for plan in plans for rule in plan.rules if isinstance(rule, Gap))


@lru_cache(maxsize=4096)
def stales(version: Version) -> tuple[Stale, ...]:
    """The rules of a version that wait for silence."""
    return tuple(rule for plan in watch_plans(version) if plan is not None for rule in plan.stales)


@lru_cache(maxsize=4096)
def aims(version: Version) -> bool:
    """Whether personal targets decide about alerts: a target of the past has them counted anew."""
    return any(plan is not None and plan.aims for plan in watch_plans(version))


def _plan(version: Version, group: Group) -> WatchPlan | None:
    rules: list[Rule] = []
    watched = zip(version.template.indicators, version.group_of, strict=True)
    own = [(indicator, rule) for indicator, index in watched if index == group.index for rule in indicator.alerts]
    for indicator, rule in sorted(own, key=lambda one: _needs_calendar(one[1])):  # states of before know no such rules
        compiled = _compile(len(rules), indicator, _measure(indicator, group), group.mix(indicator.id), rule)
        if compiled is not None:
            rules.append(compiled)
    if not rules:
        return None
    levels = [rule for rule in rules if isinstance(rule, Level)]
    windows = dict.fromkeys(rule.window for rule in levels)
    return WatchPlan(
        version,
        group,
        tuple((window, tuple(rule for rule in levels if rule.window == window)) for window in windows),
        tuple(rule for rule in rules if isinstance(rule, Drift)),
        tuple(rule for rule in rules if isinstance(rule, Ewma)),
        tuple(rule for rule in rules if isinstance(rule, Stale)),
        tuple(rules),
        any(_names_targets(rule.indicator) for rule in rules),
    )


def _needs_calendar(rule: AlertRule) -> bool:
    if isinstance(rule, StaleRule):
        return True
    return isinstance(rule, LevelRule | NaiveRule | UnitGapRule) and rule.window.kind == "shift"


def _names_targets(indicator: Indicator) -> bool:
    formulas = (indicator.value, indicator.rate_good, indicator.rate_of)
    return any(formula.targets for formula in formulas if formula is not None)


def _measure(indicator: Indicator, group: Group) -> Measure:
    of, good, names = indicator.rate_of, indicator.rate_good, group.names
    return Measure(
        indicator.value.bind(names),
        good.bind(names) if good else None,
        of.bind(names) if of else None,
        plain := _plain(indicator, names),
        "" if plain is None else f"{names[plain[1] - 1]}/{names[plain[0] - 1]}",
        group.allowance(indicator.id),
    )


def _plain(indicator: Indicator, names: tuple[str, ...]) -> tuple[int, int] | None:
    match indicator.value.tree, indicator.rate_good, indicator.rate_of:
        case Chain(Name(above), (("/", Name(below)),)), good, of if good is not None and of is not None:
            if good.tree == Name(above) and of.tree == Name(below):
                return names.index(below) + 1, names.index(above) + 1
    return None


@lru_cache(maxsize=65_536)
def _by_risk(rule: Drift, risk: float) -> Weights:
    """What a unit of this risk adds (Steiner and others 2000); `default` is as wary of it as of the usual one."""
    each = weights(risk, odds_ratio(rule.good, rule.bad))
    if not rule.evenly:
        return each
    scale = rule.h / _default_h(risk)
    return Weights(each.defective * scale, each.good * scale)


def _default_h(defective: float) -> float:
    """So high that about as few shifts have a false alert, whatever share is defective when all is well."""
    more = log(defective / _DEFAULT_DEFECTIVE)
    return max(_LEAST_H, DEFAULT_H + (more if more > 0 else _FEWER * more))


def _default(indicator: Indicator, rule: DefaultRules) -> DriftRule:
    """The product's own rule set: a drift to odds of a defect as much higher as those of 85 % are than those of 95 %.

    False alerts come in proportion to defects and fall by about e for each 1 that h grows: hence its second part,
    which was chosen by simulation (tests/quality).
    """
    target = indicator.target
    good = target if target is not None and 0 < 1 - target < 1 else DEFAULT_GOOD
    defective = 1 - good
    odds = defective / (1 - defective) * DEFAULT_ODDS
    bad = 1 - odds / (1 + odds)
    return DriftRule(rule.id, rule.severity, rule.pending, good, bad, _default_h(defective))


def _compile(place: int, indicator: Indicator, measure: Measure, mixed: int, rule: AlertRule) -> Rule | None:
    head = (place, indicator, measure, rule.id, rule.severity, rule.pending, rule.escalation)
    evenly = isinstance(rule, DefaultRules)
    meant = _default(indicator, rule) if isinstance(rule, DefaultRules) else rule
    match meant:
        case LevelRule():
            z = None if meant.confidence is None else NormalDist().inv_cdf(meant.confidence)
            sample = indicator.min_sample if indicator.rate_of else 0
            return Level(*head, meant.window, meant.below, meant.clear_above, z, sample, naive=False)
        case UnitGapRule():
            return Gap(*head, meant.window, meant.gap)
        case StaleRule():
            return Stale(*head, meant.after)
        case NaiveRule():
            return Level(*head, meant.window, meant.below, meant.below, None, 0, naive=True)
        case DriftRule():
            p0, p1 = 1 - meant.good, 1 - meant.bad
            if p1 == 1:  # a share so small that doubles do not tell it from none
                return None
            each = Weights(log(p1 / p0), log((1 - p1) / (1 - p0)))
            return Drift(*head, meant.good, meant.bad, each, meant.h, evenly, mixed)
        case EwmaRule(sigma=sigma, side=side) if (target := indicator.target) is not None:
            if sigma is not None or 0 < target < 1:
                return Ewma(*head, target, meant.smoothing, meant.width, sigma, side == "above")
    return None
