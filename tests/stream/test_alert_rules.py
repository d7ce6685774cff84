"""Alert rules: each condition is read with its own fields; what does not belong together is refused."""

from __future__ import annotations

import pytest

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
from stream.template import check
from stream.window import parse_window
from tests.stream.templates import EXAMPLE, accepted, changed, with_alerts

HOUR_WINDOW = parse_window("rolling 60m")
MINUTE = 60_000


def rules(*texts: str, rate: bool = True) -> tuple[AlertRule, ...]:
    """The rules that these texts are read as."""
    return accepted(with_alerts(*texts, rate=rate)).indicators[0].alerts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{id: low, window: rolling 60m, below: 0.90, confidence: 0.99, clear_above: 0.95, severity: critical, "
            "for: 10m}",
            LevelRule("low", "critical", 10 * MINUTE, HOUR_WINDOW, 0.9, 0.99, 0.95),
        ),
        ("{window: rolling 60m, below: 0.90}", LevelRule("below", "warning", 0, HOUR_WINDOW, 0.9, 0.95, 0.92)),
        ("{window: rolling 60m, below: 0.07}", LevelRule("below", "warning", 0, HOUR_WINDOW, 0.07, 0.95, 0.09)),
        ("{drift: {good: 0.95, bad: 0.85, h: 5.5}, for: 0}", DriftRule("drift", "warning", 0, 0.95, 0.85, 5.5)),
        (
            "{id: behind, window: shift, below_unit: 0.05, severity: info}",
            UnitGapRule("behind", "info", 0, parse_window("shift"), 0.05, escalation=0),
        ),
        ("{id: silent, stale: 24h, severity: info}", StaleRule("silent", "info", 0, 1440 * MINUTE, escalation=0)),
        ("{stale: 1h, escalate: 30m}", StaleRule("stale", "warning", 0, 60 * MINUTE, escalation=30 * MINUTE)),
        (
            "{stale: 1h, escalate: 2h, severity: info}",
            StaleRule("stale", "info", 0, 60 * MINUTE, escalation=120 * MINUTE),
        ),
        ("{stale: 1h, escalate: never}", StaleRule("stale", "warning", 0, 60 * MINUTE, escalation=0)),
        ("{id: silent, stale: 7d}", StaleRule("silent", "warning", 0, 7 * 1440 * MINUTE)),
        ("{ewma: {lambda: 0.2, L: 3}}", EwmaRule("ewma", "warning", 0, 0.2, 3)),
        ("{naive: 0.90}", NaiveRule("naive", "warning", 0, HOUR_WINDOW, 0.9)),
        ("{naive: 0.90, window: day}", NaiveRule("naive", "warning", 0, parse_window("day"), 0.9)),
    ],
)
def test_rules(text: str, expected: AlertRule) -> None:
    """Every condition of the contract is read into its own frozen value, with the contract's defaults."""
    assert (expected,) == rules(text)


def test_level_without_rate() -> None:
    """Without a rate a level rule compares the value itself, on the indicator's own scale."""
    expected = LevelRule("below", "warning", 0, HOUR_WINDOW, -5.0, None, -4.98)
    assert (expected,) == rules("{window: rolling 60m, below: -5}", rate=False)


def test_default_rules() -> None:
    """`alerts: default` stands for the product's own rule set."""
    head, rest = EXAMPLE.split("    alerts:\n")
    text = head + "    alerts: default\n" + rest[rest.index("    next_step") :]
    assert accepted(text).indicators[0].alerts == (DefaultRules("default", "warning", 0),)


def test_no_rules() -> None:
    """Without the field an indicator has no rules."""
    head, rest = EXAMPLE.split("    alerts:\n")
    assert accepted(head + rest[rest.index("    next_step") :]).indicators[0].alerts == ()


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("{id: a}", "", "has no condition"),
        ("{stale: 1h, naive: 0.9}", "", "has the conditions stale, naive"),
        ("text", "", "is not a mapping"),
        ("{blow: 0.9}", ".blow", "unknown field"),
        ("{id: A, stale: 1h}", ".id", "another form"),
        ("{id: common_cause, stale: 1h}", ".id", "a unit's own alert"),
        ("{stale: 1h, severity: high}", ".severity", "is not known"),
        ("{stale: 1h, for: 5}", ".for", "is not a duration"),
        ("{stale: 1h, escalate: soon}", ".escalate", "is not a duration"),
        ("{stale: 1h, escalate: 0}", ".escalate", "is not a duration"),
        ("{stale: 1h, window: day}", ".window", "does not belong to a rule of stale"),
        ("{stale: 0m}", ".stale", "is not a duration"),
        ("{stale: 400d}", ".stale", "is not a duration"),
        ("{below: 0.9}", ".window", "is missing"),
        ("{below: 0.9, window: week}", ".window", "not among the indicator's windows"),
        ("{below: 0.9, window: hour}", ".window", "is not a window"),
        ("{below: 90, window: day}", ".below", "is not above 0 and at most 1"),
        ("{below: 0.9, window: day, clear_above: 0.8}", ".clear_above", "is not at least 0.9"),
        ("{below: 0.9, window: day, confidence: 0.5}", ".confidence", "is not above 0.5 and below 1"),
        ("{below: 0.9, window: day, confidence: 95}", ".confidence", "is not above 0.5 and below 1"),
        ("{drift: 0.9}", ".drift", "is not a mapping"),
        ("{drift: {good: 0.9, bad: 0.9, h: 5}}", ".drift.bad", "is not below good"),
        ("{drift: {good: 1, bad: 0.9, h: 5}}", ".drift.good", "below 1"),
        ("{drift: {good: 0.95, bad: 0.9, h: 0}}", ".drift.h", "is not above 0"),
        ("{drift: {good: 0.95, bad: 0.9}}", ".drift.h", "is missing"),
        ("{below_unit: 0, window: day}", ".below_unit", "is not above 0"),
        ("{ewma: {lambda: 0, L: 3}}", ".ewma.lambda", "is not above 0"),
        ("{ewma: {lambda: 0.2, l: 3, L: 3}}", ".ewma.l", "unknown field"),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 2}}", ".ewma.sigma", "only for a value without a rate"),
        ("{ewma: {lambda: 0.2, L: 3, side: above}}", ".ewma.side", "only for a value without a rate"),
        ("{naive: 1.5}", ".naive", "at most 1"),
    ],
)
def test_mistakes(text: str, field: str, said: str) -> None:
    """A rule that cannot hold is refused at the field that is wrong."""
    (error,) = check(with_alerts(text)).errors
    assert f"indicators[0].alerts[0]{field}" == error.field
    assert said in error.message
    assert error.line == 23


@pytest.mark.parametrize("text", ["{drift: {good: 0.95, bad: 0.85, h: 5}}", "{naive: 0.9}"])
def test_rules_that_need_a_rate(text: str) -> None:
    """Rules that count units are refused for an indicator without a rate."""
    (error,) = check(with_alerts(text, rate=False)).errors
    assert "needs a rate" in error.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ewma: {lambda: 0.2, L: 3, sigma: 4.5}}", EwmaRule("ewma", "warning", 0, 0.2, 3, 4.5, "below")),
        ("{ewma: {lambda: 1, L: 3, sigma: 4.5, side: above}}", EwmaRule("ewma", "warning", 0, 1, 3, 4.5, "above")),
    ],
)
def test_moving_average_of_a_value(text: str, expected: AlertRule) -> None:
    """An amount, minutes or ppm say how much they vary, and where they must not drift."""
    assert (expected,) == rules(text, rate=False)


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("{ewma: {lambda: 0.2, L: 3}}", ".ewma.sigma", "is missing"),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 0}}", ".ewma.sigma", "is not above 0"),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 4.5 min}}", ".ewma.sigma", "is not a plain decimal number"),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 4.5, side: both}}", ".ewma.side", "is not known"),
    ],
)
def test_mistakes_in_a_moving_average_of_a_value(text: str, field: str, said: str) -> None:
    """Nobody else knows how much a value varies."""
    (error,) = check(with_alerts(text, rate=False)).errors
    assert f"indicators[0].alerts[0]{field}" == error.field
    assert said in error.message


def test_moving_average_of_a_value_needs_a_target() -> None:
    """There is nothing that it could have drifted from."""
    text = with_alerts("{ewma: {lambda: 0.2, L: 3, sigma: 4.5}}", rate=False)
    text = text.replace("    target: 0.95\n", "").replace("value / target", "value / 1")
    (error,) = check(text).errors
    assert ("indicators[0].alerts[0].ewma", "needs a target") == (error.field, error.message[:14])


def test_confidence_needs_a_rate() -> None:
    """Only a share of units has an interval."""
    (error,) = check(with_alerts("{below: 5, window: day, confidence: 0.95}", rate=False)).errors
    assert error.field == "indicators[0].alerts[0].confidence"


def test_default_needs_a_rate() -> None:
    """The product's own rules are for rates."""
    text = changed(("    rate: {good: accepted, of: inspected}   # only for rates\n", ""))
    head, rest = text.split("    alerts:\n")
    fields = {
        error.field for error in check(head + "    alerts: default\n" + rest[rest.index("    next_step") :]).errors
    }
    assert "indicators[0].alerts" in fields


def test_ids_are_unique() -> None:
    """Two rules of an indicator may not share an id, given or defaulted."""
    (error,) = check(with_alerts("{stale: 1h}", "{id: stale, naive: 0.9}")).errors
    assert error.field == "indicators[0].alerts[1]"


def test_naive_rule_is_warned_of() -> None:
    """The naive rule is read, with a warning that names the better ones."""
    (warning,) = check(with_alerts("{naive: 0.9}")).warnings
    assert warning.field == "indicators[0].alerts[0].naive"
    assert "drift" in warning.remedy


def test_clear_above_that_no_rate_reaches() -> None:
    """A default clear_above beyond 1 becomes 1, and the warning says so."""
    report = check(with_alerts("{below: 0.99, window: day}"))
    assert report.template is not None
    (rule,) = report.template.indicators[0].alerts
    assert isinstance(rule, LevelRule)
    assert rule.clear_above == 1.0
    assert any("1.01" in warning.message for warning in report.warnings)


@pytest.mark.parametrize(
    ("target", "rule", "warned"),
    [
        ("0.95", "{below: 0.96, window: day}", "below 0.96 lies above the target 0.95"),
        ("0.95", "{below: 0.95, window: day}", ""),
        ("0.95", "{drift: {good: 0.97, bad: 0.85, h: 5.5}}", "good 0.97 lies above the target 0.95"),
        ("0.95", "{drift: {good: 0.95, bad: 0.85, h: 5.5}}", ""),
    ],
)
def test_a_rule_that_accuses_who_reaches_the_target_is_warned_of(target: str, rule: str, warned: str) -> None:
    """It is allowed, but nobody should publish it unawares."""
    report = check(with_alerts(rule).replace("target: 0.95", f"target: {target}"))
    assert report.template is not None
    found = [warning.message for warning in report.warnings if "alerts" in warning.field]
    assert bool(warned) == bool(found)
    assert all(warned in message for message in found)


@pytest.mark.parametrize(
    ("target", "warned"), [("0.95", False), ("0.4", False), ("1", True), ("0", True), ("95", True)]
)
def test_default_rules_take_95_percent_for_normal_where_no_target_says_more(target: str, warned: bool) -> None:
    """Who does what is asked of them is alerted then: that is said before it is published."""
    head, rest = EXAMPLE.split("    alerts:\n")
    tail = rest[rest.index("    next_step") :]
    text = f"{head}    alerts: default\n{tail}".replace("target: 0.95", f"target: {target}")
    found = [warning.message for warning in check(text).warnings if warning.field == "indicators[0].alerts"]
    assert warned == any("`default` takes 95 % for normal" in message for message in found)
