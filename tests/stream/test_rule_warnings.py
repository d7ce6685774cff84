"""What contradicts itself in rules is warned of, at its field and with its value; what makes sense is not."""

from __future__ import annotations

from itertools import product

import pytest

from stream.fields import Problem
from stream.template import check
from tests.stream.templates import EXAMPLE, with_alerts

LEVEL = "{id: low, window: rolling 60m, below: 0.9}"


def warned(*rules: str, rate: bool = True, changes: tuple[tuple[str, str], ...] = ()) -> list[Problem]:
    """What is warned of in the example with these rules; the text must be a template for all that."""
    text = with_alerts(*rules, rate=rate)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    report = check(text)
    assert report.errors == ()
    return list(report.warnings)


@pytest.mark.parametrize(
    ("rule", "field", "said"),
    [
        ("{drift: {good: 0.95, bad: 0.85, h: 0.5}}", "drift.h '0.5'", "one defective unit alone is an alert"),
        ("{drift: {good: 0.95, bad: 0.85, h: 2}}", "drift.h '2'", "good (0.95) is alerted about once in 138 units"),
        ("{drift: {good: 0.95, bad: 0.85, h: 1000}}", "drift.h '1000'", "at bad (0.85) an alert takes some 14,"),
        ("{drift: {good: 0.95, bad: 0.94, h: 20}}", "drift.h '20'", "at bad (0.94) an alert takes some 2"),
        ("{drift: {good: 0.95, bad: 0.00000000000000000001, h: 5}}", "drift '{good, bad, h}'", "never alerts"),
        ("{drift: {good: 0.95, bad: 0.9499999999999999, h: 5}}", "drift '{good, bad, h}'", "cannot be told apart"),
        ("{drift: {good: 0.97, bad: 0.85, h: 5.5}}", "drift.good '0.97'", "lies above the target 0.95"),
        ("{drift: {good: 0.95, bad: 0.85, h: 5.5}, for: 40d}", "for '40d'", "is longer than 31 days"),
        ("{below: 0.9, window: day, clear_above: 0.9}", "clear_above '0.9'", "is `below` itself (0.9)"),
        ("{below: 0.9, window: day, clear_above: 0.96}", "clear_above '0.96'", "lies above the target 0.95"),
        ("{below: 0.96, window: day}", "below '0.96'", "lies above the target 0.95"),
        ("{below: 0.9, window: day, confidence: 0.7}", "confidence '0.7'", "hardly more than a guess"),
        ("{below: 0.9, window: day, confidence: 0.99999}", "confidence '0.99999'", "is hardly ever reached"),
        ("{below: 0.9, window: rolling 60m, for: 61m}", "for '61m'", "is longer than the window rolling 60m"),
        ("{below: 0.9, window: day, for: 25h}", "for '25h'", "is longer than a day"),
        ("{below_unit: 0.001, window: day}", "below_unit '0.001'", "less than chance alone"),
        ("{below_unit: 0.95, window: day}", "below_unit '0.95'", "no less than the target 0.95"),
        ("{below_unit: 0.05, window: shift, for: 2d}", "for '2d'", "is longer than a shift"),
        ("{stale: 300d}", "stale '300d'", "is longer than a shift"),
        ("{stale: 8h, for: 5h}", "stale '8h'", "and `for` are longer than a shift"),
        ("{stale: 1m}", "stale '1m'", "any pause of a minute"),
        ("{ewma: {lambda: 0.2, L: 0.5}}", "ewma.L '0.5'", "so narrow that chance alone alerts"),
        ("{ewma: {lambda: 0.2, L: 50}}", "ewma.L '50'", "so wide that hardly anything alerts"),
        ("{ewma: {lambda: 0.001, L: 3}}", "ewma.lambda '0.001'", "takes hundreds of records"),
        ("{stale: 15m, escalate: 30d}", "escalate '30d'", "more than a week"),
    ],
)
def test_a_rule_that_contradicts_itself(rule: str, field: str, said: str) -> None:
    """One warning, which names the field and what stands there."""
    (found,) = warned(rule)
    assert f"line 23: indicators[0].alerts[0].{field}: " in str(found)
    assert said in found.message
    assert found.remedy


@pytest.mark.parametrize(
    "rule",
    [
        "{below: 0.9, window: rolling 60m}",
        "{below: 0.9, window: rolling 60m, for: 60m, confidence: 0.8}",
        "{below: 0.9, window: day, clear_above: 0.95, for: 24h, escalate: 7d}",
        "{below: 0.9, window: month, for: 31d}",
        "{drift: {good: 0.95, bad: 0.85, h: 3}}",
        "{drift: {good: 0.95, bad: 0.9, h: 5.5}, for: 31d}",
        "{drift: {good: 0.5, bad: 0.3, h: 6}}",
        "{below_unit: 0.05, window: rolling 60m, for: 1h}",
        "{stale: 12h}",
        "{stale: 2m}",
        "{ewma: {lambda: 0.01, L: 2}}",
        "{ewma: {lambda: 1, L: 10}}",
    ],
)
def test_a_rule_that_makes_sense(rule: str) -> None:
    """Also where it is at the edge."""
    assert [] == warned(rule)


@pytest.mark.parametrize(
    ("rule", "sample", "said"),
    [
        (LEVEL, "", "there is no min_sample: 1 unit is enough for an alert"),
        (LEVEL, "    min_sample: 2\n", "min_sample is 2: 2 units are enough for an alert"),
        ("{below: 0.5, window: day}", "", "there is no min_sample: 3 units are enough"),
        ("{below: 0.3, window: day}", "", ""),  # seven defective ones are needed as it is
        (LEVEL, "    min_sample: 5\n", ""),
        (LEVEL, "    min_sample: 2000000\n", "min_sample 2,000,000 is more than any window holds"),
        ("{below_unit: 0.05, window: day}", "", "there is no min_sample: 1 unit is enough"),
        ("{drift: {good: 0.95, bad: 0.85, h: 5.5}}", "", ""),  # which min_sample does not gate
    ],
)
def test_a_level_over_a_handful_of_units(rule: str, sample: str, said: str) -> None:
    """So many units as are enough for an alert, all of them defective."""
    found = warned(
        rule,
        changes=(("    min_sample: 30                          # of the rate's denominator; default 0\n", sample),),
    )
    assert bool(said) == bool(found)
    assert all(said in one.message and one.field.startswith("indicators[0].alerts[0].below") for one in found)


@pytest.mark.parametrize(
    ("rule", "field", "said"),
    [
        ("{below: 5, window: day, clear_above: 5}", "clear_above '5'", "is `below` itself"),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 30}}", "ewma.sigma '30'", "puts the limit below 0, at -20"),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 30, side: above}}", "", ""),
        ("{ewma: {lambda: 0.2, L: 3, sigma: 9}}", "", ""),
        ("{below: 9, window: day}", "", ""),
    ],
)
def test_rules_of_a_value(rule: str, field: str, said: str) -> None:
    """Whose target is 10."""
    found = warned(rule, rate=False, changes=(("target: 0.95", "target: 10"),))
    assert bool(said) == bool(found)
    assert all(field in str(one) and said in one.message for one in found)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("{id: other, window: rolling 60m, below: 0.9}", "other says what low says"),
        ("{id: other, window: rolling 60m, below: 0.9, severity: critical}", "other says what low says"),
        ("{id: other, window: rolling 60m, below: 0.9, escalate: never}", "other says what low says"),
        ("{id: other, window: rolling 60m, below: 0.9, severity: critical, for: 30m}", ""),  # graver when it lasts
        ("{id: other, window: rolling 60m, below: 0.9, confidence: 0.99}", ""),
        ("{id: other, window: day, below: 0.9}", ""),
        ("{id: other, window: rolling 60m, below: 0.92, severity: critical}", "other alerts before low"),
        ("{id: other, window: rolling 60m, below: 0.8, severity: critical}", ""),
        ("{id: other, window: rolling 60m, below: 0.8, severity: info}", "low alerts before other"),
    ],
)
def test_rules_beside_each_other(second: str, said: str) -> None:
    """The same again, and a graver one that comes first."""
    found = warned(LEVEL, second)
    assert bool(said) == bool(found)
    assert all(said in one.message for one in found)


@pytest.mark.parametrize(
    ("rules", "is_odd"),
    [
        ((LEVEL,), True),
        ((LEVEL, "{stale: 15m}"), True),
        ((LEVEL, "{drift: {good: 0.95, bad: 0.85, h: 5.5}}"), False),
        (("{ewma: {lambda: 0.2, L: 3}}",), False),
    ],
)
def test_a_case_mix_that_no_rule_looks_at(rules: tuple[str, ...], is_odd: bool) -> None:
    """Level rules go by what was counted."""
    changes = (("    unit: percent", "    case_mix: [product]\n    unit: percent"),)
    found = warned(*rules, changes=changes)
    assert (["indicators[0].case_mix"] if is_odd else []) == [one.field for one in found]


def test_a_case_mix_with_the_products_own_rules_or_with_none() -> None:
    """Drives them, or is shown beside the share."""
    head, rest = EXAMPLE.split("    alerts:\n")
    tail = rest[rest.index("    next_step") :]
    for alerts, mix in product(("", "    alerts: default\n"), ("", "    case_mix: [product]\n")):
        assert () == check(head + mix + alerts + tail).warnings


def test_a_text_with_errors_is_not_nagged_about() -> None:
    """What is wrong comes first."""
    report = check(with_alerts("{below: 0.9, window: day, clear_above: 0.9}", "{drift: {good: 1, bad: 0.85, h: 0.1}}"))
    assert report.errors
    assert () == report.warnings
