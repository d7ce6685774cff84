"""The product and the oracle take the same texts for templates and calendars, and read the same in them."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.oracle.rules import BelowUnit, Drift, Ewma, Level, Naive, Stale, default_drift
from agents.oracle.shift_calendar import Calendar, CalendarError, read_calendar
from agents.oracle.template import Indicator, Template, TemplateError, read_template
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
from stream.indicator import Indicator as Ours
from stream.rulebook import measures_of
from stream.shift_calendar import ShiftCalendar, check_calendar
from stream.template import Template as OurTemplate
from stream.template import check
from tests.agents.mutated import CALENDARS, TEMPLATES, mutated
from tests.agents.test_exactness import PROFILE

DAYS: Final = [date(2024, 2, 25).toordinal() + n for n in range(900)]
MANY: Final = settings(PROFILE, suppress_health_check=list(HealthCheck))


def _condition(rule: AlertRule, target: float | None) -> object:
    """What the oracle keeps of a rule."""
    match rule:
        case DefaultRules():
            return default_drift(target)
        case LevelRule():
            return Level(_window(rule.window), rule.below, rule.confidence, rule.clear_above)
        case NaiveRule():
            return Naive(_window(rule.window), rule.below)
        case DriftRule():
            return Drift(rule.good, rule.bad, rule.h)
        case EwmaRule():
            return Ewma(rule.smoothing, rule.width, rule.sigma, rule.side == "above")
        case StaleRule():
            return Stale(rule.after)
        case UnitGapRule():
            return BelowUnit(_window(rule.window), rule.gap)


def _window(window: Any) -> Any:
    return window.text, window.kind, window.minutes


def ours(template: OurTemplate) -> object:
    """What the product reads in a template, as far as scores follow from it."""
    head = (template.template, template.version, template.effective_from, template.timezone, template.roles)
    return head, [_ours(indicator) for indicator in template.indicators]


def _ours(one: Ours) -> object:
    formulas = (one.value, one.rate_good, one.rate_of)
    rules = [(r.id, r.severity, r.pending, _condition(r, one.target), r.escalation) for r in one.alerts]
    return (
        one.id, one.dimension, one.source, one.where, [f and (f.text, f.names) for f in formulas], one.target,
        one.points.text if one.points is not None else None, one.weight, [_window(w) for w in one.windows],
        one.min_sample, measures_of(one), rules, one.case_mix,
    )  # fmt: skip


def theirs(template: Template) -> object:
    """The same, as the oracle reads it."""
    return tuple(template[:5]), [_theirs(indicator) for indicator in template.indicators]


def _theirs(one: Indicator) -> object:
    formulas = (one.value, one.good, one.of)
    rules = [(rule.id, rule.severity, rule.wait, rule.condition, rule.escalation) for rule in one.rules]
    points = None if one.target is None and one.points.text == "100 * value / target" else one.points.text
    return (
        one.id, one.dimension, one.source, one.where, [f and (f.text, f.names) for f in formulas], one.target, points,
        one.weight, [tuple(w) for w in one.windows], one.min_sample, tuple(sorted(one.measures)), rules, one.case_mix,
    )  # fmt: skip


def our_days(calendar: ShiftCalendar) -> object:
    """What the product reads in a calendar, breaks aside: the oracle does not need them."""
    days = [tuple(sorted((s.start, s.end) for s in calendar.on(date.fromordinal(day)))) for day in DAYS]
    head = (calendar.calendar, calendar.version, calendar.effective_from, calendar.timezone, calendar.units)
    return head, calendar.early, days


def their_days(calendar: Calendar) -> object:
    """The same, as the oracle reads it."""
    return (
        tuple(calendar[:5]),
        calendar.early,
        [tuple((shift.start, shift.end) for shift in calendar.shifts_on(day)) for day in DAYS],
    )


def _template(text: str) -> object:
    try:
        return theirs(read_template(text))
    except TemplateError:
        return None


def _calendar(text: str) -> object:
    try:
        return their_days(read_calendar(text))
    except CalendarError:
        return None


def same_template(text: str) -> None:
    """Both read the same in a text, or both nothing."""
    report = check(text)
    expected = None if report.template is None else ours(report.template)
    assert expected == _template(text), report.errors


def same_calendar(text: str) -> None:
    """Both read the same in a text, or both nothing."""
    report = check_calendar(text)
    expected = None if report.calendar is None else our_days(report.calendar)
    assert expected == _calendar(text), report.errors


@pytest.mark.parametrize("text", TEMPLATES)
def test_what_is_changed_was_a_template(text: str) -> None:
    """A check of the check: both read the texts that mutations begin with."""
    assert _template(text) is not None
    same_template(text)


@pytest.mark.parametrize("text", CALENDARS)
def test_what_is_changed_was_a_calendar(text: str) -> None:
    """Likewise, and the days differ."""
    found = check_calendar(text).calendar
    assert found is not None
    assert len(set(map(str, our_days(found)[2]))) > 1  # type: ignore[index]
    same_calendar(text)


@MANY
@given(mutated(TEMPLATES))
def test_both_refuse_the_same_templates(text: str) -> None:
    """Whatever is changed in one, and of what stays one both read the same."""
    same_template(text)


@MANY
@given(mutated(CALENDARS))
def test_both_refuse_the_same_calendars(text: str) -> None:
    """Whatever is changed in one, and of what stays one both read the same."""
    same_calendar(text)


def _changed(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new, 1)


ONCE_READ: Final = [  # by one of both
    ("early: 15m", "early: 900s"),
    ("early: 15m", "early: 0h"),
    ("2020-01-01T00:00:00Z", "1999-12-31T23:59:59Z"),
    ("2020-01-01T00:00:00Z", "2100-01-01T00:00:01Z"),
    ("version: 1", "version: 1.0"),
    ("version: 1", "version: '1'"),
    ("version: 1", "version: 1\nversion: 1"),
    ("units: [L1, L2]", "units: &all [L1, L2]"),
    ("units: [L1, L2]", "units: !!seq [L1, L2]"),
    ("units: [L1, L2]", "units: [L1, ~]"),
    ("units: [L1, L2]", "units: [L1, ' ']"),
    ("timezone: Pacific/Apia", "timezone: posix/UTC"),
    ("holidays: [2026-05-01", "holidays: &h [2026-05-01"),
    ("calendar: hall", "--- \ncalendar: hall\n---\n{}\n--- \n#"),
]


@pytest.mark.parametrize(("old", "new"), ONCE_READ)
def test_calendars_that_one_of_both_once_read(old: str, new: str) -> None:
    """Units of time, instants, names that stand twice, references, quotes: both refuse them."""
    text = _changed(CALENDARS[0], old, new)
    assert check_calendar(text).calendar is None
    assert _calendar(text) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for: 15m", "for: 900s"),
        ("stale: 15m", "stale: 900s"),
        ("version: 3", "version: 3.0"),
        ("version: 3", "version: '3'"),
        ('"2026-03-01 00:00:00.5z"', "1970-01-01T00:00:00Z"),
        ("timezone: America/New_York\n", ""),
        ('applies_to: {roles: [operator, "lead hand"]}\n', ""),
        ('[operator, "lead hand"]', "[]"),
        ("rolling 60m", "rolling  60m"),
        ("rolling 60m, shift", "rolling 60m, rolling 60m, shift"),
        ("rolling 60m", "rolling 527041m"),
        ("target: 0.95", "target: 9.5e-1"),
        ("target: 0.95", "target: .95"),
        ("target: 0.95", "target: '0.95'"),
        ("max(inspected, 1, -abs(reworked))", "max(inspected)"),
        ("max(inspected, 1, -abs(reworked))", "max(inspected, 1e3)"),
        ('target("quota"))', "target('quota'))"),
        ("case_mix: [stage, product]", "case_mix: [stage, ~]"),
        ("from: qc.inspection", "from: people.assignment"),
        ("from: qc.inspection", "from: qc.Inspection"),
        ("where: {stage: [a, b]", "where: {stage: []"),
        ("title: one text", "title: {zh: a}"),
        ("title: one text", "title: &t one text"),
        ("title: one text", "title: [one, text]"),
    ],
)
def test_templates_that_one_of_both_once_read(old: str, new: str) -> None:
    """Likewise."""
    text = _changed(TEMPLATES[1], old, new)
    assert check(text).template is None
    assert _template(text) is None


@given(st.text(max_size=40) | st.text(alphabet="[]{}:,- \n&*!|>'\"#%@a1\\u", max_size=40))
@settings(MANY, max_examples=100)
def test_any_text_is_read_or_refused_by_both(text: str) -> None:
    """Nothing else is raised, by neither."""
    same_template(text)
    same_calendar(text)


@pytest.mark.parametrize("low", ["1000000000", "999999999.99"])
def test_where_an_alert_of_a_value_is_over(low: str) -> None:
    """Two hundredths above, also where that is more than a number may be."""
    same_template(_changed(TEMPLATES[1], "below: 10,", f"below: {low},"))
