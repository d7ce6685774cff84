"""The rules that are compared, in the words of a template: published text, read as any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.measures import MICRO
from stream.case_mix import Model
from stream.rulebook import Rulebook
from stream.template import load_published

INDICATOR: Final = """\
  - id: {id}
    name: {{zh: 良品率, en: Yield}}
    definition: {{zh: 合格数除以检验数, en: accepted / inspected}}
    dimension: performance
    from: qc.inspection
    value: accepted / inspected
    rate: {{good: accepted, of: inspected}}{more}
    unit: percent
    target: {target}
    weight: 1
    windows: [{window}]
    min_sample: 30
    alerts: {alerts}
"""
TEMPLATE: Final = """\
template: quality
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
title: {zh: 警报质量, en: Alert quality}
indicators:
"""
# `naive` itself knows no minimum sample. With a confidence of one half Wilson's bound is the value: the same with one.
COMPARED: Final = """
      - {id: drift, drift: {good: 0.95, bad: 0.85, h: 5.5}}
      - {id: wilson95, window: rolling 60m, below: 0.90, confidence: 0.95}
      - {id: wilson99, window: rolling 60m, below: 0.90, confidence: 0.99}
      - {id: ewma, ewma: {lambda: 0.2, L: 3}}
      - {id: naive30, window: rolling 60m, below: 0.90, confidence: 0.500001, clear_above: 0.90}
      - {id: naive, window: rolling 60m, naive: 0.90}"""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that alert together: the first of them to speak is the alert."""

    name: str
    ids: tuple[str, ...]


DEFAULT: Final = RuleSet("`alerts: default`", ("default",))
RULE_SETS: Final = (
    DEFAULT,
    RuleSet("drift, h 5.5", ("drift",)),
    RuleSet("level 0.90, confidence 0.95", ("wilson95",)),
    RuleSet("level 0.90, confidence 0.99", ("wilson99",)),
    RuleSet("default and level, confidence 0.95", ("default", "wilson95")),
    RuleSet("default and level, confidence 0.99", ("default", "wilson99")),
    RuleSet("moving average, lambda 0.2, L 3", ("ewma",)),
    RuleSet("naive, below 0.90, n >= 30", ("naive30",)),
    RuleSet("naive, below 0.90", ("naive",)),
)


def all_rules() -> Rulebook:
    """Every rule at once, for a target of 95 %: rules do not know of each other, and each sees the same work."""
    compared = INDICATOR.format(id="compared", target=0.95, window="rolling 60m", alerts=COMPARED, more="")
    return _published(_default(0.95) + compared)


def default_rules(target: float) -> Rulebook:
    """The product's own rules for a target."""
    return _published(_default(target))


def adjusted_rules(base: float, expected: Mapping[str, float]) -> Rulebook:
    """The same for a target of 95 %, by what each product usually gives."""
    cells: dict[tuple[str, ...], int] = {(product,): round(share * MICRO) for product, share in expected.items()}
    model = Model("quality", "set", 1, 0, ("product",), round(base * MICRO), cells)
    return _published(_default(0.95, "\n    case_mix: [product]"), [model])


def _default(target: float, more: str = "") -> str:
    """Drift looks at no window: one of few sums will do."""
    return INDICATOR.format(id="set", target=target, window="day", alerts="default", more=more)


def _published(indicators: str, models: Sequence[Model] = ()) -> Rulebook:
    return Rulebook([load_published(TEMPLATE + indicators)], models=models)
