"""Small pictures of a number, as points of an SVG: its trend with how sure it is, its interval beside the target."""

from __future__ import annotations

from typing import NamedTuple

from dashboards.web.reading import Band, Trend

WIDTH, HEIGHT = 300.0, 60.0
LEAST: float = 0.1  # of a rate, from bottom to top: less would make noise look like news
_EDGE: float = 6.0  # so that dots lie inside


class Spark(NamedTuple):
    """A trend: `line` (a path with gaps), `band` (its 95 % interval as polygons), `goal` (a height), the last dot."""

    line: str
    band: tuple[str, ...]
    goal: float | None
    x: float
    y: float


class Whisker(NamedTuple):
    """An interval, its value and the target, along 0 to 300."""

    low: float
    width: float
    value: float
    goal: float | None


def spark(trend: Trend, band: Band, target: float | None) -> Spark | None:
    """None where fewer than two panes have a value."""
    known = [value for value in trend.values if value is not None]
    if len(known) < 2:
        return None
    bottom, top = _span([*known, *([] if target is None else [target])], LEAST)
    end = trend.seconds[-1] or 1.0

    def x(i: int) -> float:
        return round(_EDGE + trend.seconds[i] / end * (WIDTH - 2 * _EDGE), 1)

    def y(value: float) -> float:
        inside = min(1.0, max(0.0, (value - bottom) / (top - bottom)))
        return round(_EDGE + (1 - inside) * (HEIGHT - 2 * _EDGE), 1)

    runs: list[list[tuple[int, float, float, float]]] = [[]]
    for i, (value, low, high) in enumerate(zip(trend.values, band.low, band.high, strict=True)):
        if value is None or low is None or high is None:
            runs.append([])
        else:
            runs[-1].append((i, value, low, high))
    drawn = [run for run in runs if run]
    line = " ".join("M" + "L".join(f"{x(i)} {y(value)}" for i, value, _, _ in run) for run in drawn)
    bands = tuple(
        " ".join([f"{x(i)},{y(high)}" for i, _, _, high in run] + [f"{x(i)},{y(low)}" for i, _, low, _ in run[::-1]])
        for run in drawn
        if len(run) > 1
    )
    last = drawn[-1][-1]
    return Spark(line, bands, None if target is None else y(target), x(last[0]), y(last[1]))


def span(trend: Trend, begins: int, since: int, until: int) -> tuple[float, float] | None:
    """Where a time (ms) lies in the picture of a trend that begins at `begins`, and how wide it is; None: not in it."""
    width = 1000 * (trend.seconds[-1] or 1.0)
    low, high = max(0.0, (since - begins) / width), min(1.0, (until - begins) / width)
    if high <= 0 or low >= 1:
        return None
    left, right = (round(_EDGE + share * (WIDTH - 2 * _EDGE), 1) for share in (low, max(low, high)))
    return left, max(2.0, round(right - left, 1))


def whisker(value: float, low: float, high: float, target: float | None) -> Whisker:
    """Where they lie beside each other."""
    bottom, top = _span([low, high, value, *([] if target is None else [target])], LEAST)

    def x(number: float) -> float:
        return round(_EDGE + (number - bottom) / (top - bottom) * (WIDTH - 2 * _EDGE), 1)

    return Whisker(x(low), round(x(high) - x(low), 1), x(value), None if target is None else x(target))


def _span(numbers: list[float], least: float) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    room = max(high - low, least) * 1.1 - (high - low)
    return low - room / 2, high + room / 2
