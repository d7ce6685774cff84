"""Case mix: which models hold, and what they change in rows; all numbers worked out by hand."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from agents.oracle.case_mix import models_of
from agents.oracle.rulebook import log_order
from tests.oracle.logs import HOUR, MIDNIGHT, MINUTE, MIXED, NOON, YIELD, Log, model, published, template
from tests.oracle.test_any_input import JSON

SEMI = {"stage": "semi"}
HARDER = [{"dims": ["semi"], "expected": 0.90}]
EASIER = [{"dims": ["semi"], "expected": 0.99}]
FROM = NOON - HOUR


def inspect(log: Log, *pairs: tuple[int, int], start: int = NOON, **fields: Any) -> None:
    """Inspections of (accepted, inspected) units of stage semi, a minute apart; ids i0, i1, ..."""
    first = sum(record.topic == "qc-events" for record in log.records)
    for number, (accepted, units) in enumerate(pairs):
        measures = {"inspected": units, "accepted": accepted}
        content = {"occurred_at": start + number * MINUTE, "measures": measures, "dims": SEMI, **fields}
        log.send(event_id=f"i{first + number}", **content)


def numbers(log: Log) -> list[int]:
    """The numbers of op's valid models for its yield."""
    return [found.number for found in models_of(log_order(log.records)).get(("op", "yield"), ())]


def adjusted(log: Log, as_of: int = NOON, indicator: str = "yield") -> tuple[Any, Any]:
    """(allowance, adjusted) of the row."""
    row = log.row(as_of, indicator)
    return row["allowance"], row["adjusted"]


def mixed(**fields: Any) -> Log:
    """A log with the template of MIXED and one model."""
    log = published(template(MIXED))
    log.model(**fields)
    return log


def allowance_of(expected: float, *made: float) -> object:
    """The allowance, in millionths, of output whose units are no whole numbers."""
    output = "{id: out, from: business.output, value: made, rate: {good: fine, of: made}, case_mix: [stage], "
    log = published(template(output + "windows: [day]}"))
    log.model(indicator="out", by=["stage"], cells=[{"dims": ["semi"], "expected": expected}])
    for number, units in enumerate(made):
        log.send(event_id=f"o{number}", type="business.output", measures={"made": units}, dims=SEMI)
    return log.row(indicator="out")["allowance_micro"]


def test_harder_work_is_allowed_for() -> None:
    """Ten units by (0.95 - 0.90) are half a unit: 9 + 0.5 of 10 are 0.95; value and points stay as counted."""
    log = mixed()
    inspect(log, (9, 10))
    row = log.row()
    assert (row["allowance"], row["allowance_micro"]) == (0.5, 500_000)
    assert row["adjusted"] == pytest.approx(0.95, rel=1e-12)
    assert (row["value"], row["points"], row["n"], row["good"]) == (0.9, 180.0, 10, 9)


@pytest.mark.parametrize(
    ("cells", "good", "expected"),
    [
        (EASIER, 10, (-0.4, 0.96)),  # 10 * (0.95 - 0.99): 9.6 of 10
        (HARDER, 10, (0.5, 1.0)),  # 10.5 of 10
        (EASIER, 0, (-0.4, 0.0)),  # -0.4 of 10
        ([], 9, (0, 0.9)),  # all work alike
    ],
)
def test_adjusted_share_lies_between_0_and_1(cells: Any, good: int, expected: tuple[float, float]) -> None:
    """Easier work takes good units away; the share ends at 0 and at 1, the allowance does not."""
    log = mixed(cells=cells)
    inspect(log, (good, 10))
    assert adjusted(log) == expected


def test_without_units_nothing_is_adjusted() -> None:
    """No event, as many units taken back as counted, or more: no share; the allowance is what it is."""
    log = mixed()
    inspect(log, (9, 10))
    assert adjusted(log, NOON + 24 * HOUR) == (0, None)
    log.send(event_id="fix", corrects="i0", measures={"inspected": -10}, dims=SEMI)
    assert adjusted(log) == (0, None)
    log.send(event_id="again", corrects="i0", measures={"inspected": -10}, dims=SEMI)
    assert adjusted(log) == (-0.5, None)


def test_only_rows_of_an_indicator_with_case_mix_have_the_fields() -> None:
    """Other indicators and totals lack them; without a model they are there, and allow nothing."""
    log = published(template(MIXED, YIELD.replace("id: yield", "id: plain")))
    inspect(log, (9, 10))
    found = {str(row["indicator"]): set(row) for row in log.recompute().rows(NOON)}
    more = {"allowance", "allowance_micro", "adjusted"}
    assert found.pop("yield") - found["plain"] == more
    assert all(more.isdisjoint(fields) for fields in found.values())
    assert adjusted(log) == (0, 0.9)


@pytest.mark.parametrize(
    ("expected", "made", "micro"),
    [
        (0.949999, 0.499999, 0),  # 499,999 * 1 + 500,000 are no million
        (0.949999, 0.5, 1),  # a million
        (0.950001, 0.5, 0),  # -500,000 + 500,000
        (0.950001, 0.500001, -1),  # -1, rounded down
        (0.950001, 1.5, -1),  # -1,000,000
        (0.950001, 1.500001, -2),  # -1,000,001, rounded down
    ],
)
def test_allowance_is_rounded_half_up_to_millionths(expected: float, made: float, micro: int) -> None:
    """A millionth of a share of half a unit is half a millionth of a unit: up to the next, below 0 too."""
    assert allowance_of(expected, made) == micro


def test_allowances_are_rounded_one_by_one() -> None:
    """Twice half a millionth are two, as each entry has its own."""
    assert allowance_of(0.949999, 0.5, 0.5) == 2


@pytest.mark.parametrize(
    ("dims", "allowance"),
    [
        ({"stage": "semi"}, 5),  # 0.90
        ({"stage": "semi", "product": "P2"}, 15),  # 0.80
        ({"stage": "semi", "product": "P3"}, 5),
        ({"stage": "semi", "product": "P2", "machine": "M9", "line": "L1"}, 15),
        ({"stage": "semi", "product": "P2", "machine": "M1"}, 35),  # 0.60
        ({"stage": "semi", "machine": "P2"}, 5),  # ends at the product, which it lacks
        ({"product": "semi"}, 0),
        ({"stage": "final"}, 0),  # only with a product
        ({"stage": "final", "product": "P1"}, 10),  # 0.85
        ({}, 0),
    ],
)
def test_finest_cell_that_an_entry_lies_in_holds(dims: dict[str, str], allowance: float) -> None:
    """Of a hundred units, by the longest beginning of the dims that has a cell."""
    cells = [(["semi"], 0.9), (["semi", "P2", "M1"], 0.6), (["semi", "P2"], 0.8), (["final", "P1"], 0.85)]
    log = published(template(MIXED.replace("product]", "product, machine]")))
    log.model(by=["stage", "product", "machine"], cells=[{"dims": dims, "expected": share} for dims, share in cells])
    inspect(log, (0, 100), dims=dims)
    assert log.row()["allowance"] == allowance


def test_correction_is_allowed_for_by_its_own_units_dims_and_time() -> None:
    """Two units less are 0.1 less; good units alone, or units of no known kind, change no allowance."""
    log = mixed()
    inspect(log, (9, 10))
    log.send(event_id="fix1", corrects="i0", measures={"inspected": -2, "accepted": -2}, dims=SEMI)
    assert adjusted(log) == (0.4, pytest.approx(7.4 / 8, rel=1e-12))
    log.send(event_id="fix2", corrects="i0", measures={"accepted": -1}, dims=SEMI)
    log.send(event_id="fix3", corrects="i0", measures={"inspected": 2})
    assert adjusted(log) == (0.4, pytest.approx(6.4 / 10, rel=1e-12))
    log.send(event_id="fix4", corrects="e", occurred_at=FROM - 1, measures={"inspected": 2}, dims=SEMI)
    assert adjusted(log) == (0.4, pytest.approx(6.4 / 12, rel=1e-12))


def test_models_hold_in_turn() -> None:
    """Before the first nothing is allowed; each holds from its first millisecond to the next one's."""
    log = published(template(MIXED))
    log.model()
    log.model(number=2, effective_from="2026-03-02T12:00:00+00:00", cells=[{"dims": ["semi"], "expected": 0.85}])
    found = []
    for at in (FROM - 1, FROM, NOON - 1, NOON):
        inspect(log, (0, 100), start=at)
        found.append(log.row()["allowance"])
    assert found == [0, 5, 10, 20]


def test_model_that_divides_otherwise_is_none() -> None:
    """From where a model by other dims holds, none does, not the one before either."""
    log = published(template(MIXED), template(MIXED.replace("stage, product", "product, stage"), name="other"))
    log.model()
    log.model(template="other")
    log.model(number=2, effective_from=NOON, by=["stage"])
    inspect(log, (9, 10), start=NOON - 1)
    assert [row["allowance"] for row in log.rows(NOON, "yield", "day")] == [0.5, 0]
    inspect(log, (9, 10), start=NOON)
    assert [row["allowance"] for row in log.rows(NOON, "yield", "day")] == [0.5, 0]


def test_model_is_that_of_one_indicator() -> None:
    """Each indicator of each template has models of its own, or none."""
    second, third = (MIXED.replace("id: yield", f"id: {name}") for name in ("second", "third"))
    log = published(template(MIXED, second, third), template(MIXED, name="other"))
    for (name, indicator), expected in {("op", "yield"): 0.9, ("op", "second"): 0.8, ("other", "yield"): 0.7}.items():
        log.model(template=name, indicator=indicator, cells=[{"dims": ["semi"], "expected": expected}])
    inspect(log, (0, 100))
    rows = [row for row in log.recompute().rows(NOON) if "allowance" in row]
    assert [row["allowance"] for row in rows] == [5, 15, 0, 25]


def test_model_outlives_the_version() -> None:
    """A model is that of a template's indicator: a further version has it too, where it divides alike."""
    log = mixed()
    log.publish(template(MIXED, version=2, effective_from="2026-03-02T12:00:00Z"))
    inspect(log, (9, 10))
    assert (log.row()["version"], log.row()["allowance"]) == (2, 0.5)


@pytest.mark.parametrize(
    ("sent", "valid"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([2], []),
        ([0], []),
        ([1, 1], [1]),
        ([1, 3, 2], [1, 2]),
        ([2, 1, 2], [1, 2]),
    ],
)
def test_numbers_follow_each_other(sent: list[int], valid: list[int]) -> None:
    """A model counts when its number is one more than that of the last that does."""
    log = Log()
    for position, number in enumerate(sent):
        log.model(number=number, effective_from=FROM + position)
        log.model(number=position + 1, effective_from=FROM + position, template="other")
        log.model(number=position + 1, effective_from=FROM + position, indicator="other")
    assert numbers(log) == valid


@pytest.mark.parametrize(("ahead", "valid"), [(59 * MINUTE, []), (HOUR - 1, []), (HOUR, [1]), (2 * HOUR, [1])])
def test_model_takes_effect_an_hour_after_its_log_time_at_the_earliest(ahead: int, valid: list[int]) -> None:
    """What comes too late for its time is ignored, and its number stays free."""
    log = Log()
    log.model(NOON, effective_from=NOON + ahead)
    assert numbers(log) == valid
    log.model(NOON, number=len(valid) + 1, effective_from=NOON + 3 * HOUR)
    assert numbers(log) == [*valid, len(valid) + 1]


@pytest.mark.parametrize(("later", "valid"), [(-1, [1]), (0, [1]), (1, [1, 2])])
def test_model_takes_effect_later_than_the_last(later: int, valid: list[int]) -> None:
    """Of two that hold from one instant on the second is ignored."""
    log = Log()
    log.model()
    log.model(number=2, effective_from=FROM + later)
    assert numbers(log) == valid


def test_models_stand_in_the_order_of_their_topic() -> None:
    """Log time decides between partitions; within one it does not run back, whatever records stand there."""
    log = published(template(MIXED), at=MIDNIGHT + 8 * HOUR)
    log.model(MIDNIGHT, number=2, effective_from=NOON, cells=[{"dims": ["semi"], "expected": 0.85}])
    log.model(MIDNIGHT + HOUR, partition=1)
    inspect(log, (9, 10))
    assert log.row()["allowance"] == 1


def test_models_later_than_the_asked_time_are_not_known() -> None:
    """As known at noon the first in the log, sent by a clock that ran ahead, does not exist: the next is number 1."""
    log = published(template(MIXED))
    log.model(NOON + HOUR, effective_from=NOON + 2 * HOUR)
    log.model()
    inspect(log, (9, 10))
    assert log.row()["allowance"] == 0
    known = [row for row in log.recompute(known_at=NOON).rows(NOON) if row["indicator"] == "yield"]
    assert [row["allowance"] for row in known] == [0.5]


def test_no_model_is_a_template_and_none_changes_how_a_record_ends() -> None:
    """A template under the key of a model is not there: what waits for it is held."""
    log = Log()
    log.append("templates", 0, MIDNIGHT, b"case-mix:op/yield@1", template(MIXED).encode())
    log.model()
    log.send()
    assert log.outcomes() == {"held": 1}
    log.append("templates", 0, MIDNIGHT, b"op@1", template(MIXED).encode())
    assert log.outcomes() == {"scored": 1}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("template", 1),
        ("indicator", 1),
        ("indicator", "\ud800"),
        ("number", 1.5),
        ("number", "1"),
        ("number", True),
        ("effective_from", "2026-03-02T11:00:00"),
        ("effective_from", float(FROM)),
        ("effective_from", True),
        ("by", []),
        ("by", "stage"),
        ("by", ["stage", "stage"]),
        ("by", ["stage", 1]),
        ("by", ["stage", ""]),
        ("by", list("abcde")),
        ("base", 0),
        ("base", 1),
        ("base", 0.0000001),
        ("base", 0.1234567),
        ("base", "0.95"),
        ("base", True),
        ("base", float("nan")),
        ("cells", {}),
        ("cells", [[]]),
        ("cells", [{"dims": ["semi"]}]),
        ("cells", [{"expected": 0.9}]),
        ("cells", [{"dims": [], "expected": 0.9}]),
        ("cells", [{"dims": "semi", "expected": 0.9}]),
        ("cells", [{"dims": [1], "expected": 0.9}]),
        ("cells", [{"dims": ["a", "b", "c"], "expected": 0.9}]),
        ("cells", [{"dims": ["semi"], "expected": 1}]),
        ("cells", [{"dims": ["semi"], "expected": 0}]),
        ("cells", [{"dims": ["semi"], "expected": 0.9}, {"dims": ["semi"], "expected": 0.8}]),
    ],
)
def test_what_is_no_model_is_ignored(field: str, wrong: Any) -> None:
    """A field of another form, and no model with the field left out either."""
    log = Log()
    for value in (wrong, None):
        fields: dict[str, Any] = {field: value}
        log.model(key="case-mix:op/yield@1", **fields)
    assert models_of(log_order(log.records)) == {}
    log.model()
    assert numbers(log) == [1]


@pytest.mark.parametrize(
    "key", ["case-mix:op/yield@2", "case-mix:op/yield@01", "case-mix:op/out@1", "case-mix:p/yield@1"]
)
def test_key_is_that_of_the_value(key: str) -> None:
    """A model under another key is none."""
    log = Log()
    log.model(key=key)
    assert numbers(log) == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xef\xbb\xbf" + json.dumps(model()).encode(),
        json.dumps(model(), ensure_ascii=False).replace("semi", "\xe9").encode("latin-1"),
        json.dumps(model(note=float("nan"))).encode(),
        json.dumps(model(note=0)).replace("0}", "[" * 64 + "]" * 64 + "}").encode(),
    ],
)
def test_value_that_is_no_object_of_json_is_no_model(value: bytes | None) -> None:
    """A tombstone and what is not JSON, as of events, are passed over."""
    log = Log()
    log.append("templates", 0, MIDNIGHT, b"case-mix:op/yield@1", value)
    assert numbers(log) == []


def test_further_fields_of_a_model_are_ignored() -> None:
    """Whoever writes models may say more in them; a whole number may be written with a point."""
    log = mixed(number=1, note={"n": 1}, cells=[{"dims": ["semi"], "expected": 0.9, "n": 1200}])
    inspect(log, (9, 10))
    assert log.row()["allowance"] == 0.5
    log.model(number=2.0, effective_from=FROM + 1, key="case-mix:op/yield@2")
    assert numbers(log) == [1, 2]


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_any_json_in_a_model_stops_nothing(value: Any, part: Any) -> None:
    """Whatever stands in its fields, it is a model or it is none."""
    for field in ("template", "number", "effective_from", "by", "base", "cells"):
        log = Log()
        fields: dict[str, Any] = {field: value}
        log.model(key="case-mix:op/yield@1", **fields)
        log.model(cells=[{"dims": part, "expected": value}], key="case-mix:op/yield@1")
        assert numbers(log) in ([], [1])
