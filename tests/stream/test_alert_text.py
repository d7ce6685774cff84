"""What an alert says: what happened, since when, how sure that is, what to do; in words that people use."""

from __future__ import annotations

import pytest

from stream.alert_text import message, window_words
from stream.rulebook import Version, compile_version
from stream.watch_plan import Rule, watch_plans
from stream.watched import Open
from stream.window import parse_window
from tests.stream.templates import accepted, with_alerts

SINCE = 1_772_418_060_000  # 2026-03-02 10:21 in Shanghai
ALERT = Open("a", "firing", SINCE, SINCE, "L1", SINCE, 0.8, 50, 40, 0.9, "e1", "e2", True)


@pytest.mark.parametrize(
    ("window", "zh", "en"),
    [
        ("rolling 60m", "最近 60 分钟", "the last 60 min"),
        ("rolling 1m", "最近 1 分钟", "the last 1 min"),
        ("rolling 90m", "最近 90 分钟", "the last 90 min"),
        ("rolling 480m", "最近 8 小时", "the last 8 hours"),
        ("rolling 1440m", "最近 24 小时", "the last 24 hours"),
        ("rolling 10080m", "最近 7 天", "the last 7 days"),
        ("shift", "班次", "the shift"),
        ("month", "当月", "the month"),
        ("all", "自生效以来", "all that counts"),
    ],
)
def test_windows_in_words(window: str, zh: str, en: str) -> None:
    """Nobody has to know how a template writes them."""
    assert (zh, en) == window_words(parse_window(window))


def _one(rule: str) -> tuple[Version, Rule]:
    """A version with one rule, and that rule."""
    version = compile_version(accepted(with_alerts(rule, rate=True)), 0, 1)
    (found,) = [one for plan in watch_plans(version) if plan is not None for one in plan.rules]
    return version, found


@pytest.mark.parametrize(
    ("rule", "zh", "en"),
    [
        (
            "{id: low, window: rolling 60m, below: 0.9}",
            "：最近 60 分钟（2026-03-02 10:21起）为80.0 %，低于90.0 %",
            " is 80.0 % in the last 60 min (since 2026-03-02 10:21), below 90.0 %",
        ),
        (
            "{naive: 0.9, window: day}",
            "：当日（2026-03-02 10:21起）为80.0 %，低于90.0 %",
            " is 80.0 % in the day (since 2026-03-02 10:21), below 90.0 %",
        ),
        (
            "{id: behind, window: shift, below_unit: 0.05}",
            "：班次（2026-03-02 10:21起）为80.0 %，明显低于本单位的90.0 %",
            " is 80.0 % in the shift (since 2026-03-02 10:21), well below the unit's 90.0 %",
        ),
        (
            "{drift: {good: 0.95, bad: 0.85, h: 5.5}}",
            "自2026-03-02 10:21起下降",
            "has dropped since 2026-03-02 10:21",
        ),
        ("{ewma: {lambda: 0.2, L: 3}}", "自2026-03-02 10:21起偏低", "is low since 2026-03-02 10:21"),
        ("{id: silent, stale: 15m}", "2026-03-02 10:21开始的班次中", "in the shift that started 2026-03-02 10:21"),
    ],
    ids=["level", "naive", "gap", "drift", "ewma", "stale"],
)
def test_every_rule_says_since_when(rule: str, zh: str, en: str) -> None:
    """In the template's time zone, in both languages, never in the words of a template."""
    said = message(*_one(rule), ALERT)
    assert zh in said.zh
    assert en in said.en
    assert "rolling" not in said.zh + said.en
