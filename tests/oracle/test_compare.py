"""The checker is checked: planted errors are found, noise of the last digits is not."""

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from agents.oracle import differences
from tests.oracle.logs import DAY, MINUTE, NOON, YIELD, Log, published, template

Rows = list[dict[str, Any]]


def a_log(*, lost: int | None = None, doubled: int | None = None) -> Log:
    """Forty inspections over two people and days; one may be lost, or counted twice under another id."""
    log = published(template(YIELD.replace("[day]", "[rolling 60m, day, month]")))
    for number in range(40):
        fields: dict[str, Any] = {
            "employee_id": f"E{number % 2 + 1}", "occurred_at": NOON + number * MINUTE - number % 4 * DAY,
            "measures": {"inspected": number + 1.0, "accepted": number // 2},
        }  # fmt: skip
        if number != lost:
            log.send(event_id=f"e{number}", **fields)
        if number == doubled:
            log.send(event_id="again", **fields)
    return log


def rows(log: Log) -> Rows:
    """All rows as of the last event of the whole log."""
    return list(log.recompute().rows(NOON + 36 * MINUTE))


def as_published(found: Rows) -> Rows:
    """The rows as the product prints them: RFC 3339 times and without the oracle's own fields."""
    starts = {row["window_start"] for row in found} | {row["as_of"] for row in found}
    texts = {instant: _rfc3339(instant) for instant in starts}
    return [
        {name: value for name, value in row.items() if not name.endswith("_micro")}
        | {"window_start": texts[row["window_start"]], "as_of": texts[row["as_of"]]}
        for row in found
    ]


def _rfc3339(instant: int) -> str:
    days, of_day = divmod(instant - 1_772_323_200_000, DAY)  # since 2026-03-01T00:00:00Z
    assert 0 <= days < 31
    hours, minutes = divmod(of_day // MINUTE, 60)
    return f"2026-03-{days + 1:02}T{hours:02}:{minutes:02}:00.000Z"


def planted(change: Callable[[dict[str, Any]], object], indicator: str = "yield") -> Rows:
    """The oracle's own rows with one change in the first row of the indicator that has a value."""
    found = copy.deepcopy(rows(a_log()))
    change(next(row for row in found if row["indicator"] == indicator and row["value"] is not None))
    return found


def fields(actual: Rows) -> list[str]:
    """The fields in which the rows differ from the right ones."""
    return [difference.field for difference in differences(rows(a_log()), actual)]


def test_equal_rows_have_no_differences() -> None:
    """The rows agree with themselves, in another order and in the form in which they are published."""
    right = rows(a_log())
    assert len(right) == 2 * 3 * 5
    assert differences(right, list(reversed(right))) == []
    assert differences(right, as_published(right)) == []
    assert differences(as_published(right), right) == []


@pytest.mark.parametrize("number", range(0, 40, 4))
def test_lost_event_is_found(number: int) -> None:
    """Whichever event is lost, the sums of its rows differ."""
    assert "sums.inspected" in fields(rows(a_log(lost=number)))


@pytest.mark.parametrize("number", range(0, 40, 4))
def test_doubled_event_is_found(number: int) -> None:
    """Whichever event counts twice, the sums of its rows differ."""
    assert "sums.inspected" in fields(rows(a_log(doubled=number)))


@pytest.mark.parametrize("error", [1e-6, -1e-6])
def test_a_millionth_in_a_sum_is_found(error: float) -> None:
    """Sums are exact, in units as in millionths."""
    assert fields(as_published(planted(lambda row: _move(row["sums"], "inspected", error)))) == ["sums.inspected"]
    assert fields(planted(lambda row: _move(row["sums_micro"], "accepted", round(error * 1e6)))) == ["sums.accepted"]


def test_a_millionth_in_a_billion_is_found() -> None:
    """A sum of the largest size is still compared to its last millionth."""
    log = published(template("{id: out, from: business.output, value: units, windows: [day]}"))
    log.send(type="business.output", measures={"units": 1_000_000_000})
    right, wrong = list(log.recompute().rows(NOON)), as_published(list(log.recompute().rows(NOON)))
    wrong[0]["sums"] = {"units": 1_000_000_000.000001}
    assert [difference.field for difference in differences(right, wrong)] == ["sums.units"]
    wrong[0]["sums"] = {"units": Decimal("1000000000.000000")}
    assert differences(right, wrong) == []


def _move(numbers: dict[str, Any], name: str, by: float) -> None:
    numbers[name] += by


def _scale(row: dict[str, Any], field: str, by: float) -> None:
    row[field] *= 1 + by


@pytest.mark.parametrize("field", ["value", "points", "low", "high"])
@pytest.mark.parametrize("error", [1e-8, -1e-8, 1.1e-9])
def test_more_than_1e9th_of_a_derived_number_is_found(field: str, error: float) -> None:
    """A relative error of 1e-8 is a difference."""
    assert fields(planted(lambda row: _scale(row, field, error))) == [field]


@pytest.mark.parametrize("field", ["value", "points", "low", "high"])
@pytest.mark.parametrize("error", [1e-12, -1e-12])
def test_noise_of_the_last_digits_is_none(field: str, error: float) -> None:
    """A relative error of 1e-12 is how doubles are."""
    assert fields(planted(lambda row: _scale(row, field, error))) == []


def test_error_in_a_total_is_found() -> None:
    """Totals are compared like any row."""
    assert fields(planted(lambda row: _scale(row, "value", 1e-8), "@total")) == ["value"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("status", "insufficient"),
        ("status", None),
        ("version", 2),
        ("n", 1),
        ("n", None),
        ("n", True),
        ("n", "10"),
        ("good", 0.5),
        ("window_start", NOON + 1),
        ("window_start", "2026-03-02T08:00:00+08:01"),
        ("window_start", None),
        ("as_of", NOON),
        ("value", None),
        ("value", float("nan")),
        ("value", float("inf")),
        ("points", 0.0),
        ("low", 0),
        ("high", "1"),
    ],
)
def test_any_other_wrong_field_is_found(field: str, wrong: object) -> None:
    """Counts, texts and times are equal or different; a NaN, a null or a text is no number."""
    assert fields(planted(lambda row: row.update({field: wrong}))) == [field]


@pytest.mark.parametrize("field", ["version", "status", "n", "window_start", "as_of", "value", "high"])
def test_absent_field_is_found(field: str) -> None:
    """A row without a field is not a row whose field is null."""
    assert fields(planted(lambda row: row.pop(field))) == [field]
    assert fields(planted(lambda row: row.pop("low"), "@total")) == ["low"]


def test_sum_too_many_or_too_few_is_found() -> None:
    """The sums are those of the formulas' measures, zeros included."""
    assert fields(planted(lambda row: row["sums_micro"].pop("accepted"))) == ["sums.accepted"]
    assert fields(planted(lambda row: row["sums_micro"].update(scrapped=0))) == ["sums.scrapped"]


def test_missing_extra_and_doubled_rows_are_found() -> None:
    """Each key is there once, on both sides."""
    right = rows(a_log())
    missing = differences(right, right[1:])
    extra = differences(right[1:], right)
    doubled = differences(right, [*right, right[0]])
    for found in (missing, extra, doubled):
        assert [(one.employee, one.indicator, one.window, one.field) for one in found] == [
            ("E1", "yield", "rolling 60m", "row")
        ]
    assert (missing[0].actual, extra[0].expected) == (None, None)


def test_number_near_zero_is_compared_absolutely() -> None:
    """What is left of a subtraction in doubles is 0."""
    right, wrong = rows(a_log()), copy.deepcopy(rows(a_log()))
    for row, low in ((right[0], 0.0), (wrong[0], 2e-17)):
        row["low"] = low
    assert differences(right, wrong) == []
    wrong[0]["low"] = 1e-11
    assert [difference.field for difference in differences(right, wrong)] == ["low"]


def test_times_may_be_numbers_or_texts_of_any_zone() -> None:
    """An instant is the same in every zone."""
    shown = as_published(rows(a_log()))
    for row in shown:
        row["as_of"] = "2026-03-02T20:36:00+08:00"
    assert fields(shown) == []


def mixed() -> Rows:
    """Rows of an indicator with a case mix, 0.000002 units allowed for, and of one without."""
    plain = "{id: plain, from: business.output, value: made, windows: [day]}"
    rated = "{id: yield, from: business.output, value: made, rate: {good: fine, of: made}, windows: [day], "
    log = published(template(rated + "case_mix: [stage]}", plain))
    log.model(by=["stage"], cells=[{"dims": ["semi"], "expected": 0.949998}])
    log.send(type="business.output", measures={"made": 1, "fine": 0.5}, dims={"stage": "semi"})
    return list(log.recompute().rows(NOON))


def mixed_fields(row: int = 0, **changes: object) -> list[str]:
    """The fields that differ once a published row is changed: that with the case mix, which is 0, or the plain one."""
    wrong = as_published(mixed())
    wrong[row] |= changes
    return [difference.field for difference in differences(mixed(), wrong)]


def test_allowance_is_compared_as_sums_are() -> None:
    """A millionth is a difference, in any form of a number; so is the null that it never is."""
    assert mixed_fields(allowance=Decimal("0.000002")) == []
    for wrong in (0.000003, 0.000001, Decimal("0.000002000000000000000000001"), None, True):
        assert mixed_fields(allowance=wrong) == ["allowance"]


def test_adjusted_is_a_derived_number() -> None:
    """It is 0.500002 to 1e-9; null is null."""
    assert mixed_fields(adjusted=0.500002 * (1 + 1e-12)) == []
    for wrong in (0.500002 * (1 + 1e-8), 0.500002 * (1 - 1e-8), None):
        assert mixed_fields(adjusted=wrong) == ["adjusted"]
    right = mixed()
    right[0]["adjusted"] = None
    assert differences(right, as_published(right)) == []


@pytest.mark.parametrize("field", ["allowance", "adjusted"])
def test_case_mix_that_is_missing_or_superfluous_is_found(field: str) -> None:
    """The fields stand in rows of an indicator with a case mix and in no others, nulls included."""
    assert mixed_fields(1, **{field: None}) == mixed_fields(1, **{field: 0}) == [field]
    right, wrong = mixed(), mixed()
    right[0]["adjusted"] = wrong[0]["adjusted"] = None
    del wrong[0][field]
    assert [difference.field for difference in differences(right, as_published(wrong))] == [field]
