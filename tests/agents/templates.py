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
    f"{{id: a_yield, from: qc.inspection, where: {{stage: a}}, {RATE}, target: 0.95, weight: 0.6, windows: %s}}",
    f'{{id: yield, from: qc.inspection, {RATE}, target: 0.9, points: "100 * min(value / target, 1.2)", min_sample: 5, '
    "dimension: ability, windows: %s}",
    "{id: defects, from: qc.inspection, where: {stage: [a, b]}, value: inspected - accepted, target: 2, "
    "points: 100 * (target - value), weight: 3, windows: %s}",
    '{id: sales, from: business.sale, value: amount / target("quota"), target: 1, windows: %s}',
    "{id: calls, from: business.sale, where: {line: L2}, value: calls + 0.5 * amount, dimension: attitude, "
    "points: value - 1, weight: 0, windows: %s}",
    "{id: first_pass, from: qc.inspection, value: accepted - reworked, "
    "rate: {good: accepted - reworked, of: inspected - weight}, dimension: attitude, windows: %s}",
)


def template(name: str, version: int, effective_from: int, pick: int) -> str:
    """The YAML of a version; `pick` chooses everything else."""
    pick, role = divmod(pick, len(ROLES))
    pick, zone = divmod(pick, len(ZONES))
    pick, first = divmod(pick, len(INDICATORS))
    chosen = [first, *(n for n in range(len(INDICATORS)) if n != first and pick >> n & 1)]
    indicators = [INDICATORS[n] % WINDOWS[(n + pick) % len(WINDOWS)] for n in chosen]
    return (
        f"template: {name}\nversion: {version}\neffective_from: {format_rfc3339(effective_from)}\n"
        f"timezone: {ZONES[zone]}\napplies_to: {ROLES[role]}\nindicators:\n"
        + "".join(f"  - {indicator}\n" for indicator in indicators)
    )
