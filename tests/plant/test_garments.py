"""The derived numbers are those of the source, and drawing from them gives them back."""

from __future__ import annotations

import csv
from statistics import mean, stdev

import pytest

from agents.plant.garments import FINISHING, LEVELS, SEWING, Department, Spread
from tests.importers.real_data import data_path


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The source's team-days."""
    path = data_path("garments_worker_productivity.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def quantile(sorted_values: list[float], level: float) -> float:
    """The quantile between order statistics."""
    place = level * (len(sorted_values) - 1)
    low = int(place)
    high = min(low + 1, len(sorted_values) - 1)
    return sorted_values[low] + (sorted_values[high] - sorted_values[low]) * (place - low)


def spread(values: list[float]) -> Spread:
    """The summary of values, to the four digits that the plant states."""
    found = [round(quantile(sorted(values), level), 4) for level in LEVELS]
    return Spread(round(mean(values), 4), round(stdev(values), 4), tuple(found))


@pytest.mark.parametrize(("name", "department"), [("sewing", SEWING), ("finishing", FINISHING)])
def test_numbers_are_the_sources(rows: list[dict[str, str]], name: str, department: Department) -> None:
    """Means, deviations, quantiles and shares follow from the file."""
    chosen = [row for row in rows if row["department"].strip() == name]
    targeted = [float(row["targeted_productivity"]) for row in chosen]
    actual = [float(row["actual_productivity"]) for row in chosen]
    attainment = [made / wanted for made, wanted in zip(actual, targeted, strict=True)]
    assert department == Department(
        team_days=len(chosen),
        targeted=spread(targeted),
        actual=spread(actual),
        attainment=spread(attainment),
        standard_minutes=spread([float(row["smv"]) for row in chosen]),
        workers=spread([float(row["no_of_workers"]) for row in chosen]),
        reached=round(sum(a >= t for a, t in zip(actual, targeted, strict=True)) / len(chosen), 4),
        over_production=round(sum(a >= 1.05 * t for a, t in zip(actual, targeted, strict=True)) / len(chosen), 4),
    )


def test_quantiles_are_read_back_at_their_levels() -> None:
    """A known level gives its quantile, one between two gives the middle, the tails are flat."""
    assert tuple(SEWING.attainment.at(level) for level in LEVELS) == pytest.approx(SEWING.attainment.quantiles)
    assert pytest.approx((0.648 + 0.8167) / 2) == SEWING.attainment.at(0.075)
    assert (SEWING.attainment.at(0.0), SEWING.attainment.at(1.0)) == (0.648, 1.25)


def test_drawing_gives_a_similar_mean() -> None:
    """Evenly spread levels give a mean within 5 % of the source's, for both departments."""
    for department in (SEWING, FINISHING):
        drawn = mean(department.attainment.at((i + 0.5) / 1000) for i in range(1000))
        assert drawn == pytest.approx(department.attainment.mean, rel=0.05)
