"""Instants are read strictly and written so that they come back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instants import FIRST, LAST, format_rfc3339, parse_rfc3339


@settings(deadline=None)
@given(st.integers(FIRST, LAST))
def test_what_is_written_is_read_back(at: int) -> None:
    """To the millisecond, in any of the contract's spellings and any zone."""
    text = format_rfc3339(at)
    assert at == parse_rfc3339(text)
    assert at == parse_rfc3339(text.replace("T", " ").replace("Z", "z"))
    assert at == parse_rfc3339(text.replace("Z", "999+00:00"))
    assert at - 90 * 60_000 == parse_rfc3339(text.replace("Z", "+01:30"))
    assert at + 90 * 60_000 == parse_rfc3339(text.replace("Z", "-01:30"))


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-03-02", "2026-03-02T08:15:00", "2026-03-02T08:15Z", "2026-03-02T08:15:60Z", "2026-03-02T24:00:00Z",
        "2026-02-30T08:15:00Z", "2026-13-01T08:15:00Z", "2026-03-02T08:15:00+24:00", "2026-03-02T08:15:00+00:60",
        "2026-03-02T08:15:00.Z", "2026-03-02T08:15:00,5Z", "+2026-03-02T08:15:00Z", " 2026-03-02T08:15:00Z",
        "2026-03-02T08:15:00Z\n", "2026-03-02T08:15:00 Z", "٢026-03-02T08:15:00Z", "0000-03-02T08:15:00Z",
    ],
)  # fmt: skip
def test_what_is_no_instant_with_a_zone_is_refused(text: str) -> None:
    """One spelling too many, a leap second, a day that is none: no instant."""
    assert None is parse_rfc3339(text)
