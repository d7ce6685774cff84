"""The rules of the soak: three templates and their case mix, whose versions follow each other while events flow."""

from __future__ import annotations

import json
from random import Random
from typing import Final

from agents.transport.log import Log, Outgoing, partition_for
from schemas.instants import HOUR, format_rfc3339
from stream.topics import TEMPLATES
from tests.soak.evidence import whole

ROLES: Final = {"line": "[operator]", "sales": "[seller]", "training": "[trainee, operator]"}
_WINDOWS: Final = (
    "[rolling 1m, rolling 60m, shift, day, all]",
    "[rolling 5m, shift, rolling 240m, week, month]",
    "[shift, rolling 2m, day, rolling 10080m, year]",
)
_ZONES: Final = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
_RATE: Final = "value: accepted / inspected, rate: {good: accepted, of: inspected}"
_INDICATORS: Final = {
    "line": (
        f"{{id: semi_yield, from: qc.inspection, where: {{stage: semi}}, {_RATE}, target: 0.95, weight: 0.6,"
        ' case_mix: [product], points: "100 * min(value / target, 1.2)", min_sample: 30, alerts: default, windows: %s}',
        f"{{id: yield, from: qc.inspection, {_RATE}, target: 0.9, case_mix: [stage, product], windows: %s, alerts: ["
        "{id: low, window: FIRST, below: 0.9, confidence: 0.8}, {drift: {good: 0.9, bad: 0.7, h: 4}}, "
        "{ewma: {lambda: 0.2, L: 2}, severity: info}, {id: shift_low, naive: 0.88, window: shift}, "
        "{id: shift_wilson, below: 0.9, window: shift, severity: info}, {id: silent, stale: 2m, severity: info}]}",
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


def case_mix(log: Log, at: int) -> list[Outgoing]:
    """What kinds of work usually give from three seconds after `at` (ms) on; as it was said an hour before.

    Workers learn such models, too: the number is the next one, for of two of a number compaction leaves the last.
    """
    found = []
    partitions = log.topics()[TEMPLATES].partitions
    known = [row[2] or b"" for number in range(partitions) for row in whole(log, TEMPLATES, number)]
    for indicator, by in (("semi_yield", ["product"]), ("yield", ["stage", "product"])):
        own = f"case-mix:line/{indicator}@".encode()
        number = 1 + max((int(key[len(own) :]) for key in known if key.startswith(own)), default=0)
        dice = Random(f"{indicator}/{number}")
        kinds = [[f"P{product}"] for product in range(1, 5)]
        if len(by) > 1:
            kinds = [["semi"], *(["semi", *kind] for kind in kinds), ["final", "P1"]]
        key = f"case-mix:line/{indicator}@{number}".encode()
        value = {
            "template": "line", "indicator": indicator, "number": number, "effective_from": at + 3_000, "by": by,
            "base": 0.95,
            "cells": [{"dims": kind, "expected": round(dice.uniform(0.8, 0.99), 6)} for kind in kinds],
        }  # fmt: skip
        said = json.dumps(value).encode()
        found.append(Outgoing(TEMPLATES, partition_for(key, partitions), at + 3_000 - HOUR, key, said))
    return found


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
