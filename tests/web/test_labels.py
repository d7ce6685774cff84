"""Names beside points: each is there once, within the picture, and none lies on another."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dashboards.web.labels import Label, Point, placed

SIZE = 18.0
EDGES = (80.0, 980.0, 0.0, 500.0)


def _place(*points: Point) -> list[Label]:
    return placed(points, SIZE, *EDGES)


def _meet(one: Label, other: Label, texts: dict[str, str]) -> bool:
    (a, b), (c, d) = (
        (label.x - wide, label.x) if label.end else (label.x, label.x + wide)
        for label, wide in ((label, 0.6 * SIZE * len(texts[label.id])) for label in (one, other))
    )
    return a < d and c < b and abs(one.y - other.y) < SIZE


def test_a_name_alone_stands_beside_its_point() -> None:
    """To the right of it; at the right edge to the left."""
    (near, edge) = _place(Point("E1", "E1", 300, 100), Point("E2", "E2", 970, 300))
    assert (316, 106, False, False) == near[1:]
    assert (954, 306, True, False) == edge[1:]


def test_two_names_at_one_place_stand_one_below_the_other() -> None:
    """As those of two people with nearly the same share of nearly as many units."""
    texts = {"E2202": "E2202", "E2205": "E2205"}
    one, other = _place(Point("E2202", "E2202", 900, 210), Point("E2205", "E2205", 905, 214))
    assert not _meet(one, other, texts)
    assert max(abs(one.y - 216), abs(other.y - 220)) < 3 * SIZE


POINTS = st.lists(st.tuples(st.floats(80, 980), st.floats(20, 500)), max_size=25)


@given(POINTS)
def test_no_name_lies_on_another(found: list[tuple[float, float]]) -> None:
    """Whatever the points; each name is there once, and the order of points is no matter."""
    points = [Point(f"E{n:04d}", f"E{n:04d}", x, y) for n, (x, y) in enumerate(found)]
    texts = {point.id: point.text for point in points}
    labels = _place(*points)
    assert sorted(texts) == sorted(label.id for label in labels)
    assert labels == _place(*reversed(points))
    assert not [pair for pair in combinations(labels, 2) if _meet(*pair, texts)]
    for label in labels:
        assert 0 <= label.y <= 500
