"""Wilson's interval against published vectors, and nothing where there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.interval import wilson


@pytest.mark.parametrize(
    ("good", "n", "low", "high"),
    [(18, 20, 0.6990, 0.9721), (45, 50, 0.7864, 0.9565), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775)],
)
def test_published_vectors(good: float, n: float, low: float, high: float) -> None:
    """The 95 % vectors of the definitions, to four digits."""
    found = wilson(good, n)
    assert found is not None
    assert (low, high) == (round(found[0], 4), round(found[1], 4))


@pytest.mark.parametrize(("good", "n"), [(0, 0), (1, 0), (0, -1), (-1, 10), (11, 10), (1, 1e-320)])
def test_no_interval_without_a_rate(good: float, n: float) -> None:
    """None when n is not positive, good is outside 0..n, or doubles cannot tell."""
    assert None is wilson(good, n)


def test_no_interval_beyond_doubles() -> None:
    """A denominator so small that the formula overflows has no interval, not a NaN."""
    assert None is wilson(0, 1e-320)
    assert None is wilson(5e-161, 1e-160)


@settings(deadline=None)
@given(st.floats(1e-6, 1e15), st.floats(0, 1))
def test_the_interval_holds_the_rate(n: float, share: float) -> None:
    """low <= good / n <= high, all within 0..1."""
    good = min(n * share, n)
    found = wilson(good, n)
    assert found is not None
    low, high = found
    assert 0 <= low <= good / n + 1e-12
    assert good / n - 1e-12 <= high <= 1
    assert math.isfinite(low + high)
