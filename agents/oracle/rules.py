"""A rule of an indicator's `alerts` has one condition, which decides what else may stand in it."""

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from agents.oracle.fields import LARGEST, entries, mapping, matching, number, scalar
from agents.oracle.log import DAY, MINUTE
from agents.oracle.windows import Window, parse_window


class Level(NamedTuple):
    """The value of a window, or with a `confidence` (one-sided) its upper Wilson bound, lies below `below`."""

    window: Window
    below: float
    confidence: float | None
    clear_above: float


class Naive(NamedTuple):
    """The value of a window lies below `below`, however few units there are."""

    window: Window
    below: float


class Drift(NamedTuple):
    """Bernoulli CUSUM from the share `good` to the share `bad`, raised at `h`."""

    good: float
    bad: float
    h: float
    evenly: bool = False


class Ewma(NamedTuple):
    """Exponentially weighted moving average: `weight` is lambda, `width` is L.

    `sigma` is that of one entry's value, None of a rate, which says it itself; it must not drift upwards with `rising`.
    """

    weight: float
    width: float
    sigma: float | None = None
    rising: bool = False


class Stale(NamedTuple):
    """No entry for so long, in ms, while the unit is at work."""

    after: int


class BelowUnit(NamedTuple):
    """The value of a window lies more than `gap` below that of the unit."""

    window: Window
    gap: float


Condition = Level | Naive | Drift | Ewma | Stale | BelowUnit


class Rule(NamedTuple):
    """`wait` is the field `for` in ms, `escalation` how long an alert waits for an acknowledgement; 0: for ever."""

    id: str
    severity: str
    wait: int
    condition: Condition
    escalation: int = 60 * MINUTE


class Setting(NamedTuple):
    """What a rule has to know of its indicator."""

    is_rate: bool
    target: float | None
    windows: tuple[Window, ...]


_Fields = Mapping[str, object]

_SEVERITIES = ("info", "warning", "critical")
ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": MINUTE, "h": 60 * MINUTE, "d": DAY}
_LONGEST = 366 * DAY
_CLEAR_STEP = 0.02
_USUAL = 0.95  # the confidence of a level rule over a rate, and what is good where the target does not say
_WORSE = 57 / 17  # by how much `default` wants to tell odds of a defect apart: from 1/19 (95 %) to 3/17 (85 %)
_HEIGHT = 5.5


def read_rules(raw: object, setting: Setting) -> tuple[Rule, ...]:
    """The rules of an indicator's field `alerts`; raises ValueError where it is neither `default` nor a list of rules.

    Those of shift windows are among them: they are read like any other.
    """
    if raw == "default":
        _needs_rate(setting, "default")
        return (Rule("default", "warning", 0, default_drift(setting.target)),)
    rules = [_rule(entry, setting) for entry in entries(raw, "alerts")]
    if len({rule.id for rule in rules}) < len(rules):
        raise ValueError("alerts: an id occurs twice")
    return tuple(rules)


def duration(raw: object, field: str) -> int:
    """A length of time in ms, above 0."""
    match = _DURATION.fullmatch(scalar(raw, field))
    length = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < length <= _LONGEST:
        raise ValueError(f"{field}: {raw!r} is no duration")
    return length


def default_drift(target: float | None) -> Drift:
    """What `alerts: default` stands for, over an indicator with this target."""
    good = target if target is not None and 0 < 1 - target < 1 else _USUAL
    p0 = 1 - good
    odds = p0 / (1 - p0) * _WORSE
    return Drift(good, 1 - odds / (1 + odds), default_height(p0), evenly=True)


def default_height(p0: float) -> float:
    """The h of `alerts: default` where this share is defective when all is well."""
    more = math.log(p0 / 0.05)
    return max(2.5, _HEIGHT + (more if more > 0 else 0.8 * more))


def _rule(raw: object, setting: Setting) -> Rule:
    kinds = [kind for kind in _KINDS if isinstance(raw, dict) and kind in raw]
    if len(kinds) != 1:
        raise ValueError(f"alerts: {raw!r} has not exactly one of {', '.join(_KINDS)}")
    (kind,) = kinds
    read, beside = _KINDS[kind]
    fields = mapping(raw, "alerts", frozenset({"id", "severity", "for", "escalate", kind, *beside}))
    identity = matching(fields.get("id", kind), "id", ID)
    severity = scalar(fields.get("severity", "warning"), "severity")
    if identity == "common_cause" or severity not in _SEVERITIES:
        raise ValueError(f"alerts: id {identity!r} or severity {severity!r} is none")
    wait, answer = fields.get("for", "0"), fields.get("escalate", "never" if severity == "info" else "1h")
    escalation = 0 if answer == "never" else duration(answer, "escalate")
    return Rule(identity, severity, 0 if wait == "0" else duration(wait, "for"), read(fields, setting), escalation)


def _level(fields: _Fields, setting: Setting) -> Condition:
    top = 1.0 if setting.is_rate else LARGEST
    below = _threshold(fields["below"], "below", setting)
    clear_above = round(below + _CLEAR_STEP, 12)
    if setting.is_rate:
        clear_above = min(clear_above, 1.0)
    if "clear_above" in fields:
        clear_above = number(fields["clear_above"], "clear_above", below, top, "[]")
    confidence = _USUAL if setting.is_rate else None
    if "confidence" in fields:
        _needs_rate(setting, "confidence")
        confidence = number(fields["confidence"], "confidence", 0.5, 1, "()")
    return Level(_window(fields["window"], setting), below, confidence, clear_above)


def _naive(fields: _Fields, setting: Setting) -> Condition:
    _needs_rate(setting, "naive")
    (window,) = [_window(fields["window"], setting)] if "window" in fields else setting.windows[:1]
    return Naive(window, _threshold(fields["naive"], "naive", setting))


def _drift(fields: _Fields, setting: Setting) -> Condition:
    _needs_rate(setting, "drift")
    parts = mapping(fields["drift"], "drift", frozenset({"good", "bad", "h"}))
    good = number(parts["good"], "good", 0, 1, "()")
    return Drift(good, number(parts["bad"], "bad", 0, good, "()"), number(parts["h"], "h", 0, 1000, "(]"))


def _ewma(fields: _Fields, setting: Setting) -> Condition:
    of_a_value = frozenset[str]() if setting.is_rate else frozenset({"sigma", "side"})
    parts = mapping(fields["ewma"], "ewma", frozenset({"lambda", "L"}) | of_a_value)
    weight, width = number(parts["lambda"], "lambda", 0, 1, "(]"), number(parts["L"], "L", 0, 100, "(]")
    if setting.is_rate:
        return Ewma(weight, width)
    side = scalar(parts.get("side", "below"), "side")
    if setting.target is None or side not in ("below", "above"):
        raise ValueError(f"ewma: of a value there is no target, or {side!r} is no side")
    return Ewma(weight, width, number(parts["sigma"], "sigma", 0, LARGEST, "(]"), side == "above")


def _below_unit(fields: _Fields, setting: Setting) -> Condition:
    window = _window(fields["window"], setting)
    return BelowUnit(window, number(fields["below_unit"], "below_unit", 0, 1 if setting.is_rate else LARGEST, "(]"))


def _stale(fields: _Fields, _setting: Setting) -> Condition:
    return Stale(duration(fields["stale"], "stale"))


_KINDS: dict[str, tuple[Callable[[_Fields, Setting], Condition], tuple[str, ...]]] = {
    "below": (_level, ("window", "confidence", "clear_above")),
    "drift": (_drift, ()),
    "below_unit": (_below_unit, ("window",)),
    "stale": (_stale, ()),
    "ewma": (_ewma, ()),
    "naive": (_naive, ("window",)),
}


def _needs_rate(setting: Setting, field: str) -> None:
    if not setting.is_rate:
        raise ValueError(f"{field}: needs a rate")


def _window(raw: object, setting: Setting) -> Window:
    window = parse_window(scalar(raw, "window"))
    if window not in setting.windows:
        raise ValueError(f"window: {window.text!r} is not among the indicator's")
    return window


def _threshold(raw: object, field: str, setting: Setting) -> float:
    return number(raw, field, 0, 1, "(]") if setting.is_rate else number(raw, field, -LARGEST, LARGEST, "[]")
