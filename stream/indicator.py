"""An indicator means one thing: its source, its formula and its windows are all stated, and checked together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast

from schemas.measures import MAX_NAMES, MAX_TEXT, clean_text
from stream.alert_reader import ID_PATTERN, ID_REMEDY, Setting, read_alerts
from stream.alert_rules import AlertRule
from stream.bilingual import Text
from stream.fields import Field
from stream.formula import Formula, parse
from stream.formula_parser import Name
from stream.readers import (
    read_choice,
    read_formula,
    read_label,
    read_matching,
    read_number,
    read_text,
    read_whole,
    read_window,
)
from stream.window import Window
from stream.yaml_tree import Listing, Mapping

Dimension = Literal["performance", "ability", "attitude"]
DIMENSIONS: Final = ("performance", "ability", "attitude")
POINTS_NAMES: Final = ("value", "target")
DEFAULT_POINTS: Final = parse("100 * value / target", names=POINTS_NAMES)
MAX_CASE_MIX: Final = 4
INSPECTION_MEASURES: Final = ("inspected", "accepted", "reworked", "scrapped")

KNOWN: Final = (
    *("id", "name", "definition", "dimension", "from", "where", "value", "rate", "unit", "target", "points"),
    *("weight", "windows", "min_sample", "case_mix", "alerts", "next_step"),
)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One line of a template, checked.

    `source` is the event type of `from`; `where` holds (dim, accepted values); `rate_good` and `rate_of` are None
    unless it is a rate. `case_mix` names the dims that make a unit easy or hard, the coarsest first (ARCHITECTURE.md,
    Case mix). `points` is the formula over `value` and `target`, the default filled in when there is a
    target; None: never any points. `weight` defaults to 1, `dimension` to performance.
    """

    id: str
    name: Text
    definition: Text
    dimension: Dimension
    source: str
    where: tuple[tuple[str, frozenset[str]], ...]
    value: Formula
    rate_good: Formula | None
    rate_of: Formula | None
    unit: str
    target: float | None
    points: Formula | None
    weight: float
    windows: tuple[Window, ...]
    min_sample: int
    case_mix: tuple[str, ...]
    alerts: tuple[AlertRule, ...]
    next_step: Text


def read_indicator(field: Field) -> Indicator | None:
    """One entry of `indicators`; None when it is not even a mapping. What is wrong is noted in the findings."""
    fields = field.fields(KNOWN, "write an indicator with id, name, from, value and windows")
    if fields is None:
        return None
    id = read_matching(fields["id"], ID_PATTERN, ID_REMEDY)
    rate_good, rate_of = _rate(fields["rate"])
    target = read_number(fields["target"], "write a number such as 0.95") if fields["target"].present else None
    windows = _windows(fields["windows"])
    known = windows if field.findings.is_clean(fields["windows"].path) else None
    indicator = Indicator(
        id=id,
        name=_named(fields["name"], id),
        definition=_definition(fields["definition"]),
        dimension=cast(Dimension, read_choice(fields["dimension"], DIMENSIONS, "performance")),
        source=_source(fields["from"]),
        where=_where(fields["where"]),
        value=read_formula(fields["value"], "write a formula over the measures, such as accepted / inspected"),
        rate_good=rate_good,
        rate_of=rate_of,
        unit=read_label(fields["unit"], "a unit") if fields["unit"].present else "",
        target=target,
        points=_points(fields["points"], fields["target"], target),
        weight=read_number(fields["weight"], "write 0 or more", low=0) if fields["weight"].present else 1.0,
        windows=windows,
        min_sample=_min_sample(fields["min_sample"], fields["rate"]),
        case_mix=_case_mix(fields["case_mix"], fields["rate"], rate_good, rate_of),
        alerts=read_alerts(fields["alerts"], Setting(known, fields["rate"].present, target is not None)),
        next_step=read_text(fields["next_step"], "what to do when it is missed"),
    )
    _warn_unknown_measures(fields, indicator)
    return indicator


def _named(field: Field, id: str) -> Text:
    if field.present:
        return read_text(field, "the name that people see")
    field.warn("is missing: people see the id instead", "write name: {zh: ..., en: ...}")
    return Text(id, id)


def _definition(field: Field) -> Text:
    if not field.present:
        field.warn("is missing: nobody can look up what is counted", "write definition: {zh: ..., en: ...}")
    return read_text(field, "what exactly is counted")


def _source(field: Field) -> str:
    remedy = "write the type of the events, qc.* or business.* of a-z 0-9 _ ., such as qc.inspection"
    return read_matching(field, r"(qc|business)\.[a-z0-9_.]{1,119}", remedy)


def _where(field: Field) -> tuple[tuple[str, frozenset[str]], ...]:
    """(dim, accepted values) in the order of the template."""
    if not field.present:
        return ()
    if not isinstance(field.node, Mapping) or not field.node.entries:
        field.fail("is not a mapping with entries", "write where: {stage: semi_finished}, or leave it out")
        return ()
    if len(field.node.entries) > MAX_NAMES:
        field.fail(f"names {len(field.node.entries)} dims", f"an event has at most {MAX_NAMES}")
    return tuple(_condition(entry, dim) for dim, entry in field.entries())


def _condition(field: Field, dim: str) -> tuple[str, frozenset[str]]:
    if not clean_text(dim):
        field.fail("is no name of a dim", f"write 1 to {MAX_TEXT} characters without control characters")
    if not isinstance(field.node, Listing):
        return dim, frozenset({read_label(field, "the dim's value, or a list of values")})
    return dim, frozenset(read_label(item, "a value of the dim") for item in field.items("write at least one value"))


def _rate(field: Field) -> tuple[Formula | None, Formula | None]:
    if not field.present:
        return None, None
    remedy = "write rate: {good: accepted, of: inspected}"
    fields = field.fields(("good", "of"), remedy)
    if fields is None:
        return None, None
    return read_formula(fields["good"], remedy), read_formula(fields["of"], remedy)


def _points(field: Field, target_field: Field, target: float | None) -> Formula | None:
    if field.present:
        points = read_formula(field, "write a formula over value and target", names=POINTS_NAMES)
        if target is None and "target" in points.names:
            field.fail("names the target, but the indicator has none", "add `target`, or take it out of the formula")
        return points
    if target == 0 and target_field.findings.is_clean(target_field.path):
        target_field.warn("points default to 100 * value / target, a division by zero", "write `points`")
    return DEFAULT_POINTS if target is not None else None


def _windows(field: Field) -> tuple[Window, ...]:
    windows: list[Window] = []
    for item in field.items("write a list such as [rolling 60m, day, month]"):
        window = read_window(item)
        if window in windows:
            item.fail("stands there twice", "keep one of them")
        elif window is not None:
            windows.append(window)
    return tuple(windows)


def _min_sample(field: Field, rate: Field) -> int:
    if not field.present:
        return 0
    if not rate.present:
        field.fail(
            "needs a rate: it counts the rate's denominator", "add `rate: {good: ..., of: ...}`, or leave it out"
        )
    return read_whole(field, "write how many units at least, such as 30")


def _case_mix(field: Field, rate: Field, rate_good: Formula | None, rate_of: Formula | None) -> tuple[str, ...]:
    if not field.present:
        return ()
    items = field.items("write the dims that make a unit easy or hard, such as [stage, product, machine]")
    dims = tuple(read_label(item, "the name of a dim") for item in items)
    if len(dims) > MAX_CASE_MIX:
        field.fail(f"names {len(dims)} dims", f"name at most {MAX_CASE_MIX}: finer ones have too few units each")
    for item, dim in zip(items, dims, strict=True):
        if dims.count(dim) > 1:
            item.fail("stands there twice", "keep one of them")
    parts = [formula.tree for formula in (rate_good, rate_of) if formula is not None]
    if field.findings.is_clean(rate.path) and not (
        len(parts) == 2 and all(isinstance(part, Name) for part in parts) and parts[0] != parts[1]
    ):
        field.fail(
            "needs a rate of two measures: what is expected of a unit is a share of good ones",
            "add `rate: {good: accepted, of: inspected}`, without arithmetic, or leave case_mix out",
        )
    return dims


def _warn_unknown_measures(fields: dict[str, Field], indicator: Indicator) -> None:
    """A qc.inspection has four measures of its own; another one is a sender's, or a slip of the pen."""
    if indicator.source != "qc.inspection":
        return
    formulas = [("value", indicator.value), ("rate", indicator.rate_good), ("rate", indicator.rate_of)]
    for name, formula in formulas:
        unknown = [measure for measure in (formula.names if formula else ()) if measure not in INSPECTION_MEASURES]
        for measure in unknown:
            remedy = f"a qc.inspection has {', '.join(INSPECTION_MEASURES)}"
            fields[name].warn(f"{measure} counts as 0 unless your senders add it", remedy)
