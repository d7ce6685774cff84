"""What a model of case mix changes in the rules that look at entries, all numbers worked out by hand."""

import math
from typing import Any

import pytest

from agents.oracle import Alert
from tests.oracle.logs import DAY, MINUTE, NOON, Log, published, template

RATED = (
    "{{id: yield, from: qc.inspection, value: accepted / inspected, rate: {{good: accepted, of: inspected}}, "
    "target: {target}, windows: [day], case_mix: [stage, product], alerts: {alerts}}}"
)
GOOD, DEFECTIVE = (1, 1), (0, 1)
# Of all work 95 of 100 units are good. Good 0.95 and bad 0.85 are odds of 1/19 and 3/17: r = 57/17, ln(r) = 1.209838.
# 90: the odds are 1/19 * 0.10 * 0.95 / (0.90 * 0.05) = 1/9, p = 0.10, e = ln(0.90 + 0.335294) = 0.211309:
#     a defective unit adds 0.998529, a good one -0.211309.
# 99: the odds are 1/19 * 0.01 * 0.95 / (0.99 * 0.05) = 1/99, p = 0.01, e = ln(0.99 + 0.033529) = 0.023257:
#     a defective unit adds 1.186581, a good one -0.023257.
# 95: a defective unit adds 1.098612, a good one -0.111226.
HARDER, EASIER, USUAL = 0.90, 0.99, 0.95


def log_with(alerts: str, expected: float | None, target: float = 0.95) -> Log:
    """A log with a yield under these rules, and a model of work of stage semi; none without a share."""
    log = published(template(RATED.format(alerts=alerts, target=target)))
    if expected is not None:
        log.model(cells=[{"dims": ["semi"], "expected": expected}])
    return log


def inspect(log: Log, *pairs: tuple[int, int], start: int = NOON, **fields: Any) -> None:
    """Inspections of (accepted, inspected) units of stage semi, a minute apart; ids i0, i1, ..."""
    first = sum(record.topic == "qc-events" for record in log.records)
    for number, (accepted, units) in enumerate(pairs):
        measures = {"inspected": units, "accepted": accepted}
        content = {"occurred_at": start + number * MINUTE, "measures": measures, "dims": {"stage": "semi"}, **fields}
        log.send(event_id=f"i{first + number}", **content)


def alerts(log: Log) -> list[Alert]:
    """All alerts of the log."""
    return list(log.recompute().alerts())


def drift(h: float) -> str:
    """A drift rule from 0.95 to 0.85."""
    return f"[{{drift: {{good: 0.95, bad: 0.85, h: {h!r}}}}}]"


@pytest.mark.parametrize(
    ("expected", "below", "above"),
    [
        (HARDER, 5.9911, 5.9912),  # 6 * 0.998529 = 5.991173
        (EASIER, 7.1194, 7.1195),  # 6 * 1.186581 = 7.119486
        (USUAL, 6.5916, 6.5917),  # 6 * 1.098612 = 6.591674
        (None, 6.5916, 6.5917),
    ],
)
def test_defective_unit_weighs_by_what_its_work_usually_gives(
    expected: float | None, below: float, above: float
) -> None:
    """Six defective units reach what they weigh and no more; h stays what the rule says."""
    for h, raised in ((below, ["i5"]), (above, [])):
        log = log_with(drift(h), expected)
        inspect(log, *[DEFECTIVE] * 6)
        assert [alert.last_event for alert in alerts(log)] == raised


@pytest.mark.parametrize(
    ("expected", "good"),
    [
        (HARDER, 29),  # 5.991173 / 0.211309 = 28.35
        (EASIER, 307),  # 7.119486 / 0.023257 = 306.1
        (USUAL, 60),  # 6.591674 / 0.111226 = 59.3
    ],
)
def test_good_unit_weighs_by_what_its_work_usually_gives(expected: float, good: int) -> None:
    """In hard work good units lead back to 0 sooner."""
    log = log_with(drift(5.5), expected)
    inspect(log, *[DEFECTIVE] * 6, (good - 1, good - 1))
    assert [alert.cleared_at for alert in alerts(log)] == [None]
    inspect(log, GOOD, start=NOON + DAY)
    assert [alert.cleared_at for alert in alerts(log)] == [NOON + DAY]


def test_each_entry_weighs_by_its_own_kind_and_time() -> None:
    """2 * 0.998529 in hard work, 2 * 1.098612 before the model held and in work of no known kind: 4.194283."""
    for h, raised in ((4.1942, ["i3"]), (4.1943, [])):
        log = log_with(drift(h), None)
        log.model(effective_from=NOON + MINUTE)
        inspect(log, DEFECTIVE)
        inspect(log, DEFECTIVE, start=NOON + MINUTE, dims={})
        inspect(log, DEFECTIVE, DEFECTIVE, start=NOON + 2 * MINUTE)
        assert [alert.last_event for alert in alerts(log)] == raised


def test_alert_tells_units_as_counted() -> None:
    """The units of the episode, their share and the threshold are not adjusted."""
    log = log_with(drift(5.5), HARDER)
    inspect(log, (94, 100))  # 6 * 0.998529 = 5.991173
    (alert,) = alerts(log)
    assert (alert.value, alert.n, alert.good, alert.threshold) == (0.94, 100.0, 94.0, 0.95)


@pytest.mark.parametrize("expected", [USUAL, None])
def test_usual_work_weighs_exactly_as_without_a_model(expected: float | None) -> None:
    """To the last bit: four defective units reach four ln(p1/p0), which their weights as of any risk fall short of."""
    adds = math.log((1 - 0.9) / (1 - 0.98))
    log = log_with(f"[{{drift: {{good: 0.98, bad: 0.9, h: {adds + adds + adds + adds!r}}}}}]", expected)
    inspect(log, *[DEFECTIVE] * 4)
    assert [alert.last_event for alert in alerts(log)] == ["i3"]


@pytest.mark.parametrize(
    ("expected", "target", "defective"),
    [
        # p = 0.01, e = 0.023257; times 5.5 / h', h' = 5.5 - 0.8 * ln(5) = 4.212450: 1.549255 a unit; 3 are 4.647766.
        (EASIER, 0.95, 4),
        (USUAL, 0.95, 6),  # 5 * 1.098612 are 5.493061
        # Good 0.9 has the odds 1/9; in hard work 1/9 * 19/9 = 19/81, p = 0.19, e = ln(0.81 + 0.637059) = 0.369533:
        # 0.840305 a unit, h = 5.5 + ln(2) = 6.193147, h' = 5.5 + ln(3.8) = 6.835001; times h / h' 0.761394: 8 are 6.09,
        # 9 are 6.85. In usual work 7 are enough.
        (HARDER, 0.9, 9),
        (USUAL, 0.9, 7),
    ],
)
def test_default_weighs_as_drift_does(expected: float, target: float, defective: int) -> None:
    """What is good, and h, follow from the target alone."""
    log = log_with("default", expected, target)
    inspect(log, *[DEFECTIVE] * (defective - 1))
    assert alerts(log) == []
    inspect(log, DEFECTIVE, start=NOON + DAY)
    assert [(alert.rule, alert.last_event) for alert in alerts(log)] == [("default", f"i{defective - 1}")]


def test_default_takes_defective_units_among_adjusted_good_ones() -> None:
    """Seven of 17 in easy work, 10/8 good units between them and behind: 7 * 1.186581 - 7 * 0.029071 = 8.102570."""
    log = log_with("default", EASIER)
    inspect(log, (10, 17), (348, 348))  # 8.102570 / 0.023257 = 348.4
    assert [alert.cleared_at for alert in alerts(log)] == [None]
    inspect(log, GOOD, start=NOON + DAY)
    assert [alert.cleared_at for alert in alerts(log)] == [NOON + DAY]


@pytest.mark.parametrize(
    ("expected", "smooth"),
    [
        (HARDER, None),  # x = 7.5 / 10, E = 0.2 * 0.75 + 0.8 * 0.95 = 0.91
        (EASIER, 0.892),  # x = 6.6 / 10
        (USUAL, 0.9),  # x = 7 / 10
        (None, 0.9),
    ],
)
def test_ewma_looks_at_the_adjusted_share(expected: float | None, smooth: float | None) -> None:
    """The limit is 0.95 - 3 * sqrt(0.00019) = 0.908648; n and good stay as counted."""
    log = log_with("[{ewma: {lambda: 0.2, L: 3}}]", expected)
    inspect(log, (7, 10))
    found = alerts(log)
    assert [alert.value for alert in found] == ([] if smooth is None else [pytest.approx(smooth, rel=1e-12)])
    assert all((alert.n, alert.good) == (10.0, 7.0) for alert in found)


def test_ewma_does_not_stop_at_1() -> None:
    """E = 0.91 is low; ten good units of ten are 10.5 / 10: E = 0.938, then 0.9604, which is over."""
    log = log_with("[{ewma: {lambda: 0.2, L: 2}}]", HARDER)  # limit 0.922432
    inspect(log, (7, 10), (10, 10), (10, 10))
    assert [alert.cleared_at for alert in alerts(log)] == [NOON + 2 * MINUTE]


def test_level_rules_stay_with_what_was_counted() -> None:
    """9 of 10 lie below 0.93, though 9.5 do not."""
    log = log_with("[{naive: 0.93}]", HARDER)
    inspect(log, (9, 10))
    assert [alert.value for alert in alerts(log)] == [0.9]
