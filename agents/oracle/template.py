"""A template is read from its published text as the text stands; one that cannot be read was never published."""

import math
import re
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from agents.oracle.formula import Formula, FormulaError
from agents.oracle.instants import parse_instant
from agents.oracle.windows import Window, parse_window

DIMENSIONS = ("performance", "ability", "attitude")

_TEMPLATE_FIELDS = frozenset({"template", "version", "effective_from", "timezone", "applies_to", "title", "indicators"})
_INDICATOR_FIELDS = frozenset(
    {"id", "name", "definition", "dimension", "from", "where", "value", "rate", "unit", "target", "points", "weight",
     "windows", "min_sample", "alerts", "next_step"}
)  # fmt: skip
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DEFAULT_POINTS = Formula("100 * value / target")


class TemplateError(ValueError):
    """The text is no template."""


class Indicator(NamedTuple):
    """One indicator; `where` holds the texts allowed per dim, `measures` the names of `value` and `rate` in order."""

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
        return _template(_mapping(raw, "template", _TEMPLATE_FIELDS))
    except (yaml.YAMLError, FormulaError, KeyError, ValueError, RecursionError) as error:
        raise TemplateError(f"template: {error}") from error


def _template(raw: dict[str, object]) -> Template:
    effective_from = parse_instant(_scalar(raw["effective_from"], "effective_from"))
    if effective_from is None:
        raise TemplateError(f"effective_from: {raw['effective_from']!r} is not RFC 3339 with a zone")
    indicators = tuple(
        _indicator(_mapping(entry, "indicator", _INDICATOR_FIELDS)) for entry in _list(raw["indicators"])
    )
    if len({indicator.id for indicator in indicators}) < len(indicators):
        raise TemplateError("indicators: an id occurs twice")
    return Template(
        _scalar(raw["template"], "template"), _whole(raw["version"], "version"), effective_from,
        _zone(_scalar(raw.get("timezone", "UTC"), "timezone")), _roles(raw.get("applies_to", "everyone")), indicators,
    )  # fmt: skip


def _indicator(raw: dict[str, object]) -> Indicator:
    value = _formula(raw["value"])
    rate = _mapping(raw["rate"], "rate", frozenset({"good", "of"})) if "rate" in raw else None
    good, of = (_formula(rate["good"]), _formula(rate["of"])) if rate else (None, None)
    if "min_sample" in raw and rate is None:
        raise TemplateError("min_sample: needs a rate")
    points = Formula(_scalar(raw["points"], "points")) if "points" in raw else _DEFAULT_POINTS
    if not set(points.names) <= {"value", "target"}:
        raise TemplateError(f"points: {points.text!r} may name only value and target")
    dimension = _scalar(raw.get("dimension", DIMENSIONS[0]), "dimension")
    if dimension not in DIMENSIONS:
        raise TemplateError(f"dimension: {dimension!r} is none of {', '.join(DIMENSIONS)}")
    names = [name for formula in (value, good, of) if formula is not None for name in formula.names]
    return Indicator(
        _scalar(raw["id"], "id"), dimension, _scalar(raw["from"], "from"), _where(raw.get("where", {})),
        value, good, of,
        _number(raw["target"], "target") if "target" in raw else None, points,
        _number(raw.get("weight", "1"), "weight"),
        tuple(dict.fromkeys(parse_window(_scalar(text, "windows")) for text in _list(raw["windows"]))),
        _number(raw.get("min_sample", "0"), "min_sample"), tuple(dict.fromkeys(names)),
    )  # fmt: skip


def _formula(raw: object) -> Formula:
    formula = Formula(_scalar(raw, "formula"))
    if not {"value", "target"}.isdisjoint(formula.names):
        raise TemplateError(f"formula {formula.text!r}: value and target are no measures")
    return formula


def _mapping(raw: object, field: str, known: frozenset[str]) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise TemplateError(f"{field}: {raw!r} is no mapping")
    unknown = set(raw) - known
    if unknown:
        raise TemplateError(f"{field}: unknown fields {sorted(map(str, unknown))}")
    return raw


def _list(raw: object) -> list[object]:
    if not isinstance(raw, list):
        raise TemplateError(f"{raw!r} is no list")
    return raw


def _scalar(raw: object, field: str) -> str:
    if not isinstance(raw, str):
        raise TemplateError(f"{field}: {raw!r} is no text")
    return raw


def _number(raw: object, field: str) -> float:
    text = _scalar(raw, field)
    if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
        raise TemplateError(f"{field}: {text!r} is no number")
    return float(text)


def _whole(raw: object, field: str) -> int:
    number = _number(raw, field)
    if not number.is_integer():
        raise TemplateError(f"{field}: {number} is no whole number")
    return int(number)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise TemplateError(f"timezone: {name!r} is no IANA zone") from error
    return name


def _roles(raw: object) -> frozenset[str] | None:
    if raw == "everyone":
        return None
    roles = _mapping(raw, "applies_to", frozenset({"roles"}))["roles"]
    return frozenset(_scalar(role, "roles") for role in _list(roles))


def _where(raw: object) -> tuple[tuple[str, frozenset[str]], ...]:
    if not isinstance(raw, dict):
        raise TemplateError(f"where: {raw!r} is no mapping")
    return tuple(
        (str(dim), frozenset(_scalar(v, "where") for v in (values if isinstance(values, list) else [values])))
        for dim, values in raw.items()
    )
