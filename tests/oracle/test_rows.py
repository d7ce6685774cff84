"""Rows, their numbers worked out by hand."""

from typing import Any

import pytest

from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MINUTE, NOON, YIELD, Log, published, template

FIELDS = [
    "employee_id", "template", "version", "indicator", "window", "window_start", "as_of", "status", "value", "points",
    "n", "good", "low", "high", "sums", "sums_micro",
]  # fmt: skip


def inspected(log: Log, *pairs: tuple[int, int], **fields: Any) -> None:
    """Inspections of (accepted, inspected) units, a minute apart, the first at NOON."""
    for at, (accepted, units) in enumerate(pairs):
        measures = {"inspected": units, "accepted": accepted}
        log.send(**{"event_id": f"i{at}", "occurred_at": NOON + at * MINUTE, "measures": measures, **fields})


def output(log: Log, *amounts: float, at: int = NOON) -> None:
    """Events of type business.output with `units`, a minute apart."""
    for number, amount in enumerate(amounts):
        log.send(
            event_id=f"o{number}", type="business.output", occurred_at=at + number * MINUTE, measures={"units": amount}
        )


def counting(value: str, *more: str) -> str:
    """An indicator over business.output with this value formula and further fields."""
    fields = ", ".join([f"id: out, from: business.output, value: '{value}', windows: [day]", *more])
    return f"{{{fields}}}"


def test_row_has_the_contracts_fields() -> None:
    """All fields of the contract, times in ms, the exact sums beside them."""
    log = published()
    inspected(log, (6, 10), (3, 10))
    row = log.row(NOON + MINUTE)
    assert list(row) == FIELDS
    assert row | {"low": None, "high": None} == {
        "employee_id": "E1", "template": "op", "version": 1, "indicator": "yield", "window": "day",
        "window_start": MIDNIGHT, "as_of": NOON + MINUTE, "status": "ok", "value": 0.45, "points": 90.0,
        "n": 20, "good": 9, "low": None, "high": None, "sums": {"accepted": 9, "inspected": 20},
        "sums_micro": {"accepted": 9_000_000, "inspected": 20_000_000},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("accepted", "units", "low", "high"),
    [(18, 20, 0.6990, 0.9721), (45, 50, 0.7864, 0.9565), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775)],
)
def test_interval_is_wilsons(accepted: int, units: int, low: float, high: float) -> None:
    """The published 95 % vectors, to the four digits they are given with."""
    log = published()
    inspected(log, (accepted, units))
    row = log.row()
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("difference", [{"inspected": -10}, {"accepted": 1}, {"accepted": -11}, {"inspected": -11}])
def test_no_interval_without_units_or_with_good_outside_them(difference: dict[str, float]) -> None:
    """n <= 0 and good outside 0..n have no interval."""
    log = published()
    inspected(log, (10, 10))
    log.send(event_id="fix", corrects="i0", measures=difference)
    row = log.row()
    assert (row["low"], row["high"]) == (None, None)
    assert row["n"] == 10 + difference.get("inspected", 0)
    assert row["good"] == 10 + difference.get("accepted", 0)


def test_no_event_in_the_window_is_no_data() -> None:
    """An employee with events elsewhere has the row: zero units, no value, no interval."""
    log = published()
    inspected(log, (6, 10))
    row = log.row(NOON + DAY)
    assert row["window_start"] == MIDNIGHT + DAY
    assert (row["status"], row["value"], row["points"], row["n"], row["good"]) == ("no_data", None, None, 0, 0)
    assert (row["low"], row["high"]) == (None, None)
    assert row["sums"] == {"accepted": 0, "inspected": 0}


def test_formula_of_a_number_alone_needs_an_event_too() -> None:
    """Without any event there is no value, even where the formula would have one."""
    log = published(template(counting("5")))
    output(log, 1)
    assert log.row(NOON, "out")["value"] == 5.0
    assert log.row(NOON + DAY, "out")["status"] == "no_data"


def test_division_by_zero_is_no_data() -> None:
    """Ten inspections of nothing have no yield."""
    log = published()
    inspected(log, (0, 0))
    row = log.row()
    assert (row["status"], row["value"], row["points"], row["n"]) == ("no_data", None, None, 0)


def test_missing_measure_sums_to_zero_and_exact_sums_reach_zero() -> None:
    """A measure that nothing carried is 0; 0.1 + 0.2 - 0.3 is 0 in millionths, and divides nothing."""
    log = published(template(counting("seconds + units"), counting("1 / units").replace("id: out", "id: inverse")))
    output(log, 0.1, 0.2, -0.3)
    assert log.row(NOON, "out")["value"] == 0.0
    assert log.row(NOON, "out")["sums"] == {"seconds": 0, "units": 0}
    assert log.row(NOON, "inverse")["status"] == "no_data"


def test_sums_are_exact_in_any_order() -> None:
    """A million tenths beside a billion add up to the last millionth."""
    log = published(template(counting("units")))
    output(log, 1_000_000_000, *[0.1] * 10, 0.000001)
    row = log.row(NOON, "out")
    assert row["sums_micro"] == {"units": 1_000_000_001_000_001}
    assert row["sums"] == {"units": 1000000001.000001}


@pytest.mark.parametrize(("units", "status", "points"), [(29, "insufficient", None), (30, "ok", 200.0)])
def test_below_the_minimum_sample_there_are_no_points(units: int, status: str, points: float | None) -> None:
    """The value is given, the points only from `min_sample` units of the rate's denominator on."""
    log = published(template(YIELD.replace("target", "min_sample: 30, target")))
    inspected(log, (units, units))
    row = log.row()
    assert (row["status"], row["value"], row["points"]) == (status, 1.0, points)
    assert log.row(indicator="@total")["status"] == ("ok" if points else "no_data")


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        (("target: 80",), 150.0),
        (("target: 0",), None),
        ((), None),
        (("points: '100 * min(value / target, 1.2)'", "target: 80"), 120.0),
        (("points: value / 4",), 30.0),
        (("points: 10 * value / target", "target: 0"), None),
        (("points: 'value / target(\"goal\")'",), None),
        (("points: 'value / target(\"quota\")'",), 2.0),
    ],
)
def test_points_follow_their_formula(fields: tuple[str, ...], points: float | None) -> None:
    """Points that cannot be computed are null, the status stays ok."""
    log = published(template(counting("units", *fields)))
    log.target(NOON - HOUR, quota=60)
    output(log, 100, 20)
    row = log.row(NOON, "out")
    assert (row["status"], row["value"], row["points"]) == ("ok", 120.0, points)


def test_personal_target_in_the_value() -> None:
    """A value that needs a target has none before the target's time."""
    log = published(template(counting('units / target("quota")')))
    output(log, 30)
    log.target(NOON + HOUR, quota=60)
    assert log.row(NOON + HOUR - 1, "out")["status"] == "no_data"
    assert log.row(NOON + HOUR, "out")["value"] == 0.5


def test_rate_that_cannot_be_computed_is_null() -> None:
    """n and good are null without a rate and where their formula has no value."""
    rate = "{good: units / nothing, of: units}"
    log = published(template(counting("units"), counting("units", f"rate: {rate}").replace("id: out", "id: rated")))
    output(log, 3)
    assert (log.row(NOON, "out")["n"], log.row(NOON, "out")["good"]) == (None, None)
    rated = log.row(NOON, "rated")
    assert (rated["n"], rated["good"], rated["low"], rated["status"]) == (3, None, None, "ok")
    assert rated["sums"] == {"units": 3, "nothing": 0}


def test_total_leaves_out_what_has_no_points() -> None:
    """Weights 50/50, one component absent and the other at 5 of 5: the score is 5, not 2.5."""
    five = "{id: a, from: qc.inspection, value: inspected, points: value, weight: 50, windows: [day]}"
    absent = "{id: b, from: business.output, value: units, points: value, weight: 50, windows: [day]}"
    log = published(template(five, absent))
    inspected(log, (5, 5))
    total = log.row(indicator="@total")
    assert (total["status"], total["value"], total["points"]) == ("ok", 5.0, 5.0)
    output(log, 2)
    assert log.row(indicator="@total")["value"] == 3.5


def test_totals_per_dimension_and_window() -> None:
    """Each dimension weighs its own indicators, the total all, in the windows they have."""
    parts = [("a", "performance", 3, "[day]"), ("b", "performance", 1, "[day, month]"), ("c", "ability", 4, "[month]")]
    indicators = [
        f"{{id: {name}, dimension: {dimension}, from: business.output, value: units, "
        f"points: value * {weight}, weight: {weight}, windows: {windows}}}"
        for name, dimension, weight, windows in parts
    ]
    log = published(template(*indicators))
    output(log, 10)
    found = {
        (row["indicator"], row["window"]): (row["status"], row["value"], row["points"])
        for row in log.recompute().rows(NOON)
        if str(row["indicator"]).startswith("@")
    }
    none = ("no_data", None, None)
    # day: a = 30 by 3, b = 10 by 1 -> 100 / 4; month: b = 10 by 1, c = 40 by 4 -> 170 / 5.
    assert found == {
        ("@performance", "day"): ("ok", 25.0, 25.0), ("@performance", "month"): ("ok", 10.0, 10.0),
        ("@ability", "day"): none, ("@ability", "month"): ("ok", 40.0, 40.0),
        ("@attitude", "day"): none, ("@attitude", "month"): none,
        ("@total", "day"): ("ok", 25.0, 25.0), ("@total", "month"): ("ok", 34.0, 34.0),
    }  # fmt: skip
    total = log.row(NOON, "@total")
    assert [total[field] for field in ("n", "good", "low", "high", "sums")] == [None, None, None, None, {}]
    assert total["window_start"] == MIDNIGHT


def test_rolling_window_holds_its_whole_last_pane_and_none_before_its_first() -> None:
    """As of 12:00:30 the last pane runs to 12:01, the first of sixty begins at 11:01."""
    log = published(template(YIELD.replace("[day]", "[rolling 60m]")))
    first, end = NOON - 59 * MINUTE, NOON + MINUTE
    for name, at in (("early", first - 1), ("first", first), ("last", end - 1), ("next", end)):
        log.send(event_id=name, occurred_at=at)
    assert log.ids(NOON + MINUTE // 2, window="rolling 60m") == ["first", "last"]
    assert log.row(NOON + MINUTE // 2, window="rolling 60m")["window_start"] == first


def test_calendar_and_all_windows_hold_what_comes_after_the_as_of() -> None:
    """A calendar window shows all its known events, `all` every event of the version."""
    log = published(template(YIELD.replace("[day]", "[day, all]")))
    for name, at in (
        ("before", MIDNIGHT - 1),
        ("in", MIDNIGHT),
        ("after", MIDNIGHT + DAY - 1),
        ("next", MIDNIGHT + DAY),
    ):
        log.send(event_id=name, occurred_at=at)
    assert log.ids(MIDNIGHT + HOUR, window="day") == ["in", "after"]
    assert log.ids(MIDNIGHT + HOUR, window="all") == ["before", "in", "after", "next"]


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [(1_774_738_800_000, 23), (1_792_879_200_000, 25)],  # 2026-03-28T23:00Z and 2026-10-24T22:00Z, midnight in Berlin
)
def test_days_of_23_and_25_hours_are_days(midnight: int, hours: int) -> None:
    """An event per hour: as many as the day has hours."""
    log = published(template(YIELD.replace("[day]", "[day, week]"), timezone="Europe/Berlin"))
    for hour in range(-1, 27):
        log.send(event_id=f"e{hour}", occurred_at=midnight + hour * HOUR)
    row = log.row(midnight + 3 * HOUR)
    assert (row["window_start"], row["n"]) == (midnight, hours)


def test_correction_adds_its_differences_before_without_and_after_its_event() -> None:
    """A correction counts by its own T, type and dims, whether or not its event is known."""
    log = published()
    log.send(event_id="fix", corrects="i0", measures={"accepted": -2})
    assert log.row()["sums"] == {"accepted": -2, "inspected": 0}
    assert log.row()["status"] == "no_data"  # a division by zero
    inspected(log, (6, 10))
    assert log.row()["sums"] == {"accepted": 4, "inspected": 10}
    log.send(event_id="fix2", corrects="i0", measures={"inspected": 10, "accepted": 1.0})
    assert log.row()["value"] == 0.25
    assert log.outcomes() == {"scored": 3}


def test_correction_restates_a_closed_window() -> None:
    """Three hundred days later a day of the past is corrected, and only that day."""
    log = published()
    inspected(log, (6, 10))
    log.send(event_id="new", occurred_at=NOON + 300 * DAY, measures={"inspected": 4, "accepted": 4})
    log.send(NOON + 300 * DAY, event_id="fix", corrects="i0", measures={"accepted": 3})
    assert log.row()["sums"] == {"accepted": 9, "inspected": 10}
    assert log.row(NOON + 300 * DAY)["sums"] == {"accepted": 4, "inspected": 4}


def test_correction_enters_by_its_own_dims() -> None:
    """A correction with other dims than its event's enters other indicators."""
    log = published(template(YIELD.replace("from:", "where: {stage: semi}, from:")))
    inspected(log, (6, 10), dims={"stage": "semi"})
    log.send(event_id="fix", corrects="i0", measures={"accepted": 3}, dims={"stage": "final"})
    assert log.outcomes() == {"scored": 1, "unused": 1}
    assert log.row()["good"] == 6


def test_rows_exist_for_everyone_with_a_record_that_counts() -> None:
    """Held, unused and scored make an employee; late and rejected records do not."""
    log = published(template(effective_from="2026-03-02T12:00:00Z"))
    log.send(employee_id="scored")
    log.send(employee_id="unused", type="qc.audit")
    log.send(employee_id="held", occurred_at=NOON - 1)
    log.send(employee_id="assigned", type="people.assignment", measures={})
    log.send(NOON + 8 * DAY, employee_id="late")
    log.send(employee_id="rejected", measures={})
    found = log.recompute()
    assert found.employees == ["assigned", "held", "scored", "unused"]
    rows = [row["employee_id"] for row in found.rows(NOON) if row["indicator"] == "yield"]
    assert rows == ["assigned", "held", "scored", "unused"]
    assert list(found.rows(NOON, "nobody")) == []


def test_no_rows_before_any_version() -> None:
    """As of a time at which nothing applies there are no rows."""
    log = published()
    log.send()
    assert list(log.recompute().rows(0)) == []
