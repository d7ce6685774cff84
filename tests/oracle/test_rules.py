"""Rules as templates write them: what is left out, and what is no rule."""

import math

import pytest

from agents.oracle.log import MINUTE
from agents.oracle.rules import BelowUnit, Drift, Ewma, Level, Naive, Rule, Stale, default_drift
from agents.oracle.template import TemplateError, read_template
from agents.oracle.windows import parse_window
from tests.oracle.logs import template

DAY_WINDOW, SHIFT = parse_window("day"), parse_window("shift")
RATED = (
    "{{id: yield, from: qc.inspection, value: accepted / inspected, rate: {{good: accepted, of: inspected}}, "
    "windows: [day, shift], target: 0.9, alerts: {}}}"
)
PLAIN = "{{id: out, from: business.output, value: units, windows: [shift, day], target: 90, alerts: {}}}"


def rules(alerts: str, indicator: str = RATED) -> tuple[Rule, ...]:
    """The rules of an indicator with this field `alerts`."""
    (read,) = read_template(template(indicator.format(alerts))).indicators
    return read.rules


def test_what_a_rule_leaves_out_has_defaults() -> None:
    """The id is the condition's name, the severity `warning`, and nothing has to hold for long."""
    assert rules("[{below: 0.9, window: day}]") == (
        Rule("below", "warning", 0, Level(DAY_WINDOW, 0.9, 0.95, 0.92)),
    )  # fmt: skip
    assert rules("[{naive: 0.9}]") == (Rule("naive", "warning", 0, Naive(DAY_WINDOW, 0.9)),)
    assert rules("[{ewma: {lambda: 0.2, L: 3}}]") == (Rule("ewma", "warning", 0, Ewma(0.2, 3)),)
    assert rules("[{drift: {good: 0.95, bad: 0.85, h: 5.5}}]") == (
        Rule("drift", "warning", 0, Drift(0.95, 0.85, 5.5)),
    )  # fmt: skip


def test_what_a_rule_states_holds() -> None:
    """Id, severity, `for`, window, confidence and where it is over are taken as written."""
    written = "{id: low, severity: critical, for: 2h, escalate: 30m, below: 0.9, window: shift, confidence: 0.99, "
    found = rules(f"[{written}clear_above: 0.95}}]")
    assert found == (Rule("low", "critical", 7_200_000, Level(SHIFT, 0.9, 0.99, 0.95), 30 * MINUTE),)


def test_level_of_a_value_that_is_no_rate_has_no_confidence() -> None:
    """It is the value itself that is compared, on its own scale."""
    (rule,) = rules("[{below: 100, window: day}]", PLAIN)
    assert rule.condition == Level(DAY_WINDOW, 100, None, 100.02)


@pytest.mark.parametrize(("below", "clear_above"), [("0.58", 0.6), ("0.98", 1.0), ("0.99", 1.0), ("1", 1.0)])
def test_a_rate_is_over_two_points_higher_but_at_most_at_one(below: str, clear_above: float) -> None:
    """0.58 + 0.02 is 0.6, as one reads it, not the double beside it; no rate lies above 1."""
    (rule,) = rules(f"[{{below: {below}, window: day}}]")
    assert isinstance(rule.condition, Level)
    assert clear_above == rule.condition.clear_above


@pytest.mark.parametrize(("text", "ms"), [("0", 0), ("10m", 600_000), ("2h", 7_200_000), ("1d", 86_400_000)])
def test_durations(text: str, ms: int) -> None:
    """A whole number of minutes, hours or days; 0 stands alone."""
    (rule,) = rules(f"[{{naive: 0.9, for: {text}}}]")
    assert ms == rule.wait


@pytest.mark.parametrize(
    ("target", "good", "bad", "h"),
    [
        (0.95, 0.95, 0.85, 5.5),
        (0.9, 0.9, 1 - 57 / 210, 5.5 + math.log(2)),  # odds 1/9 * 57/17 = 57/153: p1 = 57/210
        (0.98, 0.98, 1 - 57 / 890, 5.5 + 0.8 * math.log(0.4)),  # odds 1/49 * 57/17 = 57/833
        (0.9999, 0.9999, 1 - 57 / 170_040, 2.5),  # odds 1/9999 * 57/17: two defects alone never alert
        (0.5, 0.5, 1 - 57 / 74, 5.5 + math.log(10)),  # odds 1 * 57/17
        (0.05, 0.05, 1 - 1_083 / 1_100, 5.5 + math.log(19)),  # odds 19 * 57/17
        (0, 0.95, 0.85, 5.5),
        (1e-17, 0.95, 0.85, 5.5),  # all are defective, in doubles
        (1, 0.95, 0.85, 5.5),
        (95, 0.95, 0.85, 5.5),
        (None, 0.95, 0.85, 5.5),
    ],
)
def test_default_is_drift_from_the_target(target: float | None, good: float, bad: float, h: float) -> None:
    """The share defective of which the odds are 57/17 times as high; a target that is no likely share stands aside."""
    found = default_drift(target)
    assert found[:3] == pytest.approx((good, bad, h), rel=1e-12)
    assert found.evenly


def test_default_is_one_rule() -> None:
    """`alerts: default` has an id of its own and takes the indicator's target."""
    assert rules("default") == (Rule("default", "warning", 0, default_drift(0.9)),)


def test_what_is_decided_elsewhere_is_read() -> None:
    """`below_unit`, which the unit decides, and `stale` make a template as good as any."""
    found = rules("[{below_unit: 0.05, window: shift}, {stale: 15m, severity: info}]")
    assert found == (
        Rule("below_unit", "warning", 0, BelowUnit(SHIFT, 0.05)),
        Rule("stale", "info", 0, Stale(15 * MINUTE), 0),  # what is only for information escalates never
    )


@pytest.mark.parametrize(
    "alerts",
    [
        "none",
        "[]",
        "[default]",
        "[{id: low}]",
        "[{below: 0.9}]",
        "[{below: 0.9, window: week}]",
        "[{below: 0.9, window: shift, naive: 0.9}]",
        "[{below: 0, window: day}]",
        "[{below: 90, window: day}]",
        "[{below: 0.9, window: day, confidence: 1}]",
        "[{below: 0.9, window: day, confidence: 0.5}]",
        "[{below: 0.9, window: day, clear_above: 0.89}]",
        "[{below: 0.9, window: day, colour: red}]",
        "[{naive: 0.9, confidence: 0.95}]",
        "[{naive: 0.9, id: A}]",
        "[{naive: 0.9, id: common_cause}]",
        "[{naive: 0.9, severity: bad}]",
        "[{naive: 0.9, escalate: soon}]",
        "[{naive: 0.9, escalate: 0}]",
        "[{naive: 0.9, for: 10}]",
        "[{naive: 0.9, for: 0m}]",
        "[{naive: 0.9, for: 367d}]",
        "[{naive: 0.9}, {naive: 0.8}]",
        "[{naive: 0.9}, {id: naive, stale: 5m}]",
        "[{drift: {good: 0.95, bad: 0.95, h: 5.5}}]",
        "[{drift: {good: 1, bad: 0.85, h: 5.5}}]",
        "[{drift: {good: 0.95, bad: 0, h: 5.5}}]",
        "[{drift: {good: 0.95, bad: 0.85}}]",
        "[{drift: {good: 0.95, bad: 0.85, h: 0}}]",
        "[{drift: 5.5}]",
        "[{ewma: {lambda: 0, L: 3}}]",
        "[{ewma: {lambda: 0.2, L: 101}}]",
        "[{ewma: {lambda: 0.2, L: 3, sigma: 2}}]",
        "[{ewma: {lambda: 0.2, L: 3, side: above}}]",
        "[{below_unit: 0, window: day}]",
        "[{stale: 0}]",
    ],
)
def test_what_is_no_rule_makes_no_template(alerts: str) -> None:
    """An `alerts` that cannot be read was never published, nor was its template."""
    with pytest.raises(TemplateError):
        rules(alerts)


def test_a_moving_average_of_a_value_says_how_much_it_varies() -> None:
    """In the value's own unit; it must not fall, unless it says that it must not rise; without a target it is none."""
    (low, high) = rules(
        "[{ewma: {lambda: 0.2, L: 3, sigma: 4.5}}, {id: up, ewma: {lambda: 0.2, L: 3, sigma: 4.5, side: above}}]", PLAIN
    )
    assert (Ewma(0.2, 3, 4.5, False), Ewma(0.2, 3, 4.5, True)) == (low.condition, high.condition)
    with pytest.raises(TemplateError):
        rules("[{ewma: {lambda: 0.2, L: 3, sigma: 4.5}}]", PLAIN.replace("target: 90, ", ""))


@pytest.mark.parametrize(
    "alerts",
    [
        "default",
        "[{naive: 0.9}]",
        "[{drift: {good: 0.95, bad: 0.85, h: 5.5}}]",
        "[{ewma: {lambda: 0.2, L: 3}}]",
        "[{ewma: {lambda: 0.2, L: 3, sigma: 0}}]",
        "[{ewma: {lambda: 0.2, L: 3, sigma: 2, side: both}}]",
        "[{below: 90, window: day, confidence: 0.95}]",
    ],
)
def test_only_a_rate_has_units_to_count(alerts: str) -> None:
    """Rules over units, and an interval, need a rate."""
    with pytest.raises(TemplateError):
        rules(alerts, PLAIN)
