"""A unit's people in a funnel: who really differs, and whose few units leave it open. Limits, not ranks.

Points are people, across their units inspected, up their share of good ones; where kinds of work differ, the share is
the adjusted one. Between the limits chance alone explains what is seen: exact binomial, 95 and 99.9 % (stream/charts,
Spiegelhalter 2005). People stand in the list by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Final, NamedTuple

from dashboards.web.catalogue import Catalogue
from dashboards.web.reading import facts_of
from dashboards.web.updates import Row
from schemas.rows import NO_DATA
from stream.charts import ACT, WARN, funnel

LEFT, RIGHT, TOP, BOTTOM = 80.0, 980.0, 20.0, 500.0
_STEPS: Final = 90  # points of a limit's line
_TICKS: Final = (1, 2, 5, 10, 20, 25, 50)
_SLIDING: Final = "rolling "


class Dot(NamedTuple):
    """One person. `mark`: inside | warn | act; `side`: above | below the unit's share. x and y are places."""

    id: str
    n: float
    share: float
    mark: str
    side: str
    x: float
    y: float

    @property
    def said(self) -> str:
        """The key of the words for where it lies."""
        return f"funnel.{self.mark}" if self.mark == "inside" else f"funnel.{self.mark}.{self.side}"


class Tick(NamedTuple):
    """A line of the grid: where, and what it stands for."""

    place: float
    value: float


class Chart(NamedTuple):
    """All that a page draws. `limits`: points of a line by name; `outside`: how many people lie beyond 95 %."""

    name: Mapping[str, str]
    window: str
    adjusted: bool
    share: float
    level: float  # where the unit's share lies
    limits: Mapping[str, str]
    dots: Sequence[Dot]
    across: Sequence[Tick]
    up: Sequence[Tick]
    outside: int


def choices(rows: Iterable[Row], catalogue: Catalogue) -> list[Row]:
    """The unit's rows that can be drawn: rates with units; calendar windows first, they hold more."""
    found = [row for row in rows if row.n and row.good is not None and facts_of(row, catalogue).is_rate]
    return sorted(found, key=lambda row: row.window.startswith(_SLIDING))


def chart(chosen: Row, people: Mapping[str, Sequence[Row]], catalogue: Catalogue) -> Chart | None:
    """Of the unit's row, and the rows of its people by id; None where nobody or nothing differs."""
    found = [(employee, row) for employee, rows in sorted(people.items()) for row in rows if _same(row, chosen)]
    allowed = any(isinstance(row.allowance, int | float) and row.allowance != 0 for _, row in found)
    adjusted = allowed and isinstance(chosen.adjusted, float) and 0 < chosen.adjusted < 1
    share = _share(chosen, adjusted)
    counted = [
        (employee, float(row.n), own) for employee, row in found if row.n and (own := _share(row, adjusted)) is not None
    ]
    if share is None or not 0 < share < 1 or not counted:
        return None
    most = max(n for _, n, _ in counted) * 1.05
    low = min(share, *(own for _, _, own in counted))
    top, bottom = 1.0, max(0.0, floor((low - 0.02) * 20) / 20)

    def x(n: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * n / most, 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (min(top, max(bottom, value)) - bottom) / (top - bottom), 1)

    dots = [Dot(who, n, own, _mark(share, n, own), _side(share, own), x(n), y(own)) for who, n, own in counted]
    sizes = sorted({max(1, round(most * step / _STEPS)) for step in range(1, _STEPS + 1)})
    lines = {
        f"{name}-{end}": " ".join(
            f"{x(n)},{y(at)}" for n in sizes if (at := getattr(funnel(share, n, level), end)) >= bottom
        )
        for name, level in (("warn", WARN), ("act", ACT))
        for end in ("low", "high")
    }
    return Chart(
        facts_of(chosen, catalogue).name, chosen.window, adjusted, share, y(share), lines, dots,
        [Tick(x(n), n) for n in _ticks(most)], [Tick(y(value), value) for value in _shares(bottom)],
        sum(dot.mark != "inside" for dot in dots),
    )  # fmt: skip


def _share(row: Row, adjusted: bool) -> float | None:
    """Of good units; the adjusted one, unless what is allowed for makes up for everything."""
    if adjusted and isinstance(row.adjusted, float):
        return row.adjusted
    return None if not row.n or row.good is None else row.good / row.n


def _same(row: Row, chosen: Row) -> bool:
    """The same number of somebody else: of a calendar window it must be the same one."""
    same = (row.template, row.version, row.indicator, row.window) == (
        chosen.template, chosen.version, chosen.indicator, chosen.window,
    )  # fmt: skip
    sliding = chosen.window.startswith(_SLIDING)
    return same and row.status != NO_DATA and (sliding or row.window_start == chosen.window_start)


def _mark(share: float, n: float, own: float) -> str:
    for name, level in (("act", ACT), ("warn", WARN)):
        band = funnel(share, max(1, round(n)), level)
        if not band.low <= own <= band.high:
            return name
    return "inside"


def _side(share: float, own: float) -> str:
    return "above" if own >= share else "below"


def _ticks(most: float) -> list[float]:
    """Some five round numbers of units."""
    scale = 10 ** max(0, len(str(int(most))) - 2)
    step = next((step * scale for step in _TICKS if most / (step * scale) <= 6), 100 * scale)
    return [float(number) for number in range(0, ceil(most), step)]


def _shares(bottom: float) -> list[float]:
    """Some five shares up to 1."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (1 - bottom) / step <= 6 or step == 0.2)
    return [round(1 - count * step, 2) for count in range(int((1 - bottom + 1e-9) / step) + 1)]
