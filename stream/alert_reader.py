"""One condition makes a rule: the field that names it decides which others may stand beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from stream.alert_rules import (
    DEFAULT,
    ESCALATION,
    AlertRule,
    DriftRule,
    EwmaRule,
    LevelRule,
    NaiveRule,
    Severity,
    Side,
    StaleRule,
    UnitGapRule,
)
from stream.fields import Field
from stream.readers import read_choice, read_duration, read_matching, read_number, read_window
from stream.window import Window
from stream.yaml_tree import Scalar

SEVERITIES: Final = ("info", "warning", "critical")
ID_PATTERN: Final = r"[a-z][a-z0-9_]{0,63}"
ID_REMEDY: Final = "start with a-z, go on with a-z 0-9 _, at most 64 characters"
COMMON_CAUSE: Final = "common_cause"  # what a unit's own alert is called
CLEAR_STEP: Final = 0.02  # clear_above defaults to below + 0.02


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rule has to know of its indicator; `windows` is None when they are wrong themselves."""

    windows: tuple[Window, ...] | None
    is_rate: bool
    has_target: bool


Fields = Mapping[str, Field]
Reader = Callable[[Fields, Setting, str, Severity, int], AlertRule | None]


def _level(fields: Fields, setting: Setting, id: str, severity: Severity, pending: int) -> AlertRule | None:
    window = _window(fields["window"], setting)
    below = _threshold(fields["below"], setting)
    confidence = 0.95 if setting.is_rate else None
    if fields["confidence"].present:
        confidence = _confidence(fields["confidence"], setting)
    clear_above = _clear_above(fields, setting, below)
    return LevelRule(id, severity, pending, window, below, confidence, clear_above) if window else None


def _clear_above(fields: Fields, setting: Setting, below: float) -> float:
    field = fields["clear_above"]
    if field.present:
        top = 1.0 if setting.is_rate else 1e9
        return read_number(field, f"write a number from below ({below:g}) to {top:g}", low=below, high=top)
    clear_above = round(below + CLEAR_STEP, 12)
    if setting.is_rate and clear_above > 1:
        fields["below"].warn(f"clear_above would be {clear_above:g}, which no rate reaches", "1 is taken; state it")
        return 1.0
    return clear_above


def _confidence(field: Field, setting: Setting) -> float:
    if not setting.is_rate:
        field.fail("needs a rate: only a share of units has an interval", "add `rate`, or leave confidence out")
    return read_number(field, "write a one-sided confidence such as 0.95", low=0.5, high=1, above=True, below=True)


def _drift(fields: Fields, setting: Setting, id: str, severity: Severity, pending: int) -> AlertRule | None:
    _needs_rate(fields["drift"], setting)
    parts = fields["drift"].fields(("good", "bad", "h"), "write drift: {good: 0.95, bad: 0.85, h: 5.5}")
    if parts is None:
        return None
    good = read_number(
        parts["good"], "write the share when all is well, such as 0.95", low=0, high=1, above=True, below=True
    )
    bad = read_number(parts["bad"], "write the share to be caught, such as 0.85", low=0, high=1, above=True, below=True)
    h = read_number(parts["h"], "write the height at which to raise, such as 5.5", low=0, high=1000, above=True)
    if parts["good"].findings.is_clean(parts["good"].path, parts["bad"].path) and bad >= good:
        parts["bad"].fail(f"is not below good ({good:g})", "write the worse share, such as 0.85")
    return DriftRule(id, severity, pending, good, bad, h)


def _unit_gap(fields: Fields, setting: Setting, id: str, severity: Severity, pending: int) -> AlertRule | None:
    window = _window(fields["window"], setting)
    top = 1 if setting.is_rate else 1e9
    gap = read_number(fields["below_unit"], "write the gap to the unit, such as 0.05", low=0, high=top, above=True)
    return UnitGapRule(id, severity, pending, window, gap) if window else None


def _stale(fields: Fields, setting: Setting, id: str, severity: Severity, pending: int) -> AlertRule | None:
    return StaleRule(id, severity, pending, read_duration(fields["stale"], "write how long without an event"))


def _ewma(fields: Fields, setting: Setting, id: str, severity: Severity, pending: int) -> AlertRule | None:
    written = "{lambda: 0.2, L: 3}" if setting.is_rate else "{lambda: 0.2, L: 3, sigma: 4.5, side: above}"
    parts = fields["ewma"].fields(("lambda", "L", "sigma", "side"), f"write ewma: {written}")
    if parts is None:
        return None
    smoothing = read_number(parts["lambda"], "write the weight of the newest, such as 0.2", low=0, high=1, above=True)
    width = read_number(parts["L"], "write the limits' width in sigmas, such as 3", low=0, high=100, above=True)
    sigma, side = _spread(fields["ewma"], parts, setting)
    return EwmaRule(id, severity, pending, smoothing, width, sigma, side)


def _spread(field: Field, parts: Fields, setting: Setting) -> tuple[float | None, Side]:
    """(sigma, side) of a moving average; a rate's sigma follows from its target and how many units there are."""
    if setting.is_rate:
        for name in ("sigma", "side"):
            if parts[name].present:
                parts[name].fail(
                    "is only for a value without a rate", "leave it out: of a rate target and units say it"
                )
        return None, "below"
    if not setting.has_target:
        field.fail("needs a target: it is what the average is compared with", "add the indicator's `target`")
    remedy = "write the standard deviation of one record's value when all is well, in the value's own unit"
    sigma = read_number(parts["sigma"], remedy, low=0, high=1e9, above=True)
    return sigma, cast(Side, read_choice(parts["side"], ("below", "above"), "below"))


def _naive(fields: Fields, setting: Setting, id: str, severity: Severity, pending: int) -> AlertRule | None:
    _needs_rate(fields["naive"], setting)
    below = _threshold(fields["naive"], setting)
    window = _window(fields["window"], setting) if fields["window"].present else next(iter(setting.windows or ()), None)
    fields["naive"].warn(
        "the naive rule alerts a good worker too: it falsely alerts a true-95 % worker in most shifts",
        "prefer `below` with `confidence`, `drift`, or `alerts: default`",
    )
    return NaiveRule(id, severity, pending, window, below) if window else None


def _threshold(field: Field, setting: Setting) -> float:
    if setting.is_rate:
        return read_number(field, "write a share, such as 0.90 for 90 %", low=0, high=1, above=True)
    return read_number(field, "write the value below which to raise")


def _needs_rate(field: Field, setting: Setting) -> None:
    if not setting.is_rate:
        field.fail("needs a rate: it counts units", "add `rate: {good: ..., of: ...}` or use `below`")


def _window(field: Field, setting: Setting) -> Window | None:
    window = read_window(field)
    if window is None or setting.windows is None or window in setting.windows:
        return window
    known = ", ".join(known.text for known in setting.windows)
    field.fail("is not among the indicator's windows", f"add it there, or use one of {known}")
    return None


KINDS: Final[dict[str, tuple[Reader, tuple[str, ...]]]] = {
    "below": (_level, ("window", "confidence", "clear_above")),
    "drift": (_drift, ()),
    "below_unit": (_unit_gap, ("window",)),
    "stale": (_stale, ()),
    "ewma": (_ewma, ()),
    "naive": (_naive, ("window",)),
}
COMMON: Final = ("id", "severity", "for", "escalate")
KNOWN: Final = (*COMMON, *KINDS, "window", "confidence", "clear_above")


def read_alerts(field: Field, setting: Setting) -> tuple[AlertRule, ...]:
    """The rules of one indicator: `default`, or a list of mappings; absent: none."""
    if not field.present:
        return ()
    remedy = "write `default`, or a list of rules such as - {id: low, window: day, below: 0.9}"
    if isinstance(field.node, Scalar):
        read_choice(field, ("default",))
        _needs_rate(field, setting)
        return (DEFAULT,)
    rules: dict[str, AlertRule] = {}
    for item in field.items(remedy):
        rule = _rule(item, setting)
        if rule is not None and rule.id and rule.id in rules:
            item.fail(f"a second rule with the id {rule.id!r}", "give every rule of an indicator its own id")
        if rule is not None:
            rules[rule.id] = rule
    return tuple(rules.values())


def _rule(field: Field, setting: Setting) -> AlertRule | None:
    fields = field.fields(KNOWN, "write a rule such as {id: low, window: day, below: 0.9}")
    if fields is None:
        return None
    kinds = [kind for kind in KINDS if fields[kind].present]
    if not kinds and not field.findings.is_clean(field.path):
        return None  # the condition's name is misspelt, which has been said
    if len(kinds) != 1:
        said = f"has the conditions {', '.join(kinds)}" if kinds else "has no condition"
        field.fail(said, f"write exactly one of {', '.join(KINDS)}")
        return None
    reader, beside = KINDS[kinds[0]]
    for name in ("window", "confidence", "clear_above"):
        if fields[name].present and name not in beside:
            fields[name].fail(f"does not belong to a rule of {kinds[0]}", "leave it out")
    rule = reader(fields, setting, *_common(fields, kinds[0]))
    return None if rule is None else replace(rule, escalation=_escalation(fields["escalate"], rule.severity))


def _escalation(field: Field, severity: Severity) -> int:
    """An hour without `escalate`; of what is only for information never."""
    if not field.present:
        return 0 if severity == "info" else ESCALATION
    if isinstance(field.node, Scalar) and field.node.text == "never":
        return 0
    return read_duration(field, "write how long it waits for an acknowledgement, or never")


def _common(fields: Fields, kind: str) -> tuple[str, Severity, int]:
    """(id, severity, pending); the id defaults to the condition, the severity to `warning`, `for` to 0."""
    id = read_matching(fields["id"], ID_PATTERN, ID_REMEDY) if fields["id"].present else kind
    if id == COMMON_CAUSE:
        fields["id"].fail("is the name of a unit's own alert, which silences those of its people", "choose another id")
    severity = cast(Severity, read_choice(fields["severity"], SEVERITIES, "warning"))
    waits = fields["for"].present and not (isinstance(node := fields["for"].node, Scalar) and node.text == "0")
    return id, severity, read_duration(fields["for"], "write how long it must hold") if waits else 0
