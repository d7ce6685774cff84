"""Times are read strictly: each text here has one answer, counted by hand."""

import pytest

from agents.oracle.instants import occurred_at, parse_instant

MIDNIGHT = 1_772_409_600_000  # 2026-03-02T00:00:00Z

GOOD = {
    "2026-03-02T00:00:00Z": MIDNIGHT,
    "2026-03-02t00:00:00z": MIDNIGHT,
    "2026-03-02 00:00:00Z": MIDNIGHT,
    "2026-03-02T08:15:00+08:00": MIDNIGHT + 15 * 60_000,
    "2026-03-01T19:00:00-05:00": MIDNIGHT,
    "2026-03-02T00:00:00-00:00": MIDNIGHT,
    "2026-03-02T23:59:00+23:59": MIDNIGHT,
    "2026-03-01T00:01:00-23:59": MIDNIGHT,
    "2026-03-02T00:00:00.5Z": MIDNIGHT + 500,
    "2026-03-02T00:00:00.123Z": MIDNIGHT + 123,
    "2026-03-02T00:00:00.1239999999999999999999999Z": MIDNIGHT + 123,
    "2026-03-02T00:00:00.0009Z": MIDNIGHT,
    "2024-02-29T00:00:00Z": 1_709_164_800_000,
    "2000-02-29T00:00:00Z": 951_782_400_000,
    "2000-01-01T00:00:00Z": 946_684_800_000,
    "1999-12-31T23:00:00-01:00": 946_684_800_000,
    "2100-01-01T00:00:00Z": 4_102_444_800_000,
    "2100-01-01T08:00:00+08:00": 4_102_444_800_000,
    "2100-01-01T00:00:00.0009Z": 4_102_444_800_000,
}

BAD = [
    "",
    "now",
    "2026-03-02",
    "2026-03-02T00:00:00",
    "2026-03-02T00:00Z",
    "2026-03-02T23:59:60Z",
    "2016-12-31T23:59:60Z",
    "2026-03-02T24:00:00Z",
    "2026-03-02T00:60:00Z",
    "2026-03-02T00:00:00+24:00",
    "2026-03-02T00:00:00+08:60",
    "2026-03-02T00:00:00+0800",
    "2026-03-02T00:00:00+08",
    "2026-03-02T00:00:00.Z",
    "2026-03-02T00:00:00,5Z",
    "2026-03-02_00:00:00Z",
    "2026-3-2T00:00:00Z",
    "20260302T000000Z",
    "2026-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-03-00T00:00:00Z",
    "0000-01-01T00:00:00Z",
    " 2026-03-02T00:00:00Z",
    "2026-03-02T00:00:00Z\n",
    "2026-03-02T00:00:00 Z",
    "２０２６-03-02T00:00:00Z",
    "2026-03-02T00:00:00\u221208:00",
    "1999-12-31T23:59:59.9999Z",
    "2100-01-01T00:00:00.001Z",
]


@pytest.mark.parametrize(("text", "instant"), GOOD.items())
def test_good_time_is_cut_to_milliseconds(text: str, instant: int) -> None:
    """An RFC 3339 text gives the millisecond it lies in."""
    assert instant == occurred_at(text)


@pytest.mark.parametrize("text", BAD)
def test_bad_time_is_none(text: str) -> None:
    """What is not RFC 3339 with a zone, or lies outside 2000..2100, has no instant."""
    assert occurred_at(text) is None


@pytest.mark.parametrize(
    ("number", "instant"),
    [
        (946_684_800_000, 946_684_800_000),
        (4_102_444_800_000, 4_102_444_800_000),
        (1_772_409_600_000.0, None),  # not written as an integer
        (946_684_799_999, None),
        (4_102_444_800_001, None),
        (1_772_409_600_000.5, None),
        (1_772_409_600, None),
        (float("inf"), None),
        (10**300, None),
    ],
)
def test_an_integer_is_milliseconds_within_the_bounds(number: float, instant: int | None) -> None:
    """A number counts as milliseconds when it is written as an integer and within the inclusive bounds."""
    assert instant == occurred_at(number)


def test_the_bounds_hold_for_events_only() -> None:
    """A template may take effect at any instant."""
    assert parse_instant("1970-01-01T00:00:00Z") == 0
