"""What is applied is not applied again, and nothing is passed over in silence."""

from __future__ import annotations

import pytest

from agents.decoded import DecodedChunk, decode, memo_of
from agents.gate import ChunkBeyond, admits
from agents.transport.errors import RecoverableError
from schemas.event import Row


def _chunk(first: int, behind: int) -> DecodedChunk:
    return decode([Row(offset, 0, None, None, None) for offset in range(first, behind)], memo_of("qc-events", 0, 1))


def test_what_is_expected_is_admitted() -> None:
    """A chunk that begins at the next offset."""
    assert admits("qc-events", _chunk(5, 8), 5, 0)


def test_what_is_applied_already_is_not() -> None:
    """A chunk that comes again; one that overlaps is, for what is new in it."""
    assert not admits("qc-events", _chunk(2, 5), 5, 0)
    assert admits("qc-events", _chunk(2, 8), 5, 0)


def test_a_chunk_from_beyond_is_refused() -> None:
    """Records in between would be lost: the worker starts again."""
    with pytest.raises(ChunkBeyond, match="begins at 6, expected 5") as refused:
        admits("qc-events", _chunk(6, 8), 5, 0)
    assert isinstance(refused.value, RecoverableError)


def test_what_retention_has_taken_is_no_gap() -> None:
    """The log begins later than the state goes on: there is nothing in between."""
    assert admits("qc-events", _chunk(6, 8), 5, 6)
    with pytest.raises(ChunkBeyond):
        admits("qc-events", _chunk(7, 8), 5, 6)
