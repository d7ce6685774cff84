"""A template is read from its published text as the text stands; one that cannot be read was never published."""

from typing import NamedTuple

import yaml

from agents.oracle.fields import dim_names, listing, mapping, number, scalar, whole, zone
from agents.oracle.formula import Formula, FormulaError
from agents.oracle.instants import parse_instant
from agents.oracle.rules import Rule, Setting, read_rules
from agents.oracle.windows import Window, parse_window

DIMENSIONS = ("performance", "ability", "attitude")

_TEMPLATE_FIELDS = frozenset({"template", "version", "effective_from", "timezone", "applies_to", "title", "indicators"})
_INDICATOR_FIELDS = frozenset(
    {"id", "name", "definition", "dimension", "from", "where", "value", "rate", "unit", "target", "points", "weight",
     "windows", "min_sample", "alerts", "next_step", "case_mix"}
)  # fmt: skip
_DEFAULT_POINTS = Formula("100 * value / target")


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
    min_sample: float
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
        # Scalars stay text: `stage: no` is the text "no", and a weight or an instant is read as it was written.
        raw = yaml.load(text, Loader=yaml.BaseLoader)
        return _template(mapping(raw, "template", _TEMPLATE_FIELDS))
    except (yaml.YAMLError, FormulaError, KeyError, ValueError, RecursionError) as error:
        raise TemplateError(f"template: {error}") from error


def _template(raw: dict[str, object]) -> Template:
    effective_from = parse_instant(scalar(raw["effective_from"], "effective_from"))
    if effective_from is None:
        raise TemplateError(f"effective_from: {raw['effective_from']!r} is not RFC 3339 with a zone")
    indicators = tuple(
        _indicator(mapping(entry, "indicator", _INDICATOR_FIELDS)) for entry in listing(raw["indicators"])
    )
    if len({indicator.id for indicator in indicators}) < len(indicators):
        raise TemplateError("indicators: an id occurs twice")
    return Template(
        scalar(raw["template"], "template"), whole(raw["version"], "version"), effective_from,
        zone(raw.get("timezone", "UTC"), "timezone"), _roles(raw.get("applies_to", "everyone")), indicators,
    )  # fmt: skip


def _indicator(raw: dict[str, object]) -> Indicator:
    value = _formula(raw["value"])
    rate = mapping(raw["rate"], "rate", frozenset({"good", "of"})) if "rate" in raw else None
    good, of = (_formula(rate["good"]), _formula(rate["of"])) if rate else (None, None)
    if "min_sample" in raw and rate is None:
        raise TemplateError("min_sample: needs a rate")
    points = Formula(scalar(raw["points"], "points")) if "points" in raw else _DEFAULT_POINTS
    if not set(points.names) <= {"value", "target"}:
        raise TemplateError(f"points: {points.text!r} may name only value and target")
    dimension = scalar(raw.get("dimension", DIMENSIONS[0]), "dimension")
    if dimension not in DIMENSIONS:
        raise TemplateError(f"dimension: {dimension!r} is none of {', '.join(DIMENSIONS)}")
    target = number(raw["target"], "target") if "target" in raw else None
    windows = tuple(dict.fromkeys(parse_window(scalar(text, "windows")) for text in listing(raw["windows"])))
    rules = read_rules(raw["alerts"], Setting(rate is not None, target, windows)) if "alerts" in raw else ()
    case_mix = _case_mix(raw["case_mix"], good, of) if "case_mix" in raw else ()
    names = [name for formula in (value, good, of) if formula is not None for name in formula.names]
    return Indicator(
        scalar(raw["id"], "id"), dimension, scalar(raw["from"], "from"), _where(raw.get("where", {})),
        value, good, of, target, points, number(raw.get("weight", "1"), "weight"), windows,
        number(raw.get("min_sample", "0"), "min_sample"), tuple(dict.fromkeys(names)), rules, case_mix,
    )  # fmt: skip


def _formula(raw: object) -> Formula:
    formula = Formula(scalar(raw, "formula"))
    if not {"value", "target"}.isdisjoint(formula.names):
        raise TemplateError(f"formula {formula.text!r}: value and target are no measures")
    return formula


def _case_mix(raw: object, good: Formula | None, of: Formula | None) -> tuple[str, ...]:
    measures = [formula.text.strip() for formula in (good, of) if formula and formula.names == (formula.text.strip(),)]
    if len(set(measures)) < 2:
        raise TemplateError("case_mix: needs a rate of one plain measure in another")
    return dim_names(raw, "case_mix")


def _roles(raw: object) -> frozenset[str] | None:
    if raw == "everyone":
        return None
    roles = mapping(raw, "applies_to", frozenset({"roles"}))["roles"]
    return frozenset(scalar(role, "roles") for role in listing(roles))


def _where(raw: object) -> tuple[tuple[str, frozenset[str]], ...]:
    if not isinstance(raw, dict):
        raise TemplateError(f"where: {raw!r} is no mapping")
    return tuple(
        (str(dim), frozenset(scalar(v, "where") for v in (values if isinstance(values, list) else [values])))
        for dim, values in raw.items()
    )
