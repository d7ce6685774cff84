"""What a real factory looks like, in a few numbers: how much teams make of their target, how fast, how evenly.

Derived from "Productivity Prediction of Garment Employees" (UCI Machine Learning Repository no. 597, CC BY 4.0,
https://doi.org/10.24432/C51S6D): 1,197 team-days of a garment factory, January to March 2015, by department (names
trimmed). Only the numbers below were taken; quantiles are interpolated linearly between order statistics.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

LEVELS: Final = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


@dataclass(frozen=True, slots=True)
class Spread:
    """A quantity over team-days: mean, standard deviation (n - 1) and the quantiles at LEVELS."""

    mean: float
    sd: float
    quantiles: tuple[float, ...]

    def at(self, level: float) -> float:
        """The quantile at a level of 0..1, straight between the known ones and flat beyond them.

        With a uniform random level this draws from the distribution, without its outermost tenth.
        """
        if not LEVELS[0] < level < LEVELS[-1]:
            return self.quantiles[0] if level <= LEVELS[0] else self.quantiles[-1]
        right = bisect_right(LEVELS, level)
        share = (level - LEVELS[right - 1]) / (LEVELS[right] - LEVELS[right - 1])
        return self.quantiles[right - 1] + share * (self.quantiles[right] - self.quantiles[right - 1])


@dataclass(frozen=True, slots=True)
class Department:
    """One department's team-days.

    `targeted` and `actual` are productivities (1 = the standard minutes), `attainment` is actual / targeted per
    team-day, `standard_minutes` per garment, `workers` per team; `reached` and `over_production` are the shares of
    team-days that made at least 100 % and at least 105 % of their target.
    """

    team_days: int
    targeted: Spread
    actual: Spread
    attainment: Spread
    standard_minutes: Spread
    workers: Spread
    reached: float
    over_production: float


SEWING: Final = Department(
    team_days=691,
    targeted=Spread(0.7240, 0.1020, (0.5, 0.6, 0.7, 0.75, 0.8, 0.8, 0.8)),
    actual=Spread(0.7220, 0.1548, (0.3683, 0.5, 0.6615, 0.7506, 0.8004, 0.8506, 0.9454)),
    attainment=Spread(1.0039, 0.2904, (0.648, 0.8167, 1.0001, 1.0005, 1.0627, 1.1428, 1.25)),
    standard_minutes=Spread(23.2454, 6.9765, (11.41, 12.52, 18.79, 22.52, 28.08, 30.1, 30.33)),
    workers=Spread(52.4457, 9.4174, (32.0, 34.0, 52.0, 57.0, 58.0, 59.0, 59.0)),
    reached=0.8292,
    over_production=0.2634,
)
FINISHING: Final = Department(
    team_days=506,
    targeted=Spread(0.7374, 0.0915, (0.5, 0.65, 0.7, 0.75, 0.8, 0.8, 0.8)),
    actual=Spread(0.7530, 0.1970, (0.3432, 0.4441, 0.6316, 0.8059, 0.9064, 0.9668, 0.984)),
    attainment=Spread(1.0431, 0.3491, (0.4743, 0.6099, 0.8362, 1.0692, 1.2011, 1.341, 1.533)),
    standard_minutes=Spread(3.8870, 0.5941, (2.9, 2.9, 3.9, 3.94, 4.15, 4.6, 4.9975)),
    workers=Spread(10.2530, 4.0078, (8.0, 8.0, 8.0, 8.0, 11.75, 15.5, 20.0)),
    reached=0.5968,
    over_production=0.5217,
)
