"""Limits of the charts: published ones, and what they promise of samples, counted exactly."""

from __future__ import annotations

import csv
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.charts import ACT, WARN, funnel, p_chart
from tests.importers.real_data import data_path

BOOK = 30  # samples from which the book sets its limits


def test_the_published_chart_of_orange_juice_cans() -> None:
    """Montgomery: mean 0.2313, limits 0.0524 and 0.4102; the samples 15 and 23 lie outside."""
    with data_path("orangejuice.tsv").open(encoding="utf-8", newline="") as file:
        samples = [(int(row["D"]), int(row["size"])) for row in csv.DictReader(file, delimiter="\t")][:BOOK]
    share = sum(bad for bad, _ in samples) / sum(size for _, size in samples)
    limits = [p_chart(share, size) for _, size in samples]
    assert (0.2313, 0.0524, 0.4102) == (round(share, 4), round(limits[0].low, 4), round(limits[0].high, 4))
    outside = [
        number
        for number, ((bad, size), limit) in enumerate(zip(samples, limits, strict=True), 1)
        if not limit.low <= bad / size <= limit.high
    ]
    assert [15, 23] == outside


@pytest.mark.parametrize(
    ("bad", "samples", "share", "low", "high", "within"),
    [
        (347, 30, 0.2313, 0.0524, 0.4102, range(3, 21)),  # of all samples
        (301, 28, 0.2150, 0.0407, 0.3893, range(3, 20)),  # without the two that lie outside
    ],
)
def test_the_published_limits_by_the_samples_sums(
    bad: int, samples: int, share: float, low: float, high: float, within: range
) -> None:
    """Montgomery's limits follow from how many cans were bad in all: samples of 50, wherever this runs.

    347 of 1,500 is the one whole number of cans that is 0.2313; `within`: of 50, what is no signal.
    """
    mean = bad / (samples * 50)
    limits = p_chart(mean, 50)
    assert (share, low, high) == (round(mean, 4), round(limits.low, 4), round(limits.high, 4))
    assert list(within) == [count for count in range(51) if limits.low <= count / 50 <= limits.high]


def test_a_chart_stays_within_all_and_nothing() -> None:
    """Small samples reach below 0 % and beyond 100 %, their limits do not."""
    assert p_chart(0.01, 10).low == 0
    assert p_chart(0.99, 10).high == 1


def _chances(share: float, n: int) -> list[float]:
    return [comb(n, count) * share**count * (1 - share) ** (n - count) for count in range(n + 1)]


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.integers(1, 400), st.sampled_from((WARN, ACT)))
def test_no_more_samples_lie_outside_than_promised(share: float, n: int, level: float) -> None:
    """On either side; and with limits one count closer it would be more."""
    limits, chances, tail = funnel(share, n, level), _chances(share, n), (1 - level) / 2
    assert 0 <= limits.low <= share <= limits.high <= 1 or n * share < 1 or n * (1 - share) < 1
    below = sum(chance for count, chance in enumerate(chances) if count / n < limits.low - 1e-12)
    above = sum(chance for count, chance in enumerate(chances) if count / n > limits.high + 1e-12)
    assert max(below, above) <= tail * (1 + 1e-9)
    closer = sum(chance for count, chance in enumerate(chances) if count / n < limits.low + 1 / n - 1e-12)
    assert closer >= tail * (1 - 1e-9) or limits.low == 0


@pytest.mark.parametrize("n", [1_000_000, 10_000_000])
def test_a_large_sample_is_no_longer_sum(n: int) -> None:
    """Close to the normal curve: 1.96 standard deviations."""
    limits = funnel(0.95, n, WARN)
    assert pytest.approx(1.959964, rel=5e-3) == (0.95 - limits.low) / (0.95 * 0.05 / n) ** 0.5
    assert pytest.approx(1.959964, rel=5e-3) == (limits.high - 0.95) / (0.95 * 0.05 / n) ** 0.5


def test_the_two_limits_of_a_funnel_lie_inside_each_other() -> None:
    """Who is beyond the second is beyond the first."""
    warn, act = funnel(0.95, 400, WARN), funnel(0.95, 400, ACT)
    assert act.low < warn.low < 0.95 < warn.high < act.high
    assert (0.9263, 0.9094) == (round(warn.low, 4), round(act.low, 4))
