"""Drift of many people at once: the k-th record of everybody, then the next one (stream/cusum.py says what it does).

The same operations in the same order for each person, so the same doubles, to the last bit.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.cusum import CAP, MOST_STEPS
from stream.watch_plan import Drift
from stream.watched import NONE

Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]
FEWEST: Final = 24  # people with a k-th record, below which they are better looked at one by one


class Units(NamedTuple):
    """Of each record: units, good ones, and what a defective and a good one adds."""

    n: Doubles
    good: Doubles
    defective_adds: Doubles | float
    good_adds: Doubles | float


class Course(NamedTuple):
    """Where the statistic of each person came, and since when it is above 0 (a place of a record, NONE: before)."""

    statistic: Doubles
    n: Doubles
    good: Doubles
    lifted: Numbers
    alarmed: NDArray[np.bool_]  # it was so high that there is an alert, or nobody looked: one by one, then

    @property
    def result(self) -> tuple[Any, ...]:
        """What is remembered."""
        return self[:4]


class _Moves(NamedTuple):
    """Of each record: what its units do to a statistic, in parts."""

    n: Doubles
    good: Doubles
    whole: NDArray[np.bool_]  # good units alone
    partly: NDArray[np.bool_]  # some are defective
    parts: Numbers
    before: Doubles  # each part: this, not below 0,
    part: Doubles  # and then this, not above the cap;
    after: Doubles  # in the end this, not below 0

    def picked(self, places: Numbers) -> _Moves:
        """In another order."""
        return _Moves._make(column[places] for column in self)


def drifted(rule: Drift, units: Units, begins: Numbers, counts: Numbers, start: Doubles) -> Course:
    """People's records lie one after the other: `counts` from `begins` on. `start`: statistic, n and good of each."""
    order = np.argsort(-counts, kind="stable")
    most = counts[order]
    rounds = int(most[min(FEWEST, len(most)) - 1])  # beyond that only few have one more
    widths = np.searchsorted(-most, -np.arange(1, rounds + 1), "right").tolist()  # who has a k-th record
    first = begins[order]
    places = np.concatenate([first[:width] + number for number, width in enumerate(widths)])
    found = _rounds(rule, _moves(rule, units).picked(places), widths, start[:, order], places)
    found.alarmed[most > rounds] = True
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return Course._make(column[back] for column in found)


def _moves(rule: Drift, units: Units) -> _Moves:
    n, good, up, down = units
    defective = n - good
    whole, partly = (n == good) & (n > 0), (n > good) & (good >= 0)
    if rule.evenly:
        parts = np.where(partly, np.minimum(np.ceil(defective), MOST_STEPS), 0.0)
        after = good / (parts + 1) * down
        part = defective / np.maximum(parts, 1.0) * up
        before = after
    else:
        parts = partly.astype(np.float64)
        after, part, before = good * down, defective * up, np.zeros(len(n))
    looked = whole | partly
    after = np.where(looked, after, 0.0)
    return _Moves(n, good, whole, partly, parts.astype(np.int64), np.where(looked, before, 0.0), part, after)


def _rounds(rule: Drift, moves: _Moves, widths: list[int], start: Doubles, places: Numbers) -> Course:
    """A round for the first record of everybody, one for the second, ...: of ever fewer people."""
    statistic, units, accepted = start.copy()
    lifted = np.full(len(statistic), NONE, np.int64)
    alarmed = np.zeros(len(statistic), bool)
    begin = 0
    for width in widths:
        here = slice(begin, begin + width)
        begin += width
        now = _Moves._make(column[here] for column in moves)
        own = statistic[:width]
        low = own == 0.0
        rises = low & now.partly
        units[:width][rises] = 0.0
        accepted[:width][rises] = 0.0
        np.copyto(lifted[:width], places[here], where=rises)
        counts = now.partly | (now.whole & ~low)
        units[:width] += np.where(counts, now.n, 0.0)
        accepted[:width] += np.where(counts, now.good, 0.0)
        high, after = _moved(rule, own, now)
        alarmed[:width] |= counts & (high >= rule.h)
        statistic[:width] = after
    return Course(statistic, units, accepted, lifted, alarmed)


def _moved(rule: Drift, own: Doubles, now: _Moves) -> tuple[Doubles, Doubles]:
    """(the highest on the way, the statistic after) of each."""
    cap, most = CAP * rule.h, int(now.parts.max())
    high = np.where(now.partly, 0.0, own)
    for number in range(most):
        reached = np.minimum(np.maximum(own + now.before, 0.0) + now.part, cap)
        if number == 0:
            own = np.where(now.partly, reached, own)
            high = np.where(now.partly, reached, high)
        else:
            on = now.parts > number
            own = np.where(on, reached, own)
            high = np.where(on, np.maximum(high, reached), high)
    return high, np.maximum(own + now.after, 0.0)
