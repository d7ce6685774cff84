"""Templates made from a number: each takes another handful of indicators, windows, zones and roles."""

from __future__ import annotations

from typing import Final

from schemas.instants import format_rfc3339

ROLES: Final = ("everyone", "{roles: [operator]}", "{roles: [seller]}", "{roles: [operator, other]}")
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "UTC")
WINDOWS: Final = (
    "[rolling 5m, day, all]",
    "[rolling 60m, rolling 240m, week, year]",
    "[month, rolling 43200m, rolling 3m]",
    "[rolling 180m, day, quarter, shift]",
    "[year, all, rolling 1440m]",
    "[rolling 10080m, day, rolling 60m]",
)
RATE: Final = "value: accepted / inspected, rate: {good: accepted, of: inspected}"
INDICATORS: Final = (
    f"{{id: a_yield, from: qc.inspection, where: {{stage: a}}, {RATE}, target: 0.95, weight: 0.6, windows: WINDOWS, "
    "case_mix: [line], alerts: default}",
    f'{{id: yield, from: qc.inspection, {RATE}, target: 0.9, points: "100 * min(value / target, 1.2)", min_sample: 5, '
    "dimension: ability, windows: WINDOWS, case_mix: [stage, line], alerts: ["
    "{id: low, window: FIRST, below: 0.9, confidence: 0.6}, {drift: {good: 0.9, bad: 0.7, h: 2}, for: 2m}, "
    "{ewma: {lambda: 0.3, L: 1.5}, severity: info}, {naive: 0.7, window: LAST}]}",
    "{id: defects, from: qc.inspection, where: {stage: [a, b]}, value: inspected - accepted, target: 2, "
    "points: 100 * (target - value), weight: 3, windows: WINDOWS, "
    "alerts: [{id: few, window: LAST, below: 1, clear_above: 3, for: 1m}, "
    "{id: more, ewma: {lambda: 0.3, L: 0.8, sigma: 1.5, side: above}}]}",
    '{id: sales, from: business.sale, value: amount / target("quota"), target: 1, windows: WINDOWS, '
    "alerts: [{id: behind, window: FIRST, below: 0.8, severity: critical}, "
    "{id: slow, ewma: {lambda: 0.5, L: 0.5, sigma: 0.4}, for: 1m, severity: info}]}",
    "{id: calls, from: business.sale, where: {line: L2}, value: calls + 0.5 * amount, dimension: attitude, "
    "points: value - 1, weight: 0, windows: WINDOWS}",
    "{id: first_pass, from: qc.inspection, value: accepted - reworked, "
    "rate: {good: accepted - reworked, of: inspected - weight}, dimension: attitude, windows: WINDOWS, "
    "alerts: [{below: 2, window: FIRST, clear_above: 3}, {drift: {good: 0.8, bad: 0.5, h: 1}}]}",
)


def _indicator(number: int, windows: str) -> str:
    """An indicator with windows, of which rules take the first and the last that is evaluated."""
    names = [name for name in windows.strip("[]").split(", ") if name != "shift"]
    text = INDICATORS[number].replace("WINDOWS", windows)
    return text.replace("FIRST", names[0]).replace("LAST", names[-1])


def template(name: str, version: int, effective_from: int, pick: int) -> str:
    """The YAML of a version; `pick` chooses everything else."""
    pick, role = divmod(pick, len(ROLES))
    pick, zone = divmod(pick, len(ZONES))
    pick, first = divmod(pick, len(INDICATORS))
    chosen = [first, *(n for n in range(len(INDICATORS)) if n != first and pick >> n & 1)]
    indicators = [_indicator(n, WINDOWS[(n + pick) % len(WINDOWS)]) for n in chosen]
    return (
        f"template: {name}\nversion: {version}\neffective_from: {format_rfc3339(effective_from)}\n"
        f"timezone: {ZONES[zone]}\napplies_to: {ROLES[role]}\nindicators:\n"
        + "".join(f"  - {indicator}\n" for indicator in indicators)
    )
