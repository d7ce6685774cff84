"""People who make easy and hard products, as they come: the default rules by what is counted, and by what is expected.

The model is learned, not given: from as many simulated units of a month, by the product's own fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from stream.mix_fit import Kind, Seen, fit
from stream.rulebook import Rulebook
from tests.quality.figures import Caught, Share, alerted, caught
from tests.quality.rules import DEFAULT, adjusted_rules, default_rules
from tests.quality.shifts import SEED, UNITS, Chances, Counts, simulate

PRODUCTS: Final = {"easy": (0.99, 0.4), "usual": (0.95, 0.4), "hard": (0.87, 0.2)}  # share of good units, of all work
RUN: Final = 50  # units until something else is made
CHANGE: Final = 200  # units
WORSE: Final = 4.75  # times the odds of a defect: from 95 to 80 %
LEARNED_FROM: Final = 50_000  # units
_EVERYTHING: Final = tuple(range(len(PRODUCTS)))
_SHARES: Final = np.array([share for share, _ in PRODUCTS.values()])
_OFTEN: Final = np.array([often for _, often in PRODUCTS.values()])


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of shift: what is made in it, and whether it gets worse after half of it."""

    name: str
    products: tuple[int, ...]
    worse: bool


CASES: Final = (
    Case("all products, nothing wrong", _EVERYTHING, False),
    Case("hard ones only, nothing wrong", (2,), False),
    Case("easy ones only, nothing wrong", (0,), False),
    Case("all products, odds of a defect times 4.75", _EVERYTHING, True),
    Case("hard ones only, odds of a defect times 4.75", (2,), True),
    Case("easy ones only, odds of a defect times 4.75", (0,), True),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One case in records of so many units: what the rules say by what was counted, and by what was expected."""

    case: Case
    record: int
    counted: Share | Caught
    expected: Share | Caught


def compare(case: Case, record: int, shifts: int, counted: int, number: int) -> Compared:
    """Both rules over the same work, by what was counted over its first shifts; `number` tells one simulation apart."""
    accepted, made = mixed_work(case, record, shifts, number)

    def said(rules: Rulebook, shifts: int) -> Share | Caught:
        raised = simulate(rules, accepted[:shifts], record, made[:shifts])
        return caught(raised, DEFAULT.ids, CHANGE) if case.worse else alerted(raised, DEFAULT.ids)

    return Compared(case, record, said(default_rules(0.95), counted), said(learned(), shifts))


def mixed_work(case: Case, record: int, shifts: int, number: int) -> tuple[Counts, Counts]:
    """Accepted units of each record, and the number of the product that it is of."""
    dice = np.random.default_rng((SEED, number))
    products = _products(dice, case, shifts)
    good = dice.random(products.shape) < _chances(case, products)
    accepted: Counts = good.reshape(shifts, -1, record).sum(axis=2)
    return accepted, products[:, ::record]


def learned() -> Rulebook:
    """The rules with what a month of work as usual teaches."""
    dice = np.random.default_rng((SEED, 0))
    kinds: dict[Kind, Seen] = {}
    for number, (share, often) in enumerate(zip(_SHARES, _OFTEN, strict=True)):
        n = round(LEARNED_FROM * often)
        kinds[f"P{number}",] = Seen(n, int(dice.binomial(n, share)), 20)
    found = fit(Seen(sum(s.n for s in kinds.values()), sum(s.good for s in kinds.values())), kinds, 1)
    return adjusted_rules(found.base, {kind[0]: share for kind, share in found.expected.items()})


def _products(dice: np.random.Generator, case: Case, shifts: int) -> Counts:
    often = _OFTEN[list(case.products)]
    runs = dice.choice(case.products, size=(shifts, UNITS // RUN), p=often / often.sum())
    products: Counts = runs.repeat(RUN, axis=1)
    return products


def _chances(case: Case, products: Counts) -> Chances:
    odds = _SHARES[products] / (1 - _SHARES[products])
    if case.worse:
        odds[:, CHANGE:] /= WORSE
    chances: Chances = odds / (1 + odds)
    return chances
