"""Templates: every field of the contract is read, every mistake is reported with line, field and remedy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.bilingual import NO_TEXT, Text
from stream.formula import parse
from stream.template import Problem, Template, TemplateError, check, load_published
from stream.window import parse_window
from tests.stream.templates import EXAMPLE, accepted, changed, errors, without

DAY = 86_400_000
EFFECTIVE = 1_772_294_400_000  # 2026-03-01T00:00:00+08:00


def only(text: str) -> Problem:
    """The one error of a text."""
    report = check(text)
    assert report.template is None
    assert len(report.errors) == 1, report.errors
    return report.errors[0]


def test_contract_example() -> None:
    """The contract's example is read field by field, without an error or a warning."""
    report = check(EXAMPLE)
    assert (report.errors, report.warnings) == ((), ())
    template = accepted(EXAMPLE)
    assert (
        template.template,
        template.version,
        template.effective_from,
        template.timezone,
    ) == ("production-operator", 2, EFFECTIVE, "Asia/Shanghai")
    assert frozenset({"operator"}) == template.roles
    assert Text("生产线员工", "Production operator") == template.title
    assert template.text == EXAMPLE


def test_indicator_of_the_contract_example() -> None:
    """The example's indicator has formulas, windows and numbers as written."""
    (indicator,) = accepted(EXAMPLE).indicators
    assert (
        indicator.id,
        indicator.dimension,
        indicator.source,
        indicator.unit,
    ) == ("semi_finished_yield", "performance", "qc.inspection", "percent")
    assert (("stage", frozenset({"semi_finished"})),) == indicator.where
    assert parse("accepted / inspected") == indicator.value
    assert (parse("accepted"), parse("inspected")) == (indicator.rate_good, indicator.rate_of)
    assert (indicator.target, indicator.weight, indicator.min_sample) == (0.95, 0.6, 30)
    assert parse("100 * min(value / target, 1.2)", names=("value", "target")) == indicator.points
    assert tuple(map(parse_window, ("rolling 60m", "shift", "day", "month"))) == indicator.windows
    assert [rule.id for rule in indicator.alerts] == ["low_yield", "drop", "behind", "silent"]
    assert dict(indicator.next_step) == {
        "zh": "请查看生产记录调整流程",
        "en": "check the production record and adjust the process",
    }


def test_defaults() -> None:
    """Optional fields have the contract's defaults; missing texts are warned of and replaced by ids."""
    report = check(
        without("title", "name", "definition", "dimension", "where", "unit", "points", "weight", "next_step")
    )
    assert report.template is not None
    (indicator,) = report.template.indicators
    assert (Text("semi_finished_yield", "semi_finished_yield"), NO_TEXT) == (indicator.name, indicator.definition)
    assert (indicator.dimension, indicator.where, indicator.unit, indicator.weight) == ("performance", (), "", 1.0)
    assert parse("100 * value / target", names=("value", "target")) == indicator.points
    assert [w.field for w in report.warnings] == ["title", "indicators[0].name", "indicators[0].definition"]


def test_no_points_without_target() -> None:
    """Without target and points formula an indicator never has points."""
    (indicator,) = accepted(without("target", "points")).indicators
    assert (indicator.target, indicator.points) == (None, None)


@pytest.mark.parametrize("field", ["template", "version", "effective_from", "timezone", "applies_to"])
def test_required_fields_of_a_template(field: str) -> None:
    """A missing field of the template is an error that names it."""
    error = only(without(field))
    assert (field, "is missing") == (error.field, error.message)


@pytest.mark.parametrize("field", ["from", "value", "windows"])
def test_required_fields_of_an_indicator(field: str) -> None:
    """A missing field of an indicator is an error at the indicator's line."""
    assert [(8, f"indicators[0].{field}")] == errors(check(without(field)))


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("template: production-operator", "template: Production", 1, "template", "another form"),
        ("template: production-operator", "template: production_operator", 1, "template", "another form"),
        ("template: production-operator", "template: [a]", 1, "template", "is a list"),
        ("version: 2", "version: 0", 2, "version", "whole number from 1"),
        ("version: 2", "version: 2.0", 2, "version", "whole number"),
        ("version: 2", 'version: "2"', 2, "version", "whole number"),
        ("version: 2", "version:", 2, "version", "is empty"),
        ("T00:00:00+08:00", "T00:00:00", 3, "effective_from", "an instant with a zone"),
        ("2026-03-01T00:00:00+08:00", "2026-03-01", 3, "effective_from", "an instant with a zone"),
        ("2026-03-01T", "1999-03-01T", 3, "effective_from", "outside 2000 to 2100"),
        ("2026-03-01T", "2026-02-30T", 3, "effective_from", "an instant with a zone"),
        ("Asia/Shanghai", "Asia/Shanghia", 4, "timezone", "no known time zone"),
        ("Asia/Shanghai", "America", 4, "timezone", "no known time zone"),
        ("Asia/Shanghai", "../Shanghai", 4, "timezone", "no known time zone"),
        ("{roles: [operator]}", "all", 5, "applies_to", "neither roles nor everyone"),
        ("{roles: [operator]}", "{roles: operator}", 5, "applies_to.roles", "is not a list"),
        ("{roles: [operator]}", "{role: [operator], roles: [a]}", 5, "applies_to.role", "unknown field"),
        ("en: Production operator", "fr: Opérateur", 6, "title.fr", "unknown field"),
        ("semi_finished_yield\n", "SemiFinished\n", 8, "indicators[0].id", "another form"),
        ("dimension: performance", "dimension: perfomance", 11, "indicators[0].dimension", "is not known"),
        ("from: qc.inspection", "from: people.target", 12, "indicators[0].from", "another form"),
        ("from: qc.inspection", "from: qc.Inspection", 12, "indicators[0].from", "another form"),
        ("{stage: semi_finished}", "semi_finished", 13, "indicators[0].where", "is not a mapping"),
        ("{stage: semi_finished}", "{stage: []}", 13, "indicators[0].where.stage", "not a list with entries"),
        ("{stage: semi_finished}", "{stage: a, stage: b}", 13, "indicators[0].where.stage", "written twice"),
        ("value: accepted / inspected", "value: accepted / value", 14, "indicators[0].value", "unknown name 'value'"),
        (
            "value: accepted / inspected",
            "value: accepted /",
            14,
            "indicators[0].value",
            "ends too early at character 11",
        ),
        ("of: inspected}", "off: inspected, of: inspected}", 15, "indicators[0].rate.off", "unknown field"),
        ("{good: accepted, of", "{good: accepted +, of", 15, "indicators[0].rate.good", "ends too early"),
        ("target: 0.95", "target: 95%", 17, "indicators[0].target", "plain decimal"),
        ("target: 0.95", "target: .inf", 17, "indicators[0].target", "plain decimal"),
        ("target: 0.95", "target: 1e3", 17, "indicators[0].target", "plain decimal"),
        ("target: 0.95", "target: 10000000000", 17, "indicators[0].target", "at most 1000000000"),
        ("100 * min(value / target, 1.2)", "100 * accepted", 18, "indicators[0].points", "unknown name 'accepted'"),
        ("weight: 0.6", "weight: -1", 19, "indicators[0].weight", "is not at least 0"),
        ("weight: 0.6", "wieght: 0.6", 19, "indicators[0].wieght", "unknown field"),
        ("[rolling 60m, shift, day, month]", "rolling 60m, shift", 20, "indicators[0].windows", "not a list"),
        ("day, month]", "day, month, day]", 20, "indicators[0].windows[4]", "twice"),
        ("min_sample: 30", "min_sample: -1", 21, "indicators[0].min_sample", "whole number"),
        ("en: check", "zh: check", 27, "indicators[0].next_step.zh", "written twice, first in line 27"),
    ],
)
def test_mistakes(old: str, new: str, line: int, field: str, said: str) -> None:
    """Each mistake is found at its line and field, with a message and a remedy."""
    found = [e for e in check(changed((old, new))).errors if (e.line, e.field) == (line, field)]
    assert len(found) == 1, check(changed((old, new))).errors
    assert said in found[0].message
    assert found[0].remedy


def test_all_mistakes_at_once_in_line_order() -> None:
    """A check goes on after a mistake and reports all of them by line."""
    text = changed(("version: 2", "version: x"), ("weight: 0.6", "wieght: 0.6"), ("bad: 0.85", "bad: 0.99"))
    assert errors(check(text)) == [
        (2, "version"),
        (19, "indicators[0].wieght"),
        (24, "indicators[0].alerts[1].drift.bad"),
    ]


def test_formula_error_has_a_pointer() -> None:
    """The parse of a formula is shown where it failed."""
    error = only(changed(("value: accepted / inspected", "value: accepted / (inspected")))
    assert error.pointer == "accepted / (inspected\n           ^"
    assert str(error).endswith("\n    accepted / (inspected\n               ^")


def test_problem_in_words() -> None:
    """A problem reads as line, field, value, message and remedy."""
    error = only(changed(("dimension: performance", "dimension: perfomance")))
    assert str(error) == (
        "line 11: indicators[0].dimension 'perfomance': is not known; "
        "did you mean performance? write one of performance, ability, attitude"
    )


def test_min_sample_needs_a_rate() -> None:
    """min_sample without a rate is an error, whatever its number."""
    text = EXAMPLE.replace("    rate: {good: accepted, of: inspected}   # only for rates\n", "")
    messages = {e.field: e.message for e in check(text.replace("min_sample: 30", "min_sample: 0")).errors}
    assert "needs a rate" in messages["indicators[0].min_sample"]


def test_points_that_name_a_missing_target() -> None:
    """A points formula may name the target only when there is one."""
    assert only(without("target")).field == "indicators[0].points"


def test_texts_for_both_languages() -> None:
    """One plain text stands for both languages; a mapping must have both."""
    template = accepted(changed(("{zh: 生产线员工, en: Production operator}", "Operator 操作员")))
    assert Text("Operator 操作员", "Operator 操作员") == template.title
    assert only(changed(("{zh: 生产线员工, en: Production operator}", "{en: Operator}"))).field == "title.zh"


def test_scalars_are_their_text() -> None:
    """A dim's value is what is written: `no`, `1` and `2026-03-01` are texts."""
    (indicator,) = accepted(changed(("{stage: semi_finished}", "{a: no, b: [1, 2026-03-01], c: '~'}"))).indicators
    assert (("a", frozenset({"no"})), ("b", frozenset({"1", "2026-03-01"})), ("c", frozenset({"~"}))) == indicator.where


def test_everyone() -> None:
    """A template for everyone names no roles."""
    assert accepted(changed(("{roles: [operator]} ", "everyone "))).roles is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "is empty"),
        ("# only a comment\n", 1, "is empty"),
        ("just words", 1, "is not a mapping"),
        ("- a\n- b", 1, "is not a mapping"),
        ("a: 1\nb: [1, 2", 2, "not YAML"),
        ("a: 1\n\tb: 2", 2, "not YAML"),
        ("a: &x [1]\nb: *x", 1, "the anchor &x"),
        ("a: 1\nb: *x", 2, "the alias *x"),
        ("a: !!python/object:os.system x", 1, "the tag"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("? [a]\n: b", 1, "as the name of a field"),
        ("[" * 100_000, 1, "nested more than"),
        ("a: " + "x" * 262_144, 1, "262147 bytes"),
        ("[" + "a," * 100_000 + "]", 1, "more than 20000 values"),
        ("a: b\nc: \x00", 2, "U+0000"),
        ("a: \ud800", 1, "U+D800"),
        ('"\\UFFFFFFFF"', 1, "not YAML"),
    ],
)
def test_texts_that_are_no_plain_document(text: str, line: int, said: str) -> None:
    """What is no plain YAML mapping is one error at its line; bombs are refused while they are read."""
    error = only(text)
    assert line == error.line
    assert said in error.message


def test_billion_laughs() -> None:
    """References that would multiply a document are refused at the first anchor."""
    assert only("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n").line == 1


def test_indicators_have_their_own_ids() -> None:
    """A second indicator with the same id is an error at its place."""
    text = EXAMPLE + EXAMPLE[EXAMPLE.index("  - id") :]
    assert only(text).field == "indicators[1]"


@pytest.mark.parametrize("value", ["", " []", " {}", " none"])
def test_a_template_without_indicators(value: str) -> None:
    """A template needs at least one indicator."""
    text = EXAMPLE[: EXAMPLE.index("indicators:")] + f"indicators:{value}\n"
    assert only(text).field == "indicators"


def test_warns_of_cut_windows() -> None:
    """A calendar window that holds effective_from is cut: the warning names where it would be whole."""
    text = changed(("2026-03-01T00:00:00", "2026-03-02T00:00:00"))
    (warning,) = check(text).warnings
    assert (warning.line, warning.field) == (3, "effective_from")
    assert "cuts a month" in warning.message
    assert "2026-02-28T16:00:00.000Z or 2026-03-31T16:00:00.000Z" in warning.remedy


def test_warns_of_what_cannot_work() -> None:
    """Weights of 0, a target of 0 under the default points and below all rules, unknown measures of an inspection."""
    text = changed(
        ("weight: 0.6", "weight: 0"),
        ("target: 0.95", "target: 0"),
        ("    points: 100 * min(value / target, 1.2)  # default: 100 * value / target\n", ""),
        ("value: accepted / inspected", "value: acepted / inspected"),
    )
    fields = {warning.field for warning in check(text).warnings}
    assert {"indicators", "indicators[0].target", "indicators[0].value", "indicators[0].alerts[0].below"} == fields


def version(number: int, effective_from: str = "2026-03-01T00:00:00+08:00") -> str:
    """The example as another version."""
    return changed(("version: 2", f"version: {number}"), ("2026-03-01T00:00:00+08:00", effective_from))


PUBLISHED: tuple[Template, ...] = (accepted(EXAMPLE),)


def test_first_version_may_begin_in_the_past() -> None:
    """A template's first version takes effect at any instant, whatever other templates exist."""
    other = changed(("template: production-operator", "template: other"))
    report = check(other, published=PUBLISHED, published_at=EFFECTIVE + 90 * DAY)
    assert report.errors == ()


def test_a_later_version() -> None:
    """A greater number with a later beginning may be published."""
    report = check(version(3, "2026-04-01T00:00:00+08:00"), published=PUBLISHED, published_at=EFFECTIVE + DAY)
    assert report.errors == ()


@pytest.mark.parametrize(
    ("number", "effective_from", "field", "said"),
    [
        (2, "2026-04-01T00:00:00+08:00", "version", "is published already"),
        (1, "2026-04-01T00:00:00+08:00", "version", "is older"),
        (3, "2026-03-01T12:00:00+08:00", "effective_from", "not later than the publication"),
        (3, "2026-03-02T00:00:00+08:00", "effective_from", "not later than the publication"),
    ],
)
def test_publication_rules(number: int, effective_from: str, field: str, said: str) -> None:
    """A number already passed and a beginning not after the publication are errors at their lines."""
    report = check(version(number, effective_from), published=PUBLISHED, published_at=EFFECTIVE + DAY)
    assert [field] == [error.field for error in report.errors]
    assert said in report.errors[0].message


def test_versions_begin_in_their_order() -> None:
    """A version may not take effect before an earlier one, also when both lie in the future."""
    (error,) = check(version(3, "2026-03-01T00:00:00+08:00"), published=PUBLISHED, published_at=EFFECTIVE - DAY).errors
    assert "not later than that of an earlier version" in error.message


def test_load_published() -> None:
    """A text from the log is the template that was checked; what is none raises with every error."""
    assert accepted(EXAMPLE) == load_published(EXAMPLE)
    with pytest.raises(TemplateError, match="line 2: version") as caught:
        load_published(changed(("version: 2", "version: x"), ("weight: 0.6", "weight: x")))
    assert len(caught.value.report.errors) == 2


scalars = st.one_of(
    st.sampled_from(["", "~", "a", "0.5", "day", "rolling 60m", "default", "everyone", "accepted / inspected", "15m"]),
    st.text(max_size=8),
)
lines = st.lists(
    st.tuples(
        st.integers(0, EXAMPLE.count("\n") - 1), st.sampled_from(["drop", "twice", "indent", "cut", "value"]), scalars
    ),
    max_size=6,
)


def garbled(changes: list[tuple[int, str, str]]) -> str:
    """The example with lines dropped, doubled, shifted, cut short or given another value."""
    text = EXAMPLE.splitlines(keepends=True)
    for at, change, scalar in changes:
        line = text[at]
        text[at] = {
            "drop": "",
            "twice": line * 2,
            "indent": f"  {line}",
            "cut": f"{line[: len(line) // 2]}\n",
            "value": f"{line.partition(':')[0]}: {scalar}\n",
        }[change]
    return "".join(text)


@settings(max_examples=150, deadline=None)
@given(st.one_of(lines.map(garbled), st.text(), st.text(alphabet="[]{}:,- \n&*!|>'\"#%@a1")))
def test_check_never_raises(text: str) -> None:
    """Any text gives either a template or errors, each with a line inside the text, a message and a remedy."""
    report = check(text, published=PUBLISHED, published_at=EFFECTIVE)
    assert (report.template is None) == bool(report.errors)
    for error in report.errors:
        assert 1 <= error.line <= len(text.splitlines()) + 1
        assert error.message
        assert error.remedy
