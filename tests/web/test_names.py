"""Ids from an address: what the contract allows passes, everything else does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.web.names import path_segments, unit_segment, valid_employee, valid_unit


@pytest.mark.parametrize("text", ["E0261", "a.b:c_d-e", "x" * 64, "."])
def test_ids_of_the_contract_are_employees(text: str) -> None:
    """`[A-Za-z0-9_.:-]{1,64}`."""
    assert valid_employee(text)


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "é", "a/b", "E1\n", "<b>", "٤"])
def test_everything_else_is_no_employee(text: str) -> None:
    """Also what merely looks like a digit, and a line break at the end."""
    assert not valid_employee(text)


@pytest.mark.parametrize("text", ["L03", "三号线 / 装配", "x" * 128, "a<b>&\"'"])
def test_units_are_any_text(text: str) -> None:
    """Up to 128 characters; it is escaped where it is shown."""
    assert valid_unit(text)


@pytest.mark.parametrize("text", ["", "x" * 129, "a\nb", "\x00", "\ud800", "a\x7f"])
def test_control_characters_and_surrogates_are_no_unit(text: str) -> None:
    """They would break a log line or the whole metrics page."""
    assert not valid_unit(text)


@given(st.text(min_size=1, max_size=128).filter(valid_unit))
def test_a_unit_comes_back_from_its_address(unit: str) -> None:
    """Slashes, percent signs and other scripts included."""
    assert ["board", unit] == path_segments(f"/board/{unit_segment(unit)}".encode())


def test_a_query_is_no_part_of_the_path() -> None:
    """Some servers give it along."""
    assert path_segments(b"/board/L03?lang=zh/x") == ["board", "L03"]


def test_wrong_utf_8_in_an_address_is_no_error() -> None:
    """It becomes a replacement character, and so an unknown unit."""
    assert path_segments(b"/board/%FF") == ["board", "\ufffd"]
