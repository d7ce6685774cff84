"""Trends are the same numbers whether a rate names measures or computes with them."""

from __future__ import annotations

from random import Random

import pytest

from schemas.instants import MINUTE
from stream.person import Person
from stream.rulebook import Rulebook
from stream.state import State
from stream.template import load_published
from stream.update import POINTS, rate_trends
from tests.oracle.logs import NOON, template

NAME = "op/yield/rolling {}m"


def _trend(minutes: int, good: str, of: str, panes: dict[int, list[int]]) -> list[tuple[int, float, float]]:
    indicator = (
        f"{{id: yield, from: qc.inspection, value: accepted / inspected, rate: {{good: {good}, of: {of}}}, "
        f"windows: [rolling {minutes}m]}}"
    )
    rules = Rulebook([load_published(template(indicator))])
    (version,) = rules.versions["op"]
    person = Person("E1", State(), rules)
    segment = person.segment(version, "L1")
    names = version.groups[0].names
    order = [names.index("inspected"), names.index("accepted")]
    for number, (inspected, accepted) in panes.items():
        vector = [1, 0, 0]
        vector[1 + order[0]], vector[1 + order[1]] = inspected * 1_000_000, accepted * 1_000_000
        segment.groups[0].panes[0][number] = vector
    return rate_trends(version, [segment, segment], NOON)[NAME.format(minutes)]


@pytest.mark.parametrize("minutes", [5, 20, 60, 170])
def test_a_formula_of_the_same_value_gives_the_same_trend(minutes: int) -> None:
    """And both are the sums of whole panes in the window, those of all segments."""
    dice, last = Random(minutes), NOON // MINUTE
    panes = {
        last - age: [dice.randrange(1, 9), dice.randrange(9)] for age in range(minutes + 20) if dice.random() < 0.8
    }
    plain = _trend(minutes, "accepted", "inspected", panes)
    assert plain == _trend(minutes, "accepted + 0", "inspected * 1", panes)
    width = -(-minutes // POINTS)
    expected: dict[int, list[int]] = {}
    for number, (inspected, accepted) in panes.items():
        if last - minutes < number <= last:
            point = expected.setdefault(number // width * width * MINUTE, [0, 0])
            point[0], point[1] = point[0] + 2 * inspected, point[1] + 2 * accepted
    assert [(start, n, good) for start, (n, good) in sorted(expected.items())] == plain
    assert len(plain) <= POINTS + 1
