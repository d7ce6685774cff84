"""The contract's example, and variants of it by replacing pieces of its text."""

from __future__ import annotations

from stream.template import Report, Template, check

EXAMPLE = """\
template: production-operator
version: 2
effective_from: 2026-03-01T00:00:00+08:00   # any instant
timezone: Asia/Shanghai
applies_to: {roles: [operator]}             # or: everyone
title: {zh: 生产线员工, en: Production operator}
indicators:
  - id: semi_finished_yield
    name: {zh: 半成品良品率, en: Semi-finished yield}
    definition: {zh: 半成品经检验合格的比例, en: "accepted semi-finished units / all inspected semi-finished units"}
    dimension: performance                  # performance | ability | attitude
    from: qc.inspection
    where: {stage: semi_finished}           # a value or a list per dim
    value: accepted / inspected
    rate: {good: accepted, of: inspected}   # only for rates
    unit: percent                           # display only
    target: 0.95
    points: 100 * min(value / target, 1.2)  # default: 100 * value / target
    weight: 0.6                             # relative; need not sum to 1
    windows: [rolling 60m, shift, day, month]
    min_sample: 30                          # of the rate's denominator; default 0
    alerts:
      - {id: low_yield, window: rolling 60m, below: 0.90, confidence: 0.95, clear_above: 0.92, severity: warning}
      - {id: drop, drift: {good: 0.95, bad: 0.85, h: 5.5}, severity: warning}
      - {id: behind, window: shift, below_unit: 0.05, severity: info}
      - {id: silent, stale: 15m, severity: info}
    next_step: {zh: 请查看生产记录调整流程, en: check the production record and adjust the process}
"""


def changed(*replacements: tuple[str, str]) -> str:
    """The example with pieces replaced; a piece that is not there is a mistake of the test."""
    text = EXAMPLE
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def without(*fields: str) -> str:
    """The example without the lines of these fields of its indicator or of the template."""
    lines = EXAMPLE.splitlines(keepends=True)
    for field in fields:
        assert any(line.strip().startswith(f"{field}:") for line in lines), field
        lines = [line for line in lines if not line.strip().startswith(f"{field}:")]
    return "".join(lines)


def with_alerts(*rules: str, rate: bool = True) -> str:
    """The example with these rules as its alerts, and without its rate if asked."""
    head, rest = EXAMPLE.split("    alerts:\n")
    tail = rest[rest.index("    next_step") :]
    text = head + "".join(["    alerts:\n", *(f"      - {rule}\n" for rule in rules)]) + tail
    if rate:
        return text
    kept = [line for line in text.splitlines(keepends=True) if not line.strip().startswith(("rate:", "min_sample:"))]
    return "".join(kept)


def accepted(text: str) -> Template:
    """The template of a text that must be free of errors."""
    report = check(text)
    assert report.errors == ()
    assert report.template is not None
    return report.template


def errors(report: Report) -> list[tuple[int, str]]:
    """(line, field) of each error."""
    return [(error.line, error.field) for error in report.errors]
