"""No input stops the oracle: whatever bytes come, each record ends in one of the contract's words."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.logs import event, outcome_of

WORDS = {
    "held", "unused", "scored", "late", "duplicate", "rejected:not_json", "rejected:schema", "rejected:bad_id",
    "rejected:bad_time", "rejected:in_future", "rejected:bad_measure", "rejected:inconsistent",
    "rejected:key_mismatch", "rejected:unknown_type", "rejected:wrong_topic", "rejected:conflict",
    "rejected:too_large",
}  # fmt: skip

FIELDS = ["event_id", "type", "employee_id", "occurred_at", "source", "measures", "dims", "corrects", "extra"]
TEXTS = st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs", "Cc"]), max_size=140)
NUMBERS = st.integers() | st.floats() | st.sampled_from([1e9, 1e9 + 1e-6, 0.1, 1e-7, 10**30])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_word(value: bytes) -> None:
    """Bytes that are no event are rejected, never raised."""
    assert outcome_of(value).startswith("rejected:")


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(FIELDS), JSON)
def test_any_json_in_any_field_ends_in_a_word(field: str, value: Any) -> None:
    """One field of a valid event replaced by anything."""
    assert outcome_of(json.dumps(event() | {field: value}).encode()) in WORDS


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e9, 1e9) | st.integers(-(10**15), 10**15).map(lambda micro: micro / 1e6))
def test_measure_counts_exactly_when_it_equals_its_rounding(number: float) -> None:
    """The rule of the contract, as it is written there."""
    outcome = outcome_of(event(type="qc.check", measures={"a": number}))
    assert outcome == ("unused" if float(f"{number:.6f}") == number else "rejected:bad_measure")
