"""The uncertainty of a rate: Wilson's score interval (Wilson 1927)."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Final

Z95: Final = 1.959963984540054


def wilson(good: float, n: float, z: float = Z95) -> tuple[float, float] | None:
    """Interval of p = good / n as (low, high) ratios; None when n <= 0, good is outside 0..n, or n is beyond doubles.

    `(p + z^2/2n +- z*sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`
    """
    if n <= 0 or not 0 <= good <= n:
        return None
    p = good / n
    square = z * z / n
    middle = p + square / 2
    spread = z * sqrt(p * (1 - p) / n + square / (4 * n))
    scale = 1 + square
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return (max(0.0, low), min(1.0, high)) if isfinite(low) and isfinite(high) else None
