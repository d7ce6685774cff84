"""From raised alerts to figures: how often somebody is alerted for nothing, and how soon for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from statistics import median

from stream.interval import wilson
from tests.quality.shifts import UNITS, Raised


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many shifts, in how many; with the 95 % Wilson interval of the simulation itself."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.hits / self.of

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.of) or (0.0, 1.0)
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"


@dataclass(frozen=True, slots=True)
class Caught:
    """A change that rules had to find: alerts before it are false, those shifts are left out of what follows."""

    before: Share
    missed: Share
    median: float  # units after the change; a shift in which it is missed counts as a delay without end
    ninetieth: float


def alerted(raised: Raised, ids: tuple[str, ...], until: int = UNITS) -> Share:
    """The share of shifts with an alert within so many units."""
    firsts = raised.firsts(ids)
    return Share(sum(unit is not None and unit <= until for unit in firsts), len(firsts))


def caught(raised: Raised, ids: tuple[str, ...], change: int) -> Caught:
    """How a change after so many units is found."""
    firsts = [unit for unit in raised.firsts(ids) if unit is None or unit > change]
    delays = sorted(inf if unit is None else unit - change for unit in firsts)
    before = Share(len(raised.shifts) - len(delays), len(raised.shifts))
    if not delays:
        return Caught(before, Share(0, 1), inf, inf)
    return Caught(before, Share(delays.count(inf), len(delays)), median(delays), delays[ceil(0.9 * len(delays)) - 1])


def units(number: float) -> str:
    """A delay as it is printed."""
    return "never" if number == inf else f"{number:.0f}"


def percent(share: float) -> str:
    """A share as people say it."""
    return f"{100 * share:.0f} %"
