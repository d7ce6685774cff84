"""A template is checked whole before it exists: either a frozen value, or every mistake with its line and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.instants import format_rfc3339
from stream.bilingual import Text
from stream.fields import Field, Findings, Problem
from stream.indicator import Indicator, read_indicator
from stream.readers import read_instant, read_label, read_matching, read_text, read_timezone, read_whole
from stream.rule_warnings import warn_rules
from stream.window import calendar_bounds
from stream.yaml_tree import Scalar, TreeError, read_tree

__all__ = ["Indicator", "Problem", "Report", "Template", "TemplateError", "Text", "check", "load_published"]

KNOWN: Final = ("template", "version", "effective_from", "timezone", "applies_to", "title", "indicators")


@dataclass(frozen=True, slots=True)
class Template:
    """One immutable version; `effective_from` in ms, `roles` None for everyone, `text` the YAML as published."""

    template: str
    version: int
    effective_from: int
    timezone: str
    roles: frozenset[str] | None
    title: Text
    indicators: tuple[Indicator, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, by line; `template` is None when there is any error."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    template: Template | None


class TemplateError(ValueError):
    """A text that is no template; `report` has every error."""

    def __init__(self, report: Report) -> None:
        super().__init__("\n".join(str(error) for error in report.errors))
        self.report = report


def check(text: str, *, published: Sequence[Template] = (), published_at: int | None = None) -> Report:
    """Check a template, and with `published` and `published_at` (ms) also whether it may be published then.

    Never raises on any text. `published` are all versions in the log, of this and of other templates; without
    `published_at` only the order of versions is checked.
    """
    findings = Findings()
    template = _read(text, findings, published, published_at)
    return Report(
        errors=tuple(sorted(findings.errors, key=lambda problem: problem.line)),
        warnings=tuple(sorted(findings.warnings, key=lambda problem: problem.line)),
        template=None if findings.errors else template,
    )


def load_published(text: str) -> Template:
    """The template of a text that is already in the log. Raises TemplateError when it is none."""
    report = check(text)
    if report.template is None:
        raise TemplateError(report)
    return report.template


def _read(text: str, findings: Findings, published: Sequence[Template], published_at: int | None) -> Template | None:
    try:
        root = Field("", 1, read_tree(text), findings)
    except TreeError as error:
        findings.errors.append(Problem(error.line, "", "", error.message, error.remedy))
        return None
    fields = root.fields(KNOWN, f"write a template with {', '.join(KNOWN)}")
    if fields is None:
        return None
    template = Template(
        template=read_matching(fields["template"], r"[a-z][a-z0-9-]{0,63}", "write an id of a-z 0-9 -, a letter first"),
        version=read_whole(fields["version"], "write a whole number from 1", low=1),
        effective_from=read_instant(fields["effective_from"]),
        timezone=read_timezone(fields["timezone"]),
        roles=_roles(fields["applies_to"]),
        title=_title(fields["title"], fields["template"]),
        indicators=_indicators(fields["indicators"]),
        text=text,
    )
    if findings.is_clean("template", "version", "effective_from"):
        _check_publication(template, fields, published, published_at)
    if findings.is_clean("timezone", "effective_from"):
        _warn_cut_windows(template, fields["effective_from"])
    if findings.is_clean("indicators"):
        _warn_weightless(template, fields["indicators"])
    return template


def _roles(field: Field) -> frozenset[str] | None:
    """The roles of `applies_to`; None for everyone."""
    remedy = "write {roles: [operator]} or everyone"
    if isinstance(field.node, Scalar):
        if field.node.text != "everyone":
            field.fail("is neither roles nor everyone", remedy)
        return None
    fields = field.fields(("roles",), remedy)
    if fields is None:
        return None
    return frozenset(read_label(item, "a role") for item in fields["roles"].items(f"{remedy}: a list of roles"))


def _title(field: Field, template: Field) -> Text:
    if field.present:
        return read_text(field, "the title that people see")
    field.warn("is missing: people see the template's id instead", "write title: {zh: ..., en: ...}")
    return Text(template.shown, template.shown)


def _indicators(field: Field) -> tuple[Indicator, ...]:
    indicators: dict[str, Indicator] = {}
    for item in field.items("write at least one indicator"):
        indicator = read_indicator(item)
        if indicator is None:
            continue
        if indicator.id and indicator.id in indicators:
            item.fail(f"a second indicator with the id {indicator.id!r}", "give every indicator its own id")
        indicators[indicator.id] = indicator
        warn_rules(item, indicator)
    return tuple(indicators.values())


def _check_publication(
    template: Template, fields: dict[str, Field], published: Sequence[Template], published_at: int | None
) -> None:
    """Versions only grow, and only the first may begin in the past (contract, section 3)."""
    earlier = [other for other in published if other.template == template.template]
    if not earlier:
        return
    newest = max(earlier, key=lambda other: other.version)
    if template.version <= newest.version:
        said = "is published already" if any(o.version == template.version for o in earlier) else "is older"
        fields["version"].fail(
            f"{said}: {template.template} is at version {newest.version}", f"write {newest.version + 1}"
        )
    if published_at is not None and template.effective_from <= published_at:
        moment = format_rfc3339(published_at)
        remedy = f"write an instant after {moment}; only a template's first version may begin in the past"
        fields["effective_from"].fail("is not later than the publication", remedy)
    latest = max(other.effective_from for other in earlier)
    if template.effective_from <= latest:
        remedy = f"write an instant after {format_rfc3339(latest)}; publishing asks that versions begin in their order"
        fields["effective_from"].fail("is not later than that of an earlier version", remedy)


def _warn_cut_windows(template: Template, field: Field) -> None:
    at = template.effective_from
    kinds = dict.fromkeys(w.kind for i in template.indicators for w in i.windows if w.is_calendar)
    for kind in kinds:
        start, end = calendar_bounds(kind, template.timezone, at)
        if start != at:
            remedy = f"begin at {format_rfc3339(start)} or {format_rfc3339(end)} for a whole {kind}"
            field.warn(f"cuts a {kind}: the version's first {kind} holds only what comes from here on", remedy)


def _warn_weightless(template: Template, field: Field) -> None:
    if template.indicators and all(indicator.weight == 0 for indicator in template.indicators):
        field.warn("all weights are 0: there is no total", "give at least one indicator a weight above 0")
