"""Where names stand beside points of a picture: as near as they can, and never on one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

AWAY: Final = 16.0  # of a point's middle
WIDE: Final = 0x2E80  # from here on letters are as wide as high
_STEP: Final = 0.25  # of a line, by which a name is moved


class Point(NamedTuple):
    """What has a name."""

    id: str
    text: str
    x: float
    y: float


class Label(NamedTuple):
    """Where a name stands: left of its point when `end`, on the line `y`. `moved`: too far away to say whose it is."""

    id: str
    x: float
    y: float
    end: bool
    moved: bool


class _Box(NamedTuple):
    left: float
    right: float
    middle: float

    def meets(self, other: _Box, high: float) -> bool:
        return self.left < other.right and other.left < self.right and abs(self.middle - other.middle) < high


def placed(points: Iterable[Point], size: float, left: float, right: float, top: float, bottom: float) -> list[Label]:
    """Names in letters of a size, between the edges of the picture. The same points have the same places.

    Right of its point where there is room, else left of it; where another name stands, the next free line up or down.
    """
    found: list[Label] = []
    taken: list[_Box] = []
    for point in sorted(points, key=lambda point: (point.y, point.x, point.id)):
        label, box = _free(point, _sides(point, size, left, right), taken, size, top, bottom)
        taken.append(box)
        found.append(label)
    return found


def by_id(labels: Iterable[Label]) -> Mapping[str, Label]:
    """To look them up."""
    return {label.id: label for label in labels}


def _sides(point: Point, size: float, left: float, right: float) -> Sequence[tuple[float, float, bool]]:
    width = sum(size if ord(letter) >= WIDE else size * 0.66 for letter in point.text)
    beside = (point.x + AWAY, point.x + AWAY + width, False)
    before = (point.x - AWAY - width, point.x - AWAY, True)
    return [side for side in (beside, before) if left <= side[0] and side[1] <= right] or [beside]


def _free(
    point: Point, sides: Sequence[tuple[float, float, bool]], taken: Sequence[_Box], size: float, top: float,
    bottom: float,
) -> tuple[Label, _Box]:  # fmt: skip
    high = size * 1.1
    steps = range(int((bottom - top) / (high * _STEP)) + 1)
    for move in (way * count * _STEP * high for count in steps for way in ((1, -1) if count else (1,))):
        middle = point.y + move
        if not top + size / 2 <= middle <= bottom - size / 2:
            continue
        for start, stop, end in sides:
            box = _Box(start, stop, middle)
            if not any(box.meets(other, high) for other in taken):
                return _label(point, box, end, size), box
    start, stop, end = sides[0]  # more names than the picture has lines
    box = _Box(start, stop, point.y)
    return _label(point, box, end, size), box


def _label(point: Point, box: _Box, end: bool, size: float) -> Label:
    x = box.right if end else box.left
    return Label(point.id, round(x, 1), round(box.middle + size / 3, 1), end, abs(box.middle - point.y) > size / 2)
