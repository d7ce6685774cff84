"""Published records for tests of the web, made here and nowhere else; values are the caller's or stated defaults."""

from __future__ import annotations

import json
from typing import Any, Final

from agents.views.conflate import Published
from schemas.instants import MINUTE, format_rfc3339
from stream.interval import wilson
from stream.topics import ALERTS, SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES

NOW: Final = 1_772_430_000_000  # 2026-03-02T05:40:00Z
TEMPLATE: Final = """
template: production-operator
version: 1
effective_from: 2026-01-01T00:00:00+08:00
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 生产线员工, en: Production operator}
indicators:
  - id: semi_finished_yield
    name: {zh: 半成品良品率, en: Semi-finished yield}
    definition: {zh: 半成品经检验合格的比例, en: accepted / inspected}
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.95
    windows: [rolling 60m, day]
    min_sample: 30
"""
INDICATOR: Final = "semi_finished_yield"
ROLLING: Final = "rolling 60m"


def row(
    good: float = 96,
    n: float | None = 100,
    *,
    indicator: str = INDICATOR,
    window: str = ROLLING,
    template: str = "production-operator",
    status: str = "ok",
    **changes: Any,
) -> dict[str, Any]:
    """A row of the contract without its owner; a rate of `good` in `n`."""
    low, high = (wilson(good, n) if n else None) or (None, None)
    made = {
        "template": template,
        "version": 1,
        "indicator": indicator,
        "window": window,
        "window_start": format_rfc3339(NOW - 60 * MINUTE),
        "as_of": format_rfc3339(NOW),
        "status": status,
        "value": good / n if n else None,
        "points": 101.0 if status == "ok" else None,
        "n": n,
        "good": good if n is not None else None,
        "low": low,
        "high": high,
        "sums": {"accepted": good, "inspected": n or 0},
    }
    return made | changes


def total(
    points: float | None = 101.0, *, window: str = ROLLING, template: str = "production-operator"
) -> dict[str, Any]:
    """The total row of a window."""
    status = "ok" if points is not None else "no_data"
    nothing: dict[str, Any] = {"n": None, "good": None, "low": None, "high": None, "sums": {}}
    changes: dict[str, Any] = {"value": points, "points": points, **nothing}
    return row(indicator="@total", window=window, template=template, status=status, **changes)


def scores(
    employee: str, *rows: dict[str, Any], newest: int | None = NOW, unit: str = "L03", at: int = NOW
) -> Published:
    """An employee's update; without rows, one rate and its total."""
    value = {
        "employee_id": employee,
        "unit": unit,
        "as_of": format_rfc3339(at),
        "newest": None if newest is None else format_rfc3339(newest),
        "rows": [{"employee_id": employee, **each} for each in rows or (row(), total())],
        "trends": {
            f"production-operator/{INDICATOR}/{ROLLING}": [[NOW - 10 * MINUTE, 50, 48], [NOW - 5 * MINUTE, 50, 48]]
        },
        "pools": [],
    }
    return Published(SCORE_UPDATES, 0, at, employee.encode(), json.dumps(value).encode())


def unit_scores(
    unit: str, members: list[str], *rows: dict[str, Any], newest: int | None = NOW, at: int = NOW, **changes: Any
) -> Published:
    """A unit's update; without rows, one rate."""
    value = {
        "unit": unit,
        "as_of": format_rfc3339(at),
        "newest": None if newest is None else format_rfc3339(newest),
        "members": members,
        "rows": [{"unit": unit, **each} for each in rows or (row(192, 200), total())],
        "trends": {
            f"production-operator/{INDICATOR}/{ROLLING}": [[NOW - 10 * MINUTE, 100, 96], [NOW - 5 * MINUTE, 0, 0]]
        },
        **changes,
    }
    return Published(UNIT_UPDATES, 0, at, unit.encode(), json.dumps(value).encode())


def alert(
    alert_id: str, employee: str | None = "E0001", *, unit: str = "L03", at: int = NOW, **changes: Any
) -> Published:
    """An alert's latest row; of the unit itself without an employee. It fires, and people are told of it."""
    value: dict[str, Any] = {
        "alert_id": alert_id,
        "rule": "default",
        "unit": unit,
        "indicator": INDICATOR,
        "template": "production-operator",
        "version": 1,
        "state": "firing",
        "severity": "warning",
        "raised_at": format_rfc3339(at),
        "changed_at": format_rfc3339(at),
        "cleared_at": None,
        "window": "",
        "window_start": format_rfc3339(at - MINUTE),
        "value": 0.78125,
        "n": 32,
        "good": 25,
        "low": 0.6125,
        "high": 0.8898,
        "threshold": 0.95,
        "folded_into": None,
        "first_event": "e1",
        "last_event": "e2",
        "message": {
            "zh": "半成品良品率下降。请查看生产记录。",
            "en": "Semi-finished yield has dropped. Check the record.",
        },
        "by": "",
        "reason": "",
        "until": None,
        "escalated_at": None,
        "notify": True,
    }
    owner = {} if employee is None else {"employee_id": employee}
    return Published(ALERTS, 0, at, alert_id.encode(), json.dumps({**value, **owner, **changes}).encode())


def tick(at: int = NOW, partition: int = 0) -> Published:
    """A tick."""
    value = json.dumps({"at": at, "follows": {}}).encode()
    return Published(TICKS, partition, at, str(partition).encode(), value)


def template(text: str = TEMPLATE) -> Published:
    """A published template."""
    return Published(TEMPLATES, 0, NOW, b"production-operator@1", text.encode())


def line(unit: str = "L03", people: int = 2, *, newest: int = NOW) -> list[Published]:
    """A unit with people E0001, E0002, ..., its template and a tick."""
    members = [f"E{number:04d}" for number in range(1, people + 1)]
    updates = [scores(member, newest=newest, unit=unit) for member in members]
    return [template(), *updates, unit_scores(unit, members, newest=newest), tick()]
