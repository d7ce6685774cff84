"""The moving average of a value that is no rate, its numbers worked out by hand."""

import math
from typing import Any

import pytest

from tests.oracle.logs import MINUTE, NOON, published, template


@pytest.mark.parametrize("side", ["below", "above"])
def test_ewma_of_a_value_is_raised_beyond_its_limit_and_over_at_the_target(side: str) -> None:
    """E is 0.5, 6.75, 3.375 and 0 off; V = 0.25 * 16 = 4, then 5 and 5.25: limits 6, 6.71 and 6.87 off."""
    rule = f"[{{ewma: {{lambda: 0.5, L: 3, sigma: 4, side: {side}}}}}]"
    output = f"{{id: out, from: business.output, value: units, windows: [day], target: 100, alerts: {rule}}}"
    sign = 1 if side == "above" else -1
    log = published(template(output))
    for minute, off in enumerate((1, 13, 0, -3.375)):
        log.send(
            event_id=f"o{minute}", type="business.output", occurred_at=NOON + minute * MINUTE,
            measures={"units": 100 + sign * off},
        )  # fmt: skip
    (alert,) = log.recompute().alerts()
    assert (alert.raised_at, alert.cleared_at) == (NOON + MINUTE, NOON + 3 * MINUTE)
    assert (alert.value, alert.n, alert.good) == (100 + sign * 6.75, None, None)
    assert alert.threshold == 100 + sign * 3 * math.sqrt(5)
    assert (alert.first_event, alert.last_event, alert.window, alert.window_start) == ("o0", "o1", "", NOON)


def test_ewma_of_a_value_looks_at_records_that_have_one() -> None:
    """Nothing divided by nothing is no value, and a correction is no record of its own."""
    output = (
        "{id: pace, from: business.output, value: minutes / units, windows: [day], target: 0, "
        "alerts: [{ewma: {lambda: 0.5, L: 2, sigma: 1, side: above}}]}"
    )
    log = published(template(output))
    more: tuple[dict[str, Any], ...] = (
        {"measures": {"minutes": 9}},
        {"measures": {"minutes": 9, "units": 1}, "corrects": "o0"},
        {"measures": {"minutes": 3, "units": 2}},
        {"measures": {"minutes": 3, "units": 1}},
    )
    for minute, fields in enumerate(more):
        log.send(event_id=f"o{minute}", type="business.output", occurred_at=NOON + minute * MINUTE, **fields)
    (alert,) = log.recompute().alerts()
    assert (alert.value, alert.first_event, alert.last_event) == (0.5 * 3 + 0.5 * 0.75, "o2", "o3")
