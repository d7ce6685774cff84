"""What a rule finds at an entry follows from that entry and those before it, in the order of their topic."""

import math
from collections.abc import Iterable, Iterator, Mapping
from statistics import NormalDist
from typing import NamedTuple

from agents.oracle.case_mix import CaseMix, Shares
from agents.oracle.log import MICRO, Event
from agents.oracle.person import Targets
from agents.oracle.rules import Drift, Ewma, Level, Naive, default_height
from agents.oracle.score import NO_COUNTS, Counts, counts_of, wilson
from agents.oracle.template import Indicator
from agents.oracle.window_sums import ShiftSums, WindowSums


class Entry(NamedTuple):
    """An event that counts for an indicator; `newest`: no earlier entry has a later T. `targets` are those as of T.

    `shares` are what its kind of work and all work usually give, None without a model; `allowance` is in millionths.
    """

    event: Event
    newest: bool
    targets: Mapping[str, float]
    shares: Shares | None
    allowance: int


class Finding(NamedTuple):
    """What an alert would say if it were raised now (`raises`), and whether an open one `is_over`."""

    event: Event
    raises: bool
    is_over: bool
    first: Event
    start: int
    value: float | None
    n: float | None
    good: float | None
    threshold: float


def entries_of(events: Iterable[Event], targets: Targets, case_mix: CaseMix) -> list[Entry]:
    """The entries of the events that count for one indicator, in log order."""
    entries: list[Entry] = []
    newest = -math.inf
    for event in sorted(events, key=lambda event: event.offset):
        shares, allowance = case_mix.shares(event), case_mix.allowance(event)
        entries.append(Entry(event, event.at >= newest, targets.at(event.at), shares, allowance))
        newest = max(newest, event.at)
    return entries


def of_level(
    indicator: Indicator, rule: Level | Naive, wait: int, entries: Iterable[Entry], sums: WindowSums | ShiftSums
) -> Iterator[Finding]:
    """A finding per newest entry: is the window's value low, surely enough, for long enough?"""
    holding, low = _Run(), _Run()
    for event, newest, targets, *_ in entries:
        if newest:
            sums.move(event.at)
        sums.add(event)
        if newest:
            counts = NO_COUNTS if sums.total is None else counts_of(indicator, 1, sums.total, targets)
            is_low = counts.value is not None and counts.value < rule.below
            holds, is_over = (is_low, not is_low) if isinstance(rule, Naive) else _judged(indicator, rule, counts)
            raises = holding.long_enough(event, holds, wait)
            yield Finding(event, raises, is_over, low.first(event, is_low) or event, sums.start, *counts, rule.below)


def of_ewma(indicator: Indicator, rule: Ewma, wait: int, entries: Iterable[Entry]) -> Iterator[Finding]:
    """A finding per newest entry that can be averaged: does the average lie beyond its limit?"""
    target = indicator.target
    if target is None or (rule.sigma is None and not 0 < target < 1):
        return  # of a target that is no share there is no share defective; of 0 and 1 no limit, as nothing varies
    holding, astray = _Run(), _Run()
    smooth, variance = target, 0.0
    for entry in entries:
        sample = _sample(indicator, rule, target, entry) if entry.newest else None
        if sample is None:
            continue
        smooth = rule.weight * sample.x + (1 - rule.weight) * smooth
        variance = sample.adds + (1 - rule.weight) ** 2 * variance
        width = rule.width * math.sqrt(variance)
        limit = target + width if rule.rising else target - width
        is_astray = smooth > target if rule.rising else smooth < target
        first = astray.first(entry.event, is_astray) or entry.event
        raises = holding.long_enough(entry.event, smooth > limit if rule.rising else smooth < limit, wait)
        yield Finding(entry.event, raises, not is_astray, first, first.at, smooth, sample.n, sample.good, limit)


class _Sample(NamedTuple):
    """What an entry brings to an average: its value, by how much the average varies more, and a rate's units."""

    x: float
    adds: float
    n: float | None
    good: float | None


def _sample(indicator: Indicator, rule: Ewma, target: float, entry: Entry) -> _Sample | None:
    if rule.sigma is not None:
        value = None if entry.event.corrects is not None else _by_itself(indicator, entry).value
        return None if value is None else _Sample(value, rule.weight**2 * rule.sigma**2, None, None)
    counted = _own_units(indicator, entry)
    if counted is None:
        return None
    n, good = counted
    share = (good + entry.allowance / MICRO) / n  # adjusted to the kind of work
    return _Sample(share, rule.weight**2 * target * (1 - target) / n, n, good)


def of_drift(indicator: Indicator, rule: Drift, wait: int, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Two findings per entry that has units: how high is the sum after its defective ones, and is it 0 after all?"""
    if 1 - rule.bad >= 1:
        return  # a share too small to be told from none in doubles: no unit is good then
    height = units = goods = 0.0
    first: Event | None = None
    for entry in entries:
        counted = _own_units(indicator, entry)
        if counted is None:
            continue
        n, good = counted
        event = entry.event
        if first is None or height == 0:  # then this is the entry that lifts it, if any unit is defective
            first, units, goods = event, 0.0, 0.0
        units, goods = units + n, goods + good
        high, height = _climb(rule, height, n - good, good, *_adds(rule, entry.shares))
        found = Finding(event, False, False, first, first.at, goods / units, units, goods, rule.good)
        yield found._replace(raises=high >= rule.h and (not wait or event.at - first.at >= wait))
        yield found._replace(is_over=height == 0)


def _adds(rule: Drift, shares: Shares | None) -> tuple[float, float]:
    """What a defective unit and a good one add to the sum of a drift rule.

    In work that is harder or easier than all of it a unit has a risk of its own; both weigh as Steiner, Cook, Farewell
    and Treasure (2000) have it, so that the odds of a defect are told apart by the same ratio; with `default` in
    proportion to the height that it would have at such a risk.
    """
    p0, p1 = 1 - rule.good, 1 - rule.bad
    if shares is None or shares.expected == shares.base:
        return math.log(p1 / p0), math.log((1 - p1) / (1 - p0))
    expected, base = shares.expected / MICRO, shares.base / MICRO
    odds = p0 / (1 - p0) * (1 - expected) * base / (expected * (1 - base))
    p, ratio = odds / (1 + odds), p1 * (1 - p0) / (p0 * (1 - p1))
    evened = math.log(1 - p + ratio * p)
    scale = rule.h / default_height(p) if rule.evenly else 1.0
    return scale * (math.log(ratio) - evened), scale * -evened


def _climb(
    rule: Drift, height: float, defective: float, good: float, defective_adds: float, good_adds: float
) -> tuple[float, float]:
    """(how high the sum comes within an entry, where it is after it)."""
    parts = min(100, math.ceil(defective)) if rule.evenly else 1
    if parts == 0:
        return height, max(0.0, height + good * good_adds)
    before = good / (parts + 1) if rule.evenly else 0.0  # good units before each part of the defective ones
    behind = before if rule.evenly else good
    high = 0.0
    for _ in range(parts):
        height = min(max(0.0, height + before * good_adds) + defective / parts * defective_adds, 2 * rule.h)
        high = max(high, height)
    return high, max(0.0, height + behind * good_adds)


def _own_units(indicator: Indicator, entry: Entry) -> tuple[float, float] | None:
    """(n, good) of a plain entry by itself; None where they are no number of units with a part of them good."""
    if entry.event.corrects is not None:
        return None
    _, n, good = _by_itself(indicator, entry)
    return (n, good) if n is not None and good is not None and 0 <= good <= n and n > 0 else None


def _by_itself(indicator: Indicator, entry: Entry) -> Counts:
    """What the indicator says of an entry's own measures."""
    own = dict(entry.event.measures)
    sums = {measure: own.get(measure, 0) for measure in indicator.measures}
    return counts_of(indicator, 1, sums, entry.targets)


def _judged(indicator: Indicator, rule: Level, counts: Counts) -> tuple[bool, bool]:
    """(it holds, it is over) of the value and the units in the window."""
    value, n, good = counts
    # As in rows: an n that cannot be computed shows no minimum; without a minimum none is asked for.
    enough = n >= indicator.min_sample if n is not None else not indicator.min_sample
    if value is None or not enough:
        return False, True
    bound = value if rule.confidence is None else wilson(good, n, NormalDist().inv_cdf(rule.confidence))[1]
    return bound is not None and bound < rule.below, value >= rule.clear_above


class _Run:
    """The first of the unbroken run of entries at which something was so."""

    def __init__(self) -> None:
        self._first: Event | None = None

    def first(self, event: Event, is_so: bool) -> Event | None:
        """That of the run up to this entry; None when it ends the run."""
        self._first = (self._first or event) if is_so else None
        return self._first

    def long_enough(self, event: Event, is_so: bool, wait: int) -> bool:
        """Whether the run goes on at this entry and has lasted for `wait` ms."""
        first = self.first(event, is_so)
        return first is not None and event.at - first.at >= wait
