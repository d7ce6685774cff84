"""Small pictures of a number, as points of an SVG: its trend with how sure it is, its interval beside the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from dashboards.web.course import Course

WIDTH, HEIGHT = 300.0, 60.0
LEAST: float = 0.1  # of a rate, from bottom to top: less would make noise look like news
_EDGE: float = 6.0  # so that dots lie inside


class Spark(NamedTuple):
    """A trend: `line` (a path), `band` (its 95 % interval as polygons), `goal` (a height), the last dot."""

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


def spark(course: Course, target: float | None) -> Spark | None:
    """None where fewer than two values are known."""
    values = course.values
    if len(values) < 2:
        return None
    bottom, top = _span([*values, *([] if target is None else [target])], LEAST)
    end = course.seconds[-1] or 1.0
    across, up = (WIDTH - 2 * _EDGE) / end, (HEIGHT - 2 * _EDGE) / (top - bottom)

    def y(value: float) -> float:
        return round(_EDGE + (top - min(top, max(bottom, value))) * up, 1)

    xs = [round(_EDGE + seconds * across, 1) for seconds in course.seconds]
    ys = [y(value) for value in values]
    line = "M" + "L".join(f"{x} {height}" for x, height in zip(xs, ys, strict=True))
    return Spark(line, tuple(_bands(course, xs, y)), None if target is None else y(target), xs[-1], ys[-1])


def _bands(course: Course, xs: Sequence[float], y: Callable[[float], float]) -> Iterator[str]:
    """A polygon for each run of values with an interval."""
    upper: list[str] = []
    lower: list[str] = []
    for x, low, high in zip((*xs, 0.0), (*course.low, None), (*course.high, None), strict=True):
        if low is not None and high is not None:
            upper.append(f"{x},{y(high)}")
            lower.append(f"{x},{y(low)}")
            continue
        if len(upper) > 1:
            yield " ".join(upper + lower[::-1])
        upper, lower = [], []


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
