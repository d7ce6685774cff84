"""Numbers are exact or refused; digests tell contents apart and say where a content is from."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.measures import MAX_MEASURE, MICRO, content_digest, digest, dims_of, is_from, measures_of, micro_of


@settings(deadline=None)
@given(st.integers(-MAX_MEASURE * MICRO, MAX_MEASURE * MICRO))
def test_every_number_of_six_decimals_is_exact(micro: int) -> None:
    """The nearest double of k millionths is read as k, over the whole range."""
    assert micro == micro_of(float(Decimal(micro) / MICRO))


@settings(deadline=None)
@given(st.floats(-1e9, 1e9))
def test_a_finer_number_is_refused_not_rounded(number: float) -> None:
    """A double is accepted exactly when it is the one nearest to its own rounding."""
    accepted = micro_of(number)
    assert (accepted is not None) == (float(f"{number:.6f}") == number)
    if accepted is not None:
        assert float(Decimal(accepted) / MICRO) == number


@pytest.mark.parametrize("number", [True, False, None, "1", float("nan"), float("inf"), 1e9 + 1, 10**9 + 1, 10**400])
def test_what_is_no_number_in_range_is_refused(number: object) -> None:
    """Booleans, texts and what is not finite are no numbers."""
    assert None is micro_of(number)


@pytest.mark.parametrize(
    ("measures", "holds"),
    [
        ({"inspected": 10, "accepted": 9, "reworked": 9, "scrapped": 1}, True),
        ({"inspected": 0, "accepted": 0}, True),
        ({"inspected": 10, "accepted": 9, "other": -0.5}, True),
        ({"inspected": 10}, False),
        ({"accepted": 0}, False),
        ({"inspected": 10, "accepted": 11}, False),
        ({"inspected": 10, "accepted": 9, "reworked": 10}, False),
        ({"inspected": 10, "accepted": 9, "scrapped": 2}, False),
        ({"inspected": 10, "accepted": 9.5}, False),
        ({"inspected": 10, "accepted": 9, "reworked": -1}, False),
    ],
)
def test_the_rules_of_an_inspection(measures: dict[str, object], holds: bool) -> None:
    """Whole numbers, none negative, each within what it is a part of."""
    found = measures_of(measures)
    assert not isinstance(found, str)
    assert holds is found.inspection


def test_equal_content_has_equal_digests_however_it_is_written() -> None:
    """Measures by value and in any order; dims in any order; nothing else."""
    one, same = measures_of({"a": 1, "b": 2.5}), measures_of({"b": 2.5, "a": 1.0})
    other = measures_of({"a": 1, "b": 2.500001})
    assert not isinstance(one, str)
    assert not isinstance(same, str)
    assert not isinstance(other, str)
    assert one.digest == same.digest != other.digest
    dims, turned, odd = dims_of({"a": "1", "b": "2"}), dims_of({"b": "2", "a": "1"}), dims_of({"a": "1b", "": ""})
    assert isinstance(odd, str)
    assert not isinstance(dims, str)
    assert not isinstance(turned, str)
    assert (dims.digest, dims.content) == (turned.digest, turned.content)


def test_a_content_says_where_it_is_from() -> None:
    """Its source can be told from the digest, whatever else is in it."""
    content = content_digest("measures", "a=1") ^ content_digest("type", "qc.x") ^ digest("source", "aoi")
    assert is_from(content, "aoi")
    assert not is_from(content, "erp")


def test_a_vector_begins_with_the_event_itself() -> None:
    """One, then the named measures in millionths, 0 for an absent one."""
    found = measures_of({"a": 1.5, "b": -2})
    assert not isinstance(found, str)
    assert (1, -2_000_000, 0, 1_500_000) == found.vector("b c a")
