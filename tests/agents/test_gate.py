"""What is applied is not applied again, and nothing is passed over in silence."""

from __future__ import annotations

import pytest

from agents.gate import ChunkBeyond, admit
from agents.transport.errors import RecoverableError
from schemas.event import Row


def _rows(first: int, behind: int) -> list[Row]:
    return [Row(offset, 0, None, None, None) for offset in range(first, behind)]


def test_what_is_expected_is_admitted_whole() -> None:
    """A chunk that begins at the next offset."""
    assert _rows(5, 8) == admit("qc-events", _rows(5, 8), 5, 0)


def test_what_is_applied_already_is_left_out() -> None:
    """A chunk that comes again, and one that overlaps."""
    assert [] == admit("qc-events", _rows(2, 5), 5, 0)
    assert _rows(5, 8) == admit("qc-events", _rows(2, 8), 5, 0)


def test_a_chunk_from_beyond_is_refused() -> None:
    """Records in between would be lost: the worker starts again."""
    with pytest.raises(ChunkBeyond, match="begins at 6, expected 5") as refused:
        admit("qc-events", _rows(6, 8), 5, 0)
    assert isinstance(refused.value, RecoverableError)


def test_what_retention_has_taken_is_no_gap() -> None:
    """The log begins later than the state goes on: there is nothing in between."""
    assert _rows(6, 8) == admit("qc-events", _rows(6, 8), 5, 6)
    with pytest.raises(ChunkBeyond):
        admit("qc-events", _rows(7, 8), 5, 6)
