"""A record is rejected for the first reason that holds: one test per rule and one for the order of the reasons."""

import json
from typing import Any

import pytest

from agents.oracle import LogRecord
from agents.oracle.event import Rejected, read_event
from agents.oracle.murmur2 import partition_of
from tests.oracle.logs import MINUTE, NOON, PARTITIONS, event, outcome_of

HOME = partition_of(b"E1", PARTITIONS)


def reason(outcome: str) -> str:
    """The reason within an outcome of a rejected record."""
    assert outcome.startswith("rejected:"), outcome
    return outcome.removeprefix("rejected:")


def raw(**replaced: str) -> bytes:
    """A valid event whose fields are given as JSON texts."""
    fields = {name: json.dumps(value) for name, value in event().items()} | replaced
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}").encode()


def test_valid_event_is_scored() -> None:
    """The factory's event is valid, so that every rejection below has one cause."""
    assert outcome_of(event()) == "scored"
    assert outcome_of(raw()) == "scored"


NOT_JSON: dict[str, bytes | None] = {
    "tombstone": None,
    "empty": b"",
    "byte order mark": b"\xef\xbb\xbf" + raw(),
    "utf-16": raw().decode().encode("utf-16"),
    "overlong utf-8": raw(source='"a\\u0041"').replace(b"\\u0041", b"\xc0\xaf"),
    "surrogate in utf-8": raw().replace(b"aoi", b"\xed\xa0\x80"),
    "two values": raw() + raw(),
    "trailing comma": raw().replace(b"}}", b"},}"),
    "NaN": raw(measures='{"inspected":1,"accepted":NaN}'),
    "Infinity": raw(extra="Infinity"),
    "minus Infinity": raw(extra="-Infinity"),
    "leading zero": raw(extra="01"),
    "raw control character": raw(source='"a\nb"'),
    "single quotes": b"{'event_id': 'e1'}",
    "too deep": raw(extra="[" * 20_000 + "]" * 20_000),
    "one level too deep": raw(extra="[" * 64 + "]" * 64),
}


@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_strict_json_is_not_json(value: bytes | None) -> None:
    """Only strict UTF-8 JSON without a byte order mark and without NaN or Infinity is JSON."""
    assert reason(outcome_of(value)) == "not_json"


@pytest.mark.parametrize(
    "value",
    [
        raw(extra="1e400"),
        raw(extra="9" * 5000),
        raw(extra='"\\ud800"'),
        b" \t\r\n" + raw() + b"\n",
        raw(extra="null"),
        raw(event_id='"e0","event_id":"e1"'),
        raw(extra="[" * 63 + "]" * 63),
    ],
)
def test_what_the_grammar_allows_in_unknown_fields_does_not_matter(value: bytes) -> None:
    """Unknown fields are ignored whatever JSON they hold; of a key given twice the last counts."""
    assert outcome_of(value) == "scored"


SCHEMA: dict[str, Any] = {
    "array": b"[]",
    "number": b"1",
    "null": b"null",
    "no event_id": event(event_id=None),
    "no type": event(type=None),
    "no employee_id": event(employee_id=None),
    "no occurred_at": event(occurred_at=None),
    "no source": event(source=None),
    "no measures": event(measures=None),
    "event_id a number": event(event_id=7),
    "type a number": event(type=7),
    "employee_id null": raw(employee_id="null"),
    "occurred_at null": raw(occurred_at="null"),
    "occurred_at true": event(occurred_at=True),
    "occurred_at an array": event(occurred_at=[NOON]),
    "source empty": event(source=""),
    "source of 129": event(source="x" * 129),
    "source with NUL": event(source="a\0b"),
    "source with DEL": event(source="a\x7fb"),
    "source with C1": event(source="a\x85b"),
    "source with surrogate": raw(source='"\\udc00"'),
    "measures an array": event(measures=[]),
    "measures null": raw(measures="null"),
    "dims an array": event(dims=[]),
    "dims null": raw(dims="null"),
    "dim a number": event(dims={"line": 3}),
    "dim empty": event(dims={"line": ""}),
    "dim of 129": event(dims={"line": "x" * 129}),
    "dim with a newline": event(dims={"line": "a\nb"}),
    "dim with surrogate": raw(dims='{"line":"\\ud800"}'),
    "dim name empty": event(dims={"": "a"}),
    "dim name of 129": event(dims={"x" * 129: "a"}),
    "dim name with tab": event(dims={"a\tb": "a"}),
    "dim name with surrogate": raw(dims='{"\\ud800":"a"}'),
    "33 dims": event(dims={f"d{n}": "a" for n in range(33)}),
    "corrects null": raw(corrects="null"),
    "corrects a number": event(corrects=1),
}


@pytest.mark.parametrize("value", SCHEMA.values(), ids=SCHEMA)
def test_wrong_shape_is_schema(value: Any) -> None:
    """A missing field, a wrong JSON type or a text out of its limits is `schema`."""
    assert reason(outcome_of(value)) == "schema"


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "x" * 128},
        {"source": "质检 α 😀"},
        {"source": "a\u2028b"},
        {"dims": {f"d{n}": "v" * 128 for n in range(32)}},
        {"dims": {"产线 Line-3": "三号"}},
        {"dims": {}},
        {"event_id": "A" * 64},
        {"event_id": "a_b.c:d-9"},
        {"measures": {"inspected": 1, "accepted": 1} | {f"m{n}": n for n in range(30)}},
        {"measures": {"inspected": 1.0, "accepted": 1, "x" * 32: -1_000_000_000.0}},
    ],
)
def test_texts_and_numbers_up_to_their_limits_are_valid(fields: dict[str, Any]) -> None:
    """The limits themselves are within."""
    assert outcome_of(event(**fields)) == "scored"


@pytest.mark.parametrize("identifier", ["", "a b", "a/b", "A" * 65, "é", "a\n", "٤٢", "a\0"])
def test_ids_outside_the_alphabet_are_bad_ids(identifier: str) -> None:
    """All three ids have one alphabet and 1 to 64 characters."""
    for field in ("event_id", "employee_id", "corrects"):
        assert reason(outcome_of(event(**{field: identifier}))) == "bad_id"


@pytest.mark.parametrize("when", ["", "yesterday", "2026-03-02T24:00:00Z", 1.5, -1, 1e308, 10**400])
def test_text_or_number_that_is_no_time_is_bad_time(when: float | str) -> None:
    """Texts and numbers are never the wrong type for `occurred_at`: they are bad times."""
    assert reason(outcome_of(event(occurred_at=when))) == "bad_time"


def test_time_beyond_the_range_of_doubles_is_bad_time() -> None:
    """1e400 is JSON, and no time."""
    assert reason(outcome_of(raw(occurred_at="1e400"))) == "bad_time"


def test_fifteen_minutes_ahead_of_log_time_are_tolerated() -> None:
    """An event may lie 15 minutes after its log time, not a millisecond more."""
    assert outcome_of(event(), sent_at=NOON - 15 * MINUTE) == "scored"
    assert reason(outcome_of(event(), sent_at=NOON - 15 * MINUTE - 1)) == "in_future"


BAD_MEASURES: dict[str, str] = {
    "upper case": '{"Inspected":1}',
    "digit first": '{"1a":1}',
    "empty name": '{"":1}',
    "name of 33": '{"%s":1}' % ("x" * 33),
    "reserved min": '{"min":1}',
    "reserved max": '{"max":1}',
    "reserved abs": '{"abs":1}',
    "reserved target": '{"target":1}',
    "reserved value": '{"value":1}',
    "text": '{"a":"1"}',
    "true": '{"a":true}',
    "null": '{"a":null}',
    "array": '{"a":[1]}',
    "over the limit": '{"a":1000000000.000001}',
    "integer over the limit": '{"a":1000000001}',
    "under the limit": '{"a":-1000000001}',
    "beyond doubles": '{"a":1e400}',
    "long integer": '{"a":%s}' % ("9" * 5000),
    "seven decimals": '{"a":0.1234567}',
    "a ten-millionth": '{"a":1e-7}',
    "a third": '{"a":0.3333333333333333}',
    "33 measures": json.dumps({f"m{n}": 1 for n in range(33)}),
}


@pytest.mark.parametrize("measures", BAD_MEASURES.values(), ids=BAD_MEASURES)
def test_bad_names_and_numbers_are_bad_measures(measures: str) -> None:
    """A name out of the alphabet, or what is no number of six decimals within the limit, is `bad_measure`."""
    assert reason(outcome_of(raw(measures=measures, type='"qc.check"'))) == "bad_measure"


@pytest.mark.parametrize(
    ("text", "millionths"),
    [
        ("1", 1_000_000),
        ("1.0", 1_000_000),
        ("1e0", 1_000_000),
        ("-0.0", 0),
        ("0.000001", 1),
        ("-0.000001", -1),
        ("0.1", 100_000),
        ("0.10000000000000000001", 100_000),  # the same double as 0.1
        ("0.30000000000000004", None),  # the next double after 0.3
        ("1000000000", 10**15),
        ("-1000000000.0", -(10**15)),
        ("999999999.999999", 10**15 - 1),
        ("123456.789012", 123_456_789_012),
        ("1e-6", 1),
    ],
)
def test_measures_are_integers_of_a_millionth(text: str, millionths: int | None) -> None:
    """A number counts when it is the double nearest to its own rounding to six decimals."""
    value = raw(measures=f'{{"a":{text}}}', type='"qc.check"')
    record = LogRecord("qc-events", HOME, 0, NOON, b"E1", value)
    if millionths is None:
        with pytest.raises(Rejected, match="bad_measure"):
            read_event(record, PARTITIONS)
    else:
        assert (("a", millionths),) == read_event(record, PARTITIONS).measures


@pytest.mark.parametrize(
    "measures",
    [
        {},
        {"inspected": 10},
        {"accepted": 10},
        {"inspected": 10, "accepted": 11},
        {"inspected": 10, "accepted": -1},
        {"inspected": 1.5, "accepted": 1},
        {"inspected": 10, "accepted": 5, "reworked": 6},
        {"inspected": 10, "accepted": 5, "reworked": -1},
        {"inspected": 10, "accepted": 5, "scrapped": 6},
        {"inspected": 10, "accepted": 5, "scrapped": 0.5},
    ],
)
def test_counts_that_contradict_each_other_are_inconsistent(measures: dict[str, float]) -> None:
    """The four counts of qc.inspection are whole, not negative, and parts of each other."""
    assert reason(outcome_of(event(measures=measures))) == "inconsistent"


@pytest.mark.parametrize(
    "measures",
    [
        {"inspected": 0, "accepted": 0},
        {"inspected": 10, "accepted": 5, "reworked": 5, "scrapped": 5},
        {"inspected": 10, "accepted": 10.0, "seconds": -0.5},
    ],
)
def test_counts_at_their_limits_are_consistent(measures: dict[str, float]) -> None:
    """Zero is a count, parts may be the whole, and further measures are free."""
    assert outcome_of(event(measures=measures)) == "scored"


def test_the_rules_of_inspection_hold_for_no_correction_and_no_other_type() -> None:
    """A correction carries signed differences; another type has its own measures."""
    assert outcome_of(event(corrects="e0", measures={"accepted": -3.5})) == "scored"
    assert outcome_of(event(type="qc.audit", measures={"inspected": -1})) == "unused"


@pytest.mark.parametrize(
    ("key", "partition"), [(None, HOME), (b"E2", HOME), (b"e1", HOME), (b"", HOME), (b"E1", (HOME + 1) % PARTITIONS)]
)
def test_foreign_key_or_partition_is_a_key_mismatch(key: bytes | None, partition: int) -> None:
    """The key is the employee id, and the partition that of the key."""
    record = LogRecord("qc-events", partition, 0, NOON, key, raw())
    with pytest.raises(Rejected, match="key_mismatch"):
        read_event(record, PARTITIONS)


@pytest.mark.parametrize(
    "kind", ["", "qc", "qc.", "QC.inspection", "qc.Inspection", "hr.leave", "qc.a-b", "xqc.a", "qc.é"]
)
def test_types_outside_the_three_families_are_unknown(kind: str) -> None:
    """A type is one of the three families, a dot and at least one character more."""
    assert reason(outcome_of(event(type=kind, measures={}))) == ("unknown_type")


@pytest.mark.parametrize(
    ("kind", "topic"), [("qc.a", "business-events"), ("business.a", "people-events"), ("people.a", "qc-events")]
)
def test_each_family_has_its_topic(kind: str, topic: str) -> None:
    """A known type in the topic of another family is `wrong_topic`."""
    assert reason(outcome_of(event(type=kind), topic=topic)) == "wrong_topic"


def test_value_of_65536_bytes_is_read_and_one_more_is_too_large() -> None:
    """The limit is the value's bytes, tested before anything else."""
    padding = 65_536 - len(raw(extra='""'))
    assert outcome_of(raw(extra='"%s"' % ("x" * padding))) == "scored"
    assert reason(outcome_of(raw(extra='"%s"' % ("x" * (padding + 1))))) == "too_large"
    assert reason(outcome_of(b"\xff" * 65_537)) == "too_large"


# Each step breaks one rule more, the latest in the order first: so each reason hides all that were broken before it.
BREAKS: list[tuple[str, dict[str, str]]] = [
    ("wrong_topic", {"type": '"business.output"'}),
    ("unknown_type", {"type": '"qc.inspection "'}),
    ("key_mismatch", {"employee_id": '"E9"'}),
    ("bad_measure", {"measures": '{"A":1}'}),
    ("in_future", {"occurred_at": str(NOON + 16 * MINUTE)}),
    ("bad_time", {"occurred_at": '"soon"'}),
    ("bad_id", {"event_id": '"a b"'}),
    ("schema", {"source": '""'}),
    ("not_json", {"extra": "NaN"}),
    ("too_large", {"padding": '"%s"' % ("x" * 65_536)}),
]


@pytest.mark.parametrize("broken", range(1, len(BREAKS) + 1))
def test_the_first_reason_in_the_order_is_given(broken: int) -> None:
    """Whatever else is wrong with a record, it is rejected for the reason that is tested first."""
    fields: dict[str, str] = {}
    for _, fault in BREAKS[:broken]:
        fields |= fault
    assert BREAKS[broken - 1][0] == reason(outcome_of(raw(**fields)))


def test_inconsistent_comes_before_the_key_and_after_the_measures() -> None:
    """The rules of qc.inspection are looked at between the numbers and the key."""
    inconsistent = {"measures": '{"inspected":1,"accepted":2}'}
    assert reason(outcome_of(raw(employee_id='"E9"', **inconsistent))) == "inconsistent"
    assert reason(outcome_of(raw(measures='{"inspected":1,"accepted":2,"A":1}'))) == "bad_measure"
