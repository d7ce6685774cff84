"""How a version's sums become numbers: its formulas bound to the places of their measures, once per version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from schemas.measures import MICRO
from stream.formula_parser import Name
from stream.rulebook import Group, Version, measures_of
from stream.template import Indicator
from stream.window import Window

Evaluate = Callable[[Sequence[float], Mapping[str, float]], float | None]


class Formulas(Protocol):
    """What an indicator computes from sums: its value and, of a rate, n and good."""

    @property
    def value(self) -> Evaluate: ...
    @property
    def good(self) -> Evaluate | None: ...
    @property
    def of(self) -> Evaluate | None: ...


class Counted(NamedTuple):
    """What an indicator says of sums; None where it cannot, n and good also without a rate."""

    value: float | None
    n: float | None
    good: float | None


def counted(formulas: Formulas, vector: Sequence[int], targets: Mapping[str, float]) -> Counted:
    """Of a vector of sums: how many events, then measures in millionths."""
    units = [micro / MICRO for micro in vector[1:]]
    value = formulas.value(units, targets) if vector[0] else None
    n = formulas.of(units, targets) if formulas.of else None
    return Counted(value, n, formulas.good(units, targets) if formulas.good else None)


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One sum of a version: a group in a window. Indicators that count the same events share it."""

    group: int
    window: Window
    place: int  # of its panes or its calendar window in the group's cells
    width: int  # of its vector


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One row to be: an indicator in a window."""

    indicator: Indicator
    window: Window
    slot: int
    value: Evaluate
    good: Evaluate | None
    of: Evaluate | None
    points: Evaluate | None
    shown: tuple[tuple[str, int], ...]  # (measure, its place in the vector)
    rate: tuple[int, int] | None  # the places of `of` and `good` where both are plain measures
    allowance: int  # its place in the vector; 0 where kinds of work make no difference


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The slots and rows of a version, and its windows in the order of first mention."""

    slots: tuple[Slot, ...]
    lines: tuple[Line, ...]
    windows: tuple[Window, ...]


@lru_cache(maxsize=4096)
def plan_of(version: Version) -> Plan:
    """The plan of a compiled version."""
    slots: list[Slot] = []
    places: dict[tuple[int, str], int] = {}
    lines: list[Line] = []
    windows: dict[str, Window] = {}
    for indicator, group in zip(version.template.indicators, version.group_of, strict=True):
        for window in indicator.windows:
            if (group, window.text) not in places:
                places[group, window.text] = len(slots)
                slots.append(_slot(version.groups[group], window))
            windows.setdefault(window.text, window)
            lines.append(_line(indicator, window, places[group, window.text], version.groups[group]))
    return Plan(tuple(slots), tuple(lines), tuple(windows.values()))


def _slot(group: Group, window: Window) -> Slot:
    grains = [grain for grain, _ in group.panes]
    place = grains.index(window.grain) if window.kind == "rolling" else group.calendars.index(window.kind)
    return Slot(group.index, window, place, 1 + len(group.names))


def _line(indicator: Indicator, window: Window, slot: int, group: Group) -> Line:
    names = group.names
    shown = tuple((name, names.index(name) + 1) for name in measures_of(indicator))
    return Line(
        indicator,
        window,
        slot,
        indicator.value.bind(names),
        indicator.rate_good.bind(names) if indicator.rate_good else None,
        indicator.rate_of.bind(names) if indicator.rate_of else None,
        _points(indicator),
        shown,
        _rate(indicator, names),
        group.allowance(indicator.id),
    )


def _rate(indicator: Indicator, names: tuple[str, ...]) -> tuple[int, int] | None:
    parts = [formula.tree for formula in (indicator.rate_of, indicator.rate_good) if formula is not None]
    places = [names.index(part.name) + 1 for part in parts if isinstance(part, Name)]
    return (places[0], places[1]) if len(places) == 2 else None


def _points(indicator: Indicator) -> Evaluate | None:
    """Points of (value, target); None when they can never be computed."""
    formula = indicator.points
    if formula is None or (indicator.target is None and "target" in formula.names):
        return None
    return formula.bind(("value", "target"))
