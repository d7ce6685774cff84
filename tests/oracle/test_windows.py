"""Windows, their bounds counted by hand from the calendar."""

from datetime import UTC, datetime

import pytest

from agents.oracle.windows import calendar_span, parse_window, rolling_span
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MINUTE


def ms(text: str) -> int:
    """Milliseconds of a UTC time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("minutes", "as_of", "first", "end"),
    [
        (60, "2026-03-02T12:34:56.789", "2026-03-02T11:35", "2026-03-02T12:35"),
        (60, "2026-03-02T12:34:00", "2026-03-02T11:35", "2026-03-02T12:35"),
        (1, "2026-03-02T12:34:59.999", "2026-03-02T12:34", "2026-03-02T12:35"),
        (180, "2026-03-02T12:34:56", "2026-03-02T09:35", "2026-03-02T12:35"),
        (181, "2026-03-02T12:34:56", "2026-03-02T09:30", "2026-03-02T12:45"),
        (240, "2026-03-02T12:34:56", "2026-03-02T08:45", "2026-03-02T12:45"),
        (10080, "2026-03-02T12:34:56", "2026-02-23T12:45", "2026-03-02T12:45"),
        (10081, "2026-03-02T12:34:56", "2026-02-23T00:00", "2026-03-03T00:00"),
        (43200, "2026-03-02T12:34:56", "2026-02-01T00:00", "2026-03-03T00:00"),
    ],
)
def test_rolling_window_is_whole_panes(minutes: int, as_of: str, first: str, end: str) -> None:
    """Panes of a minute up to 180 minutes, of a quarter of an hour up to a week, of a UTC day beyond."""
    assert (ms(first), ms(end)) == rolling_span(minutes, ms(as_of))


@pytest.mark.parametrize(
    ("kind", "zone", "as_of", "start", "end"),
    [
        ("day", "UTC", "2026-03-02T23:59:59.999", "2026-03-02T00:00", "2026-03-03T00:00"),
        ("day", "Asia/Shanghai", "2026-03-01T16:00", "2026-03-01T16:00", "2026-03-02T16:00"),
        ("day", "Asia/Shanghai", "2026-03-01T15:59:59.999", "2026-02-28T16:00", "2026-03-01T16:00"),
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 h
        ("day", "Europe/Berlin", "2026-10-25T00:30", "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 h, first 02:30
        ("day", "Europe/Berlin", "2026-10-25T01:30", "2026-10-24T22:00", "2026-10-25T23:00"),  # second 02:30
        ("day", "Australia/Lord_Howe", "2026-04-05T00:00", "2026-04-04T13:00", "2026-04-05T13:30"),  # 24.5 h
        ("day", "America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00", "2018-11-05T02:00"),  # no midnight
        ("day", "America/Havana", "2026-11-01T04:30", "2026-11-01T04:00", "2026-11-02T05:00"),  # two midnights
        ("day", "America/Havana", "2026-11-01T05:30", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("day", "Pacific/Apia", "2011-12-30T09:59", "2011-12-29T10:00", "2011-12-30T10:00"),  # Dec 30 never was
        ("day", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("week", "UTC", "2026-03-01T23:59", "2026-02-23T00:00", "2026-03-02T00:00"),  # a Sunday
        ("week", "UTC", "2026-03-02T00:00", "2026-03-02T00:00", "2026-03-09T00:00"),  # a Monday
        ("week", "UTC", "2027-01-01T12:00", "2026-12-28T00:00", "2027-01-04T00:00"),  # ISO week 2026-W53
        ("week", "Europe/Berlin", "2026-03-29T12:00", "2026-03-22T23:00", "2026-03-29T22:00"),
        ("month", "UTC", "2024-02-29T23:59", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("month", "Asia/Shanghai", "2026-02-28T16:00", "2026-02-28T16:00", "2026-03-31T16:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("quarter", "UTC", "2026-03-31T23:59", "2026-01-01T00:00", "2026-04-01T00:00"),
        ("quarter", "UTC", "2026-08-15T00:00", "2026-07-01T00:00", "2026-10-01T00:00"),
        ("quarter", "Europe/Berlin", "2026-12-31T22:59", "2026-09-30T22:00", "2026-12-31T23:00"),
        ("year", "UTC", "2024-12-31T23:59", "2024-01-01T00:00", "2025-01-01T00:00"),
        ("year", "Asia/Shanghai", "2025-12-31T16:00", "2025-12-31T16:00", "2026-12-31T16:00"),
    ],
)
def test_calendar_window_follows_the_zone(kind: str, zone: str, as_of: str, start: str, end: str) -> None:
    """Calendar windows begin and end at local midnight, however many hours lie between."""
    assert (ms(start), ms(end)) == calendar_span(kind, zone, ms(as_of))


@pytest.mark.parametrize("zone", ["America/St_Johns", "Europe/Berlin", "Asia/Gaza", "Pacific/Apia", "Africa/Cairo"])
def test_days_never_overlap_and_leave_nothing_out(zone: str) -> None:
    """Day after day of 2010 and 2011, one window ends where the next begins, and holds the moment it is asked for."""
    as_of = ms("2010-01-01T00:00")
    while as_of < ms("2012-01-01T00:00"):
        start, end = calendar_span("day", zone, as_of)
        assert start <= as_of < end
        assert (start, end) == calendar_span("day", zone, end - 1)
        assert end == calendar_span("day", zone, end)[0]
        as_of = end


def test_clocks_set_back_over_midnight_leave_one_day_each() -> None:
    """In St. John's the minute after midnight led back to 23:01 until 2011: what came again belongs to the new day."""
    midnight = ms("2010-11-07T02:30")
    repeated = midnight + 31 * MINUTE  # 23:31 for the second time, one minute after 00:00 the clocks went back
    assert midnight == calendar_span("day", "America/St_Johns", repeated)[0]
    assert midnight + 25 * HOUR == calendar_span("day", "America/St_Johns", repeated)[1]


@pytest.mark.parametrize("text", ["rolling 0m", "rolling 1h", "rolling m", "rolling 060m", "daily", "", "Day", "day "])
def test_unknown_window_is_an_error(text: str) -> None:
    """Windows are `rolling Nm`, shift, the calendar's and all."""
    with pytest.raises(ValueError, match="is unknown"):
        parse_window(text)


def test_rolling_windows_partition_time() -> None:
    """The first pane of a window starts right after the last one of the window N minutes earlier."""
    for minutes in (1, 60, 180):
        first, end = rolling_span(minutes, MIDNIGHT + DAY // 3)
        assert minutes * MINUTE == end - first
        assert first == rolling_span(minutes, MIDNIGHT + DAY // 3 - minutes * MINUTE)[1]
