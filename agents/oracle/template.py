"""A template is read from its published text as the text stands; one that cannot be read was never published."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from agents.oracle.event import MOST_DIMS, is_plain
from agents.oracle.fields import (
    dim_names,
    entries,
    instant,
    label,
    listing,
    mapping,
    matching,
    number,
    prose,
    scalar,
    whole,
    zone,
)
from agents.oracle.formula import Formula
from agents.oracle.measures import is_measure
from agents.oracle.rules import ID, Rule, Setting, read_rules
from agents.oracle.windows import Window, parse_window
from agents.oracle.yaml_text import read_yaml

DIMENSIONS = ("performance", "ability", "attitude")

_TEMPLATE_FIELDS = frozenset({"template", "version", "effective_from", "timezone", "applies_to", "title", "indicators"})
_INDICATOR_FIELDS = frozenset(
    {"id", "name", "definition", "dimension", "from", "where", "value", "rate", "unit", "target", "points", "weight",
     "windows", "min_sample", "alerts", "next_step", "case_mix"}
)  # fmt: skip
_DEFAULT_POINTS = Formula("100 * value / target")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SOURCE = re.compile(r"(qc|business)\.[a-z0-9_.]{1,119}")
_PARTS = 2  # of a rate


class TemplateError(ValueError):
    """The text is no template."""


class Indicator(NamedTuple):
    """One indicator; `where` holds the texts allowed per dim, `measures` the names of `value` and `rate` in order.

    `case_mix` names the dims that say what kind of work an event is of, from coarse to fine; without the field it is
    empty, with it `good` and `of` are each one plain measure.
    """

    id: str
    dimension: str
    source: str
    where: tuple[tuple[str, frozenset[str]], ...]
    value: Formula
    good: Formula | None
    of: Formula | None
    target: float | None
    points: Formula
    weight: float
    windows: tuple[Window, ...]
    min_sample: int
    measures: tuple[str, ...]
    rules: tuple[Rule, ...]
    case_mix: tuple[str, ...]


class Template(NamedTuple):
    """One version of a template; `roles` is None when it applies to everyone, `effective_from` is in ms."""

    template: str
    version: int
    effective_from: int
    timezone: str
    roles: frozenset[str] | None
    indicators: tuple[Indicator, ...]


def read_template(text: str) -> Template:
    """The template of a YAML text; raises TemplateError where the contract leaves no reading."""
    try:
        return _template(mapping(read_yaml(text), "template", _TEMPLATE_FIELDS))
    except (KeyError, ValueError) as error:
        raise TemplateError(f"template: {error}") from error


def _template(raw: dict[str, object]) -> Template:
    indicators = tuple(
        _indicator(mapping(entry, "indicator", _INDICATOR_FIELDS)) for entry in entries(raw["indicators"], "indicators")
    )
    if len({indicator.id for indicator in indicators}) < len(indicators):
        raise TemplateError("indicators: an id occurs twice")
    _check_prose(raw, ("title",))
    return Template(
        matching(raw["template"], "template", _NAME), whole(raw["version"], "version", 1),
        instant(raw["effective_from"], "effective_from"), zone(raw["timezone"], "timezone"), _roles(raw["applies_to"]),
        indicators,
    )  # fmt: skip


def _check_prose(raw: dict[str, object], names: Iterable[str]) -> None:
    for name in names:
        if name in raw:
            prose(raw[name], name)


def _indicator(raw: dict[str, object]) -> Indicator:
    value = _formula(raw["value"])
    rate = mapping(raw["rate"], "rate", frozenset({"good", "of"})) if "rate" in raw else None
    good, of = (_formula(rate["good"]), _formula(rate["of"])) if rate is not None else (None, None)
    if "min_sample" in raw and rate is None:
        raise TemplateError("min_sample: needs a rate")
    target = number(raw["target"], "target") if "target" in raw else None
    dimension = scalar(raw.get("dimension", DIMENSIONS[0]), "dimension")
    if dimension not in DIMENSIONS:
        raise TemplateError(f"dimension: {dimension!r} is none of {', '.join(DIMENSIONS)}")
    if "unit" in raw:
        label(raw["unit"], "unit")
    _check_prose(raw, ("name", "definition", "next_step"))
    windows = _windows(raw["windows"])
    rules = read_rules(raw["alerts"], Setting(rate is not None, target, windows)) if "alerts" in raw else ()
    case_mix = _case_mix(raw["case_mix"], good, of) if "case_mix" in raw else ()
    names = [name for formula in (value, good, of) if formula is not None for name in formula.names]
    return Indicator(
        matching(raw["id"], "id", ID), dimension, matching(raw["from"], "from", _SOURCE),
        _where(raw["where"]) if "where" in raw else (), value, good, of, target, _points(raw, target),
        number(raw["weight"], "weight", low=0) if "weight" in raw else 1.0, windows,
        whole(raw["min_sample"], "min_sample") if "min_sample" in raw else 0, tuple(dict.fromkeys(names)), rules,
        case_mix,
    )  # fmt: skip


def _formula(raw: object) -> Formula:
    formula = Formula(scalar(raw, "formula").strip())
    if not all(map(is_measure, formula.names)):
        raise TemplateError(f"formula {formula.text!r}: one of {formula.names} is no name of a measure")
    return formula


def _points(raw: dict[str, object], target: float | None) -> Formula:
    """Without a target the default has no value."""
    if "points" not in raw:
        return _DEFAULT_POINTS
    points = Formula(scalar(raw["points"], "points").strip())
    if not set(points.names) <= ({"value"} if target is None else {"value", "target"}):
        raise TemplateError(f"points: {points.text!r} may name only value, and target where there is one")
    return points


def _windows(raw: object) -> tuple[Window, ...]:
    windows = tuple(parse_window(scalar(text, "windows")) for text in entries(raw, "windows"))
    if len(set(windows)) < len(windows):
        raise TemplateError("windows: one stands there twice")
    return windows


def _case_mix(raw: object, good: Formula | None, of: Formula | None) -> tuple[str, ...]:
    measures = {formula.alone for formula in (good, of) if formula is not None}
    if len(measures - {None}) < _PARTS:
        raise TemplateError("case_mix: needs a rate of one plain measure in another")
    return dim_names([label(name, "case_mix") for name in listing(raw)], "case_mix")


def _roles(raw: object) -> frozenset[str] | None:
    if raw == "everyone":
        return None
    roles = mapping(raw, "applies_to", frozenset({"roles"}))["roles"]
    return frozenset(label(role, "roles") for role in entries(roles, "roles"))


def _where(raw: object) -> tuple[tuple[str, frozenset[str]], ...]:
    if not isinstance(raw, dict) or not 1 <= len(raw) <= MOST_DIMS or not all(map(is_plain, raw)):
        raise TemplateError(f"where: {raw!r} is no mapping of 1 to {MOST_DIMS} dims")
    return tuple((dim, frozenset(label(value, "where") for value in _accepted(raw[dim]))) for dim in raw)


def _accepted(raw: object) -> list[object]:
    return entries(raw, "where") if isinstance(raw, list) else [raw]
