"""Headers come back as they were given."""

import pytest

from agents.transport.headers import pack_headers, unpack_headers


def test_order_doublets_and_missing_values_survive() -> None:
    """Names keep their order, may repeat, and may have no value."""
    pairs = [("reason", b"schema"), ("at", None), ("reason", b"\x00\xff")]
    assert pairs == unpack_headers(pack_headers(pairs))


def test_no_headers_are_none() -> None:
    """Nothing is stored for a record without headers."""
    assert pack_headers([]) is None
    assert pack_headers(None) is None
    assert unpack_headers(None) == []


def test_mapping_is_taken_too() -> None:
    """A mapping is the list of its items."""
    assert unpack_headers(pack_headers({"a": b"1"})) == [("a", b"1")]


def test_text_value_is_refused() -> None:
    """A value that is no bytes is named in the error."""
    with pytest.raises(TypeError, match="'a': 'text'"):
        pack_headers([("a", "text")])  # type: ignore[list-item]
