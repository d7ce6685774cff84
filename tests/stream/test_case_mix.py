"""What a model says of a kind of work, which models count, and what follows for rules and templates."""

from __future__ import annotations

import json
from math import log
from typing import Any

import pytest

from schemas.instants import HOUR, MINUTE
from schemas.measures import Measures, measures_of
from stream.alert_text import message
from stream.case_mix import EVEN, Mix, Model, in_force, read_model, risk_of, why_not_after
from stream.cusum import Weights
from stream.rulebook import Entry, compile_version
from stream.score import adjusted
from stream.template import check
from stream.watch_plan import Drift, watch_plans
from stream.watched import Open

AT = 1_772_452_800_000
SAID: dict[str, Any] = {
    "template": "t", "indicator": "y", "number": 1, "effective_from": AT, "by": ["product", "machine"], "base": 0.95,
    "cells": [{"dims": ["P1"], "expected": 0.9}, {"dims": ["P1", "M7"], "expected": 0.85}], "n": 1000,
}  # fmt: skip


def _read(**changes: object) -> Model:
    return read_model(b"case-mix:t/y@1", json.dumps(SAID | changes).encode())


@pytest.mark.parametrize(
    ("dims", "expected"),
    [
        ({"product": "P1", "machine": "M7"}, 850_000),
        ({"product": "P1", "machine": "M8"}, 900_000),
        ({"product": "P1"}, 900_000),
        ({"product": "P2", "machine": "M7"}, 950_000),
        ({"machine": "M7"}, 950_000),
        ({}, 950_000),
    ],
)
def test_the_finest_kind_that_is_known_says_what_is_expected(dims: dict[str, str], expected: int) -> None:
    """Its first dims, up to the first that the event lacks; else all work's share."""
    assert Mix(950_000, expected) == _read().mix(dims)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": 0}, "number: 0"),
        ({"number": "1"}, "number"),
        ({"number": 1.5}, "number: 1.5"),
        ({"effective_from": "2026-03-02T12:00:00"}, "effective_from: '2026-03-02T12:00:00'"),
        ({"effective_from": 1.5}, "effective_from: 1.5"),
        ({"by": []}, "by: ()"),
        ({"by": ["a", "a"]}, "by: ('a', 'a')"),
        ({"by": ["a", "b", "c", "d", "e"]}, "by: "),
        ({"base": 0}, "base: 0"),
        ({"base": 1}, "base: 1"),
        ({"base": 0.9500001}, "base: 0.9500001"),
        ({"base": None}, "base"),
        ({"cells": [{"dims": ["P1"], "expected": 1.0}]}, "expected: 1.0"),
        ({"cells": [{"dims": [], "expected": 0.5}]}, "cells"),
        ({"cells": [{"dims": ["P1", "M1", "x"], "expected": 0.5}]}, "cells"),
        ({"cells": [{"dims": ["P1"], "expected": 0.5}, {"dims": ["P1"], "expected": 0.6}]}, "twice"),
        ({"indicator": "z"}, "key"),
    ],
)
def test_what_is_no_model_says_which_field(changes: dict[str, object], said: str) -> None:
    """It names the field and the value."""
    with pytest.raises(ValueError) as error:
        _read(**changes)
    assert said in str(error.value)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"template":"t"}', b"\xff"])
def test_what_is_no_json_of_this_shape_is_no_model(value: bytes | None) -> None:
    """Whatever was written there."""
    with pytest.raises(ValueError):
        read_model(b"case-mix:t/y@1", value)


def _model(number: int, effective_from: int) -> Model:
    return Model("t", "y", number, effective_from, ("product",), 950_000, {})


def test_a_model_counts_when_it_is_the_next_one_and_everybody_can_know_it() -> None:
    """An hour's notice, numbers without a gap, later and later."""
    first = _model(1, AT)
    assert why_not_after(first, None, AT - HOUR) is None
    assert "effective_from" in (why_not_after(first, None, AT - HOUR + 1) or "")
    assert why_not_after(_model(2, AT + 1), first, AT - 2 * HOUR) is None
    assert "not later than" in (why_not_after(_model(2, AT), first, AT - 2 * HOUR) or "")
    for number in (1, 3):
        assert f"number: {number} is not 2" in (why_not_after(_model(number, AT + 1), first, AT - 2 * HOUR) or "")
    assert "number: 2 is not 1" in (why_not_after(_model(2, AT), None, AT - 2 * HOUR) or "")


def test_the_last_model_in_effect_holds() -> None:
    """From its instant on."""
    one, two = _model(1, AT), _model(2, AT + MINUTE)
    assert in_force([one, two], AT - 1) is None
    assert in_force([one, two], AT) is one
    assert in_force([one, two], AT + MINUTE) is two


def test_a_unit_of_hard_work_has_a_risk_of_its_own() -> None:
    """At 95 % in all, 90 % expected: odds of 1/9 instead of 1/19."""
    assert pytest.approx(0.1) == risk_of(0.95, Mix(950_000, 900_000))
    assert pytest.approx(0.01) == risk_of(0.95, Mix(950_000, 990_000))


def test_a_rule_below_the_average_moves_by_the_same_odds() -> None:
    """The rule's own share is what is expected of work of average difficulty, whatever that gives."""
    # 0.8: odds of a defect 1/4; expected 0.9 at 0.95: times 19/9 = 0.5278; risk 0.34545
    assert pytest.approx(0.34545, abs=1e-5) == risk_of(0.8, Mix(950_000, 900_000))


HARD, EASY = Mix(950_000, 900_000), Mix(950_000, 990_000)


def _drift(alerts: str) -> tuple[Drift, list[Weights]]:
    """The rule, and what a unit of hard, easy and unknown work adds by it."""
    report = check(
        TEMPLATE.replace("{rest}", f"case_mix: [product]\n    target: 0.95\n    {RATE}\n    alerts: {alerts}")
    )
    assert report.template is not None, report.errors
    version = compile_version(report.template, 0, 1)
    plan = watch_plans(version)[0]
    assert plan is not None
    entries = [Entry(version, version.groups[0], "", (mix,)) for mix in (HARD, EASY, EVEN)]
    return plan.drifts[0], list(plan.drifts[0].risks(entries))


def test_drift_weighs_a_unit_by_its_risk() -> None:
    """Ln(r) - e and -e, with e = ln(1 - p + r p), r = 57/17 from 95 to 85 %; what is not known weighs as always."""
    _, (hard, easy, unknown) = _drift("[{drift: {good: 0.95, bad: 0.85, h: 5.5}}]")
    r = 57 / 17
    for risk, found in ((0.1, hard), (0.01, easy), (0.05, unknown)):
        e = log(1 - risk + r * risk)
        assert pytest.approx((log(r) - e, -e)) == found


def test_the_default_is_as_wary_of_hard_and_easy_work_as_of_the_usual() -> None:
    """Times h / h': 5.5 at 5 %, 5.5 + ln 2 at 10 %, 5.5 - 0.8 ln 5 at 1 %."""
    rule, (hard, easy, unknown) = _drift("default")
    r = 57 / 17
    assert 5.5 == pytest.approx(rule.h)
    for risk, other, found in ((0.1, 5.5 + log(2), hard), (0.01, 5.5 - 0.8 * log(5), easy), (0.05, 5.5, unknown)):
        e, scale = log(1 - risk + r * risk), 5.5 / other
        assert pytest.approx((scale * (log(r) - e), -scale * e)) == found


def _measured(**numbers: float) -> Measures:
    found = measures_of(numbers)
    assert isinstance(found, Measures)
    return found


@pytest.mark.parametrize(
    ("inspected", "lift", "allowance"),
    [
        (10, 50_000, 500_000),
        (10, -50_000, -500_000),
        (0.000003, 500_000, 2),  # 1.5 millionths: half upwards
        (0.000003, -500_000, -1),
        (-4, 50_000, -200_000),  # a correction
        (0, 50_000, 0),
    ],
)
def test_the_allowance_is_whole_millionths(inspected: float, lift: int, allowance: int) -> None:
    """(of * (base - expected) + 500,000) // 1,000,000."""
    vector = _measured(inspected=inspected, accepted=0).vector(f"accepted inspected inspected*{lift}")
    assert (1, 0, round(inspected * 1e6), allowance) == vector


@pytest.mark.parametrize(
    ("n", "good", "allowance", "expected"),
    [
        (10, 9, 500_000, 0.95),
        (10, 10, 500_000, 1.0),
        (10, 0, -500_000, 0.0),
        (0, 0, 0, None),
        (-1, 0, 0, None),
        (None, 1, 0, None),
        (10, None, 0, None),
    ],
)
def test_the_adjusted_share(n: float | None, good: float | None, allowance: int, expected: float | None) -> None:
    """(good + allowance) / n, from 0 to 1; nothing without units."""
    assert expected == adjusted(n, good, allowance)


TEMPLATE = """\
template: t
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
title: T
indicators:
  - id: y
    name: Y
    definition: d
    from: qc.inspection
    value: accepted / inspected
    {rest}
    windows: [day]
    next_step: n
"""
RATE = "rate: {good: accepted, of: inspected}"


@pytest.mark.parametrize(
    ("rest", "field", "value", "remedy"),
    [
        ("case_mix: [product]", "indicators[0].case_mix", "[1 items]", "add `rate:"),
        ("case_mix: [product]\n    rate: {good: accepted - reworked, of: inspected}", "case_mix", "[1 items]", "rate"),
        ("case_mix: [product]\n    rate: {good: accepted, of: accepted}", "case_mix", "[1 items]", "rate"),
        (f"case_mix: product\n    {RATE}", "case_mix", "product", "[stage, product, machine]"),
        (f"case_mix: []\n    {RATE}", "case_mix", "", "[stage, product, machine]"),
        (f"case_mix: [a, a]\n    {RATE}", "case_mix[0]", "a", "keep one"),
        (f"case_mix: [a, b, c, d, e]\n    {RATE}", "case_mix", "[5 items]", "at most 4"),
    ],
)
def test_a_wrong_case_mix_is_an_error_of_the_template(rest: str, field: str, value: str, remedy: str) -> None:
    """With field, value and what would be right."""
    report = check(TEMPLATE.replace("{rest}", rest))
    assert report.template is None
    error = report.errors[0]
    assert error.field.endswith(field)
    assert value in error.value
    assert remedy in error.remedy


@pytest.mark.parametrize(("target", "warned"), [("", True), ("target: 95\n    ", True), ("target: 0.95\n    ", False)])
def test_a_moving_average_without_a_share_to_reach_is_warned_of(target: str, warned: bool) -> None:
    """It would do nothing, and nobody would know."""
    report = check(TEMPLATE.replace("{rest}", f"{target}{RATE}\n    alerts: [{{ewma: {{lambda: 0.2, L: 3}}}}]"))
    assert report.template is not None
    assert warned == any("ewma" in warning.message for warning in report.warnings)


def test_a_case_mix_names_its_dims_the_coarsest_first() -> None:
    """As written."""
    report = check(TEMPLATE.replace("{rest}", f"case_mix: [product, machine]\n    {RATE}"))
    assert report.template is not None, report.errors
    assert ("product", "machine") == report.template.indicators[0].case_mix


def test_an_alert_says_what_normal_is_meant_for() -> None:
    """Where kinds of work differ, the share that is normal is that of work of average difficulty."""
    rule, _ = _drift("default")
    alert = Open("a", "firing", AT, AT, "L1", AT, 0.8, 20, 16, 0.95, "e1", "e2", True)
    report = check(TEMPLATE.replace("{rest}", f"target: 0.95\n    {RATE}\n    alerts: default"))
    assert report.template is not None
    version = compile_version(report.template, 0, 1)
    said = message(version, rule, alert)
    assert (
        "80.0 % is too little for the kind of work that was done (of average difficulty, 95.0 % is normal)" in said.en
    )
    assert "就所做工作的难易而言偏低（难易平均的工作正常为95.0 %）" in said.zh
    plan = watch_plans(version)[0]
    assert plan is not None
    plain = message(version, plan.drifts[0], alert)
    assert "95.0 % is normal (16/20" in plain.en
