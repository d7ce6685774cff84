"""Rules that contradict themselves or each other: allowed, as a text that is published stays one, but nobody should
publish them unawares. Each warning names the field, what stands there and what would be right.

How often a drift rule speaks for nothing, and how soon for a reason, is by Wald's approximations: to an alert of
somebody at `good` it takes (e**h - h - 1) / I units, I being what a unit takes from the statistic on average, times
OVERSHOOT, as the last unit leaps beyond h (1.4 to 1.8 by simulation); at `bad` h / I.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import exp, floor, log, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from schemas.instants import DAY, HOUR, MINUTE
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
from stream.fields import Field
from stream.indicator import Indicator
from stream.window import Window
from stream.yaml_tree import Scalar

SHIFT_UNITS: Final = 400  # of a shift, as docs/alert-quality.md counts it
OVERSHOOT: Final = 1.6
PATIENCE: Final = 10_000  # units after which nobody waits for an alert any more
FEW: Final = 5  # units of which a share says nothing
MOST: Final = 1_000_000  # units that no window holds
SURE: Final = (0.8, 0.9999)  # confidences that are meant
WIDTH: Final = (2.0, 10.0)  # sigmas that are meant
LIGHT: Final = 0.01  # a weight of the newest record that is hardly one
LONG_SHIFT: Final = 12 * HOUR
LONG_WAIT: Final = 31 * DAY
LONGEST_SILENCE: Final = 7 * DAY  # until an alert escalates
SMALL_GAP: Final = 0.005
_DAYS: Final = {"shift": 1, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_GRAVITY: Final = ("info", "warning", "critical")
_ADJUSTED: Final = (DriftRule, DefaultRules, EwmaRule)


class Written(NamedTuple):
    """A rule, where it stands, and the indicator that it watches."""

    rule: AlertRule
    field: Field
    indicator: Indicator

    def at(self, *names: str) -> Field:
        """A field of the rule, or of a mapping in it; the rule itself where it is left out."""
        found = self.field
        for name in names:
            found = dict(found.entries()).get(name, found)
        return found

    @property
    def share(self) -> float | None:
        """The indicator's target where it is a share."""
        target = self.indicator.target
        return target if target is not None and 0 < target < 1 else None


def warn_rules(item: Field, indicator: Indicator) -> None:
    """What is odd about the rules of an indicator; nothing while the indicator has errors."""
    if not item.findings.is_clean(item.path):
        return
    written = list(_written(item, indicator))
    for one in written:
        _CHECKS[type(one.rule)](one)
        _escalation(one)
    _twice(written)
    _disorder(written)
    _case_mix(item, written)


def _written(item: Field, indicator: Indicator) -> Iterator[Written]:
    field = dict(item.entries()).get("alerts")
    if field is not None:
        places = [field] if isinstance(field.node, Scalar) else field.items("")
        yield from (Written(rule, place, indicator) for rule, place in zip(indicator.alerts, places, strict=True))


# One rule by itself


def _default(one: Written) -> None:
    if one.share is None:
        target = one.indicator.target
        given = "there is no target" if target is None else f"the target {target:g} does not lie between 0 and 1"
        one.field.warn(
            f"`default` takes 95 % for normal here, as {given}: whoever is below is alerted",
            "set such a target, or say what is normal: `{id: drop, drift: {good: 0.95, bad: 0.85, h: 5.5}}`",
        )


def _drift(one: Written) -> None:
    rule = one.rule
    assert isinstance(rule, DriftRule)
    if one.share is not None and rule.good > one.share:
        one.at("drift", "good").warn(
            f"good {rule.good:g} lies above the target {one.share:g}: who only reaches the target drifts",
            "take the target, or less, for `good`",
        )
    _height(one, rule)
    _waits(one, LONG_WAIT, "31 days")


def _height(one: Written, rule: DriftRule) -> None:
    p0, p1, field = 1 - rule.good, 1 - rule.bad, one.at("drift", "h")
    up, down = (log(p1 / p0), log((1 - p1) / (1 - p0))) if p1 < 1 else (0.0, 0.0)
    well, badly = -(p0 * up + (1 - p0) * down), p1 * up + (1 - p1) * down  # what a unit takes, and what it adds
    if well <= 0 or badly <= 0:
        one.at("drift").warn("the shares cannot be told apart: the rule never alerts", "put `bad` well below `good`")
    elif rule.h <= up:
        field.warn("one defective unit alone is an alert", "write a height such as 5.5")
    elif (between := OVERSHOOT * (exp(min(rule.h, 100.0)) - rule.h - 1) / well) < SHIFT_UNITS:
        said = f"who works at good ({rule.good:g}) is alerted about once in {max(1, round(between))} units"
        field.warn(said, "write a height such as 5.5")
    elif (needed := rule.h / badly) > PATIENCE:
        field.warn(f"at bad ({rule.bad:g}) an alert takes some {needed:,.0f} units", "write a height such as 5.5")


def _level(one: Written) -> None:
    rule = one.rule
    assert isinstance(rule, LevelRule)
    _above_target(one, "below", rule.below)
    _clears(one, rule, one.at("clear_above"))
    if rule.confidence is not None:
        _surely(one, rule.confidence)
        _enough(one, "below", _decisive(rule.below, rule.confidence))
    _within(one, rule.window)


def _clears(one: Written, rule: LevelRule, field: Field) -> None:
    target = one.indicator.target
    if rule.clear_above == rule.below:
        field.warn(
            f"is `below` itself ({rule.below:g}): a value around it is raised and cleared again and again",
            "put clear_above above `below`, or leave it out",
        )
    elif field is not one.field and target is not None and rule.below <= target < rule.clear_above:
        field.warn(
            f"lies above the target {target:g}: who reaches the target again stays alerted",
            "put it at the target, or under it",
        )


def _surely(one: Written, confidence: float) -> None:
    low, high = SURE
    if confidence < low:
        one.at("confidence").warn("is hardly more than a guess: chance alone alerts", "write 0.95 or 0.99")
    elif confidence > high:
        one.at("confidence").warn("is hardly ever reached", "write 0.95 or 0.99")


def _decisive(below: float, confidence: float) -> int:
    """How many units, all of them defective, are enough for Wilson's upper bound."""
    z = NormalDist().inv_cdf(confidence)
    return floor(z * z * (1 - below) / below) + 1


def _naive(one: Written) -> None:
    rule = one.rule
    assert isinstance(rule, NaiveRule)
    _above_target(one, "naive", rule.below)
    _within(one, rule.window)


def _unit_gap(one: Written) -> None:
    rule, rate = one.rule, one.indicator.rate_of is not None
    assert isinstance(rule, UnitGapRule)
    field = one.at("below_unit")
    if rate and rule.gap < SMALL_GAP:
        field.warn("is less than chance alone makes of people who work alike", "write a gap such as 0.05")
    elif one.share is not None and rule.gap >= one.share:
        field.warn(f"is no less than the target {one.share:g}: nobody can be so far below", "write a gap such as 0.05")
    if rate:
        _enough(one, "below_unit", 1)
    _within(one, rule.window)


def _stale(one: Written) -> None:
    rule = one.rule
    assert isinstance(rule, StaleRule)
    if rule.after + rule.pending > LONG_SHIFT:
        said = "is" if not rule.pending else "and `for` are"
        one.at("stale").warn(
            f"{said} longer than a shift: time at work is counted within one, so it never alerts",
            "write a duration such as 15m",
        )
    elif rule.after == MINUTE:
        one.at("stale").warn("alerts in any pause of a minute", "write a duration such as 15m")


def _ewma(one: Written) -> None:
    rule, target = one.rule, one.indicator.target
    assert isinstance(rule, EwmaRule)
    if rule.sigma is None and one.share is None:
        one.at("ewma").warn("a rule `ewma` does nothing without a target between 0 and 1", "add `target: 0.95`")
    narrow, wide = WIDTH
    if rule.width < narrow:
        one.at("ewma", "L").warn("is so narrow that chance alone alerts every few records", "write 3")
    elif rule.width > wide:
        one.at("ewma", "L").warn("is so wide that hardly anything alerts", "write 3")
    if rule.smoothing < LIGHT:
        one.at("ewma", "lambda").warn("takes hundreds of records to notice anything", "write a weight such as 0.2")
    if rule.sigma is not None and target is not None and rule.side == "below":
        width = rule.width * rule.sigma * sqrt(rule.smoothing / (2 - rule.smoothing))
        if target > 0 and target - width < 0:
            one.at("ewma", "sigma").warn(
                f"puts the limit below 0, at {target - width:.4g}: only negative values alert",
                "check sigma, which is that of one record's value; a smaller lambda or L narrows the limit",
            )
    _waits(one, LONG_WAIT, "31 days")


# What several kinds have


def _above_target(one: Written, name: str, below: float) -> None:
    target = one.indicator.target
    if target is not None and below > target:
        one.at(name).warn(
            f"{name} {below:g} lies above the target {target:g}: who reaches the target is alerted",
            f"put `{name}` under the target",
        )


def _enough(one: Written, name: str, decisive: int) -> None:
    least = one.indicator.min_sample
    if (needed := max(least, decisive)) < FEW:
        units = "1 unit is" if needed == 1 else f"{needed} units are"
        given = f"min_sample is {least}" if least else "there is no min_sample"
        one.at(name).warn(f"{given}: {units} enough for an alert", "set the indicator's `min_sample: 30`")
    elif least > MOST:
        one.at(name).warn(f"min_sample {least:,} is more than any window holds: it never alerts", "write such as 30")


def _within(one: Written, window: Window) -> None:
    """A condition that looks at a window cannot hold for longer than what it looks at stays in it."""
    if window.kind == "rolling":
        _waits(one, window.minutes * MINUTE, f"the window {window.text}")
    elif window.kind in _DAYS:
        _waits(one, _DAYS[window.kind] * DAY, f"a {window.text}")


def _waits(one: Written, longest: int, named: str) -> None:
    if one.rule.pending > longest:
        one.at("for").warn(f"is longer than {named}", "wait for minutes: what is looked at is gone by then")


def _escalation(one: Written) -> None:
    if one.rule.escalation > LONGEST_SILENCE:
        one.at("escalate").warn("is more than a week without an answer", "write such as 1h, or never")


# Rules beside each other


def _twice(written: list[Written]) -> None:
    said: dict[AlertRule, Written] = {}
    for one in written:
        other = said.setdefault(replace(one.rule, id="", severity="info", escalation=0), one)
        if other is not one:
            one.field.warn(f"{one.rule.id} says what {other.rule.id} says: every alert comes twice", "keep one of them")


def _disorder(written: list[Written]) -> None:
    """Levels of one window: the graver one should be the lower one."""
    lowest: dict[object, LevelRule] = {}
    levels = [(one, one.rule) for one in written if isinstance(one.rule, LevelRule)]
    for _, rule in levels:
        key = (rule.window, rule.confidence, rule.pending, rule.severity)
        lowest[key] = min(rule, lowest.get(key, rule), key=lambda level: level.below)
    for one, rule in levels:
        for severity in _GRAVITY[: _GRAVITY.index(rule.severity)]:
            other = lowest.get((rule.window, rule.confidence, rule.pending, severity))
            if other is not None and other.below < rule.below:
                one.at("severity").warn(
                    f"{rule.id} alerts before {other.id}, which is only {severity} and lies lower",
                    "give the lower level the graver severity",
                )


def _case_mix(item: Field, written: list[Written]) -> None:
    field = dict(item.entries()).get("case_mix")
    if field is not None and written and not any(isinstance(one.rule, _ADJUSTED) for one in written):
        field.warn(
            "the adjusted share drives drift rules, and there is none: these rules go by what was counted",
            "add `{id: drop, drift: {good: 0.95, bad: 0.85, h: 5.5}}`, or take `alerts: default`",
        )


_CHECKS: Final[dict[type[AlertRule], Callable[[Written], None]]] = {
    LevelRule: _level,
    DriftRule: _drift,
    UnitGapRule: _unit_gap,
    StaleRule: _stale,
    EwmaRule: _ewma,
    NaiveRule: _naive,
    DefaultRules: _default,
}
