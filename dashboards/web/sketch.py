"""Small pictures of a number, as whole points of an SVG: its trend with how sure it is, its interval and the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from dashboards.web.course import Course

WIDTH: Final = 600
HEIGHT: Final = 120
LEAST: Final = 0.1  # of a rate, from bottom to top: less would make noise look like news
EDGE: Final = 12  # so that dots lie inside


class Spark(NamedTuple):
    """A trend: `line` (a path), `band` (its 95 % interval as polygons), `goal` (a height), the last dot."""

    line: str
    band: tuple[str, ...]
    goal: int | None
    x: int
    y: int


class Whisker(NamedTuple):
    """An interval, its value and the target, along 0 to WIDTH."""

    low: int
    width: int
    value: int
    goal: int | None


def spark(course: Course, target: float | None) -> Spark | None:
    """None where fewer than two values are known."""
    values = course.values
    if len(values) < 2:
        return None
    bottom, top = _span([*values, *([] if target is None else [target])], LEAST)
    end = course.seconds[-1] or 1.0
    across, up = (WIDTH - 2 * EDGE) / end, (HEIGHT - 2 * EDGE) / (top - bottom)

    def y(value: float) -> int:
        return round(EDGE + (top - value) * up) if bottom <= value <= top else EDGE if value > top else HEIGHT - EDGE

    xs = [round(EDGE + seconds * across) for seconds in course.seconds]
    ys = [round(EDGE + (top - value) * up) for value in values]
    line = "M" + "L".join([f"{x} {height}" for x, height in zip(xs, ys, strict=True)])
    return Spark(line, tuple(_bands(course, xs, y)), None if target is None else y(target), xs[-1], ys[-1])


def _bands(course: Course, xs: Sequence[int], y: Callable[[float], int]) -> Iterator[str]:
    """A polygon for each run of values with an interval."""
    upper: list[str] = []
    lower: list[str] = []
    for x, low, high in zip(xs, course.low, course.high, strict=True):
        if low is not None and high is not None:
            upper.append(f"{x},{y(high)}")
            lower.append(f"{x},{y(low)}")
        elif upper:
            yield from _polygon(upper, lower)
            upper, lower = [], []
    yield from _polygon(upper, lower)


def _polygon(upper: list[str], lower: list[str]) -> Iterator[str]:
    if len(upper) > 1:
        yield " ".join(upper + lower[::-1])


def span(course: Course, begins: int, since: int, until: int) -> tuple[int, int] | None:
    """Where a time lies in the picture of a course that begins at `begins` (all in ms), and how wide it is there.

    None where it is not in it.
    """
    width = 1000 * (course.seconds[-1] or 1.0)
    low, high = max(0.0, (since - begins) / width), min(1.0, (until - begins) / width)
    if high < 0 or low > 1:
        return None
    left, right = (round(EDGE + share * (WIDTH - 2 * EDGE)) for share in (low, max(low, high)))
    return left, max(4, right - left)


def whisker(value: float, low: float, high: float, target: float | None) -> Whisker:
    """Where they lie beside each other."""
    bottom, top = _span([low, high, value, *([] if target is None else [target])], LEAST)
    across = (WIDTH - 2 * EDGE) / (top - bottom)
    left, right, own = (round(EDGE + (number - bottom) * across) for number in (low, high, value))
    return Whisker(left, right - left, own, None if target is None else round(EDGE + (target - bottom) * across))


def _span(numbers: list[float], least: float) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    room = max(high - low, least) * 1.1 - (high - low)
    return low - room / 2, high + room / 2
