"""A score is computed only where it can be: what is missing is left out and said, never counted as zero."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from agents.oracle.log import MICRO
from agents.oracle.template import DIMENSIONS, Indicator

Z = 1.959963984540054

Row = dict[str, object]


def indicator_fields(
    indicator: Indicator, events: int, sums: Mapping[str, int], targets: Mapping[str, float], allowance: int = 0
) -> Row:
    """The row fields of an indicator from the number of events, the exact sums and the allowance in the window.

    Sums and allowance are in millionths. Only an indicator with `case_mix` has the fields that tell of an allowance.
    """
    value, n, good = counts_of(indicator, events, sums, targets)
    status = _status(indicator, value, n)
    reached = {"value": value, "target": indicator.target}
    low, high = wilson(good, n)
    points = indicator.points.value(reached, targets) if status == "ok" else None
    return {
        "status": status, "value": value, "points": points,
        "n": _plain(n), "good": _plain(good), "low": low, "high": high,
        "sums": {measure: _units(amount) for measure, amount in sums.items()}, "sums_micro": dict(sums),
        **(_adjusted_fields(n, good, allowance) if indicator.case_mix else {}),
    }  # fmt: skip


class Counts(NamedTuple):
    """What an indicator says of sums; n and good are None without a rate, all where they cannot be computed."""

    value: float | None
    n: float | None
    good: float | None


NO_COUNTS = Counts(None, None, None)


def counts_of(indicator: Indicator, events: int, sums: Mapping[str, int], targets: Mapping[str, float]) -> Counts:
    """That of sums in millionths; without an event there is no value."""
    units: dict[str, float | None] = {measure: amount / MICRO for measure, amount in sums.items()}
    formulas = (indicator.value if events else None, indicator.of, indicator.good)
    return Counts(*(formula.value(units, targets) if formula else None for formula in formulas))


def _adjusted_fields(n: float | None, good: float | None, allowance: int) -> Row:
    share = None if n is None or good is None or n <= 0 else (good + allowance / MICRO) / n
    adjusted = None if share is None else min(max(share, 0.0), 1.0)
    return {"adjusted": adjusted, "allowance": _units(allowance), "allowance_micro": allowance}


def _status(indicator: Indicator, value: float | None, n: float | None) -> str:
    if value is None:
        return "no_data"
    # A denominator that cannot be computed shows no minimum; without a minimum none is asked for.
    enough = n >= indicator.min_sample if n is not None else not indicator.min_sample
    return "ok" if enough else "insufficient"


def total_fields(scored: Sequence[tuple[Indicator, Row]]) -> Iterator[tuple[str, Row]]:
    """(name, row fields) of the three dimensions' scores and the total over the indicators of one window."""
    for name in (*DIMENSIONS, "total"):
        score, any_points = _score([pair for pair in scored if name in (pair[0].dimension, "total")])
        fields: Row = {
            "status": "ok" if any_points else "no_data", "value": score, "points": score,
            "n": None, "good": None, "low": None, "high": None, "sums": {}, "sums_micro": {},
        }  # fmt: skip
        yield f"@{name}", fields


def _score(scored: Sequence[tuple[Indicator, Row]]) -> tuple[float | None, bool]:
    weighted = [(indicator.weight, points) for indicator, row in scored if isinstance(points := row["points"], float)]
    weight = sum(weight for weight, _ in weighted)
    score = sum(weight * points for weight, points in weighted) / weight if weight else None
    return (score if score is not None and math.isfinite(score) else None), bool(weighted)


def wilson(good: float | None, n: float | None, z: float = Z) -> tuple[float | None, float | None]:
    """The Wilson interval of `good` of `n`, at 95 %; (None, None) when n <= 0 or good is outside 0..n.

    scoring.md, Uncertainty: (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
    """
    if good is None or n is None or n <= 0 or not 0 <= good <= n:
        return None, None
    p, spread = good / n, z * z / n
    middle, half = p + spread / 2, z * math.sqrt(p * (1 - p) / n + spread / (4 * n))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)


def _units(amount: int) -> int | float:
    return amount // MICRO if amount % MICRO == 0 else amount / MICRO


def _plain(number: float | None) -> int | float | None:
    return int(number) if number is not None and number.is_integer() else number
