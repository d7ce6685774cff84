"""The rules of the soak: three templates whose versions follow each other while events flow."""

from __future__ import annotations

from typing import Final

from schemas.instants import format_rfc3339

ROLES: Final = {"line": "[operator]", "sales": "[seller]", "training": "[trainee, operator]"}
_WINDOWS: Final = (
    "[rolling 1m, rolling 60m, day, all]",
    "[rolling 5m, rolling 240m, week, month]",
    "[rolling 2m, day, rolling 10080m, year]",
)
_ZONES: Final = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
_RATE: Final = "value: accepted / inspected, rate: {good: accepted, of: inspected}"
_INDICATORS: Final = {
    "line": (
        f"{{id: semi_yield, from: qc.inspection, where: {{stage: semi}}, {_RATE}, target: 0.95, weight: 0.6,"
        ' points: "100 * min(value / target, 1.2)", min_sample: 30, alerts: default, windows: %s}',
        f"{{id: yield, from: qc.inspection, {_RATE}, target: 0.9, windows: %s, alerts: ["
        "{id: low, window: FIRST, below: 0.9, confidence: 0.8}, {drift: {good: 0.9, bad: 0.7, h: 4}}, "
        "{ewma: {lambda: 0.2, L: 2}, severity: info}]}",
        "{id: first_pass, from: qc.inspection, where: {stage: [semi, final], product: [P1, P2]}, dimension: ability,"
        " value: accepted - reworked, target: 500, weight: 2, windows: %s}",
    ),
    "sales": (
        '{id: quota, from: business.sale, value: amount / target("quota"), target: 1, windows: %s, '
        "alerts: [{id: behind, window: FIRST, below: 0.5, for: 1m}]}",
        "{id: calls, from: business.sale, value: calls, target: 20, dimension: attitude, windows: %s}",
    ),
    "training": (f"{{id: practice, from: qc.inspection, where: {{line: L02}}, {_RATE}, target: 0.8, windows: %s}}",),
}


def _windowed(indicator: str, windows: str) -> str:
    """An indicator with its windows; rules look at the first."""
    return (indicator % windows).replace("FIRST", windows.strip("[]").partition(",")[0])


def template(name: str, version: int, effective_from: int) -> str:
    """The YAML of a version in force from an instant (ms)."""
    indicators = [
        _windowed(indicator, _WINDOWS[(place + version) % len(_WINDOWS)])
        for place, indicator in enumerate(_INDICATORS[name])
    ]
    return (
        f"template: {name}\nversion: {version}\neffective_from: {format_rfc3339(effective_from)}\n"
        f"timezone: {_ZONES[version % len(_ZONES)]}\napplies_to: {{roles: {ROLES[name]}}}\nindicators:\n"
        + "".join(f"  - {indicator}\n" for indicator in indicators)
    )
