"""Windows: their texts, the pane rule, and calendars whose days have 23, 24 or 25 hours, or no midnight."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.instants import DAY, FIRST, HOUR, LAST, MINUTE
from stream.window import (
    CALENDAR_KINDS,
    MAX_MINUTES,
    QUARTER_HOUR,
    Window,
    WindowError,
    calendar_bounds,
    parse_window,
    rolling_bounds,
)

ZONES = sorted(available_timezones() - {"Factory", "localtime"})


def ms(text: str) -> int:
    """Milliseconds of an ISO 8601 text with an offset."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def local(instant: int, zone: str) -> str:
    """An instant as the zone's clocks show it."""
    return datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("text", "minutes", "grain"),
    [
        ("rolling 1m", 1, MINUTE),
        ("rolling 60m", 60, MINUTE),
        ("rolling 180m", 180, MINUTE),
        ("rolling 195m", 195, QUARTER_HOUR),
        ("rolling 10080m", 10_080, QUARTER_HOUR),
        ("rolling 11520m", 11_520, DAY),
        ("rolling 527040m", 527_040, DAY),
    ],
)
def test_rolling_text(text: str, minutes: int, grain: int) -> None:
    """The pane length follows from the number of minutes."""
    assert Window(text, "rolling", minutes, grain) == parse_window(text)


@pytest.mark.parametrize("text", ["shift", *CALENDAR_KINDS, "all"])
def test_named_text(text: str) -> None:
    """A named window is its own kind and has no panes."""
    window = parse_window(text)
    assert (text, text, 0, 0) == (window.text, window.kind, window.minutes, window.grain)
    assert window.is_calendar == (text in CALENDAR_KINDS)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("rolling 527041m", "write at most 527040 minutes"),
        ("rolling 999999999m", "write at most 527040 minutes"),
        ("rolling 2h", "write rolling 120m"),
        ("rolling 7d", "write rolling 10080m"),
        ("rolling 0m", "write rolling 60m or one of"),
        ("rolling 060m", "write rolling 60m or one of"),
        ("rolling  60m", "write rolling 60m or one of"),
        ("rolling 60m ", "write rolling 60m or one of"),
        ("rolling ６０m", "write rolling 60m or one of"),
        ("Month", "did you mean month?"),
        ("weekly", "did you mean week?"),
        ("", "write rolling 60m or one of"),
    ],
)
def test_refused_text(text: str, remedy: str) -> None:
    """What is no window is refused with what would be right."""
    with pytest.raises(WindowError) as caught:
        parse_window(text)
    assert caught.value.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("text", "at", "first", "end"),
    [
        ("rolling 60m", "2026-03-02T08:15:30+00:00", "2026-03-02T07:16:00+00:00", "2026-03-02T08:16:00+00:00"),
        ("rolling 60m", "2026-03-02T08:15:00+00:00", "2026-03-02T07:16:00+00:00", "2026-03-02T08:16:00+00:00"),
        ("rolling 1m", "2026-03-02T08:15:59.999+00:00", "2026-03-02T08:15:00+00:00", "2026-03-02T08:16:00+00:00"),
        ("rolling 240m", "2026-03-02T08:14:00+00:00", "2026-03-02T04:15:00+00:00", "2026-03-02T08:15:00+00:00"),
        ("rolling 11520m", "2026-03-10T08:00:00+00:00", "2026-03-03T00:00:00+00:00", "2026-03-11T00:00:00+00:00"),
    ],
)
def test_rolling_bounds(text: str, at: str, first: str, end: str) -> None:
    """A rolling window ends with the whole pane that holds the as-of."""
    assert (ms(first), ms(end)) == rolling_bounds(parse_window(text), ms(at))


whole_minutes = st.one_of(
    st.integers(1, 180),
    st.integers(13, 672).map(lambda n: n * 15),
    st.integers(8, 366).map(lambda n: n * 1440),
)


@settings(deadline=None)
@given(whole_minutes, st.integers(FIRST, LAST))
def test_panes_are_those_of_the_contract(minutes: int, t: int) -> None:
    """The panes inside are exactly those whose start lies in (floor(t, g) - N, floor(t, g)]."""
    window = parse_window(f"rolling {minutes}m")
    first, end = rolling_bounds(window, t)
    floor = t // window.grain * window.grain
    starts = range(
        floor - (minutes * MINUTE // window.grain + 1) * window.grain, floor + 2 * window.grain, window.grain
    )
    inside = [start for start in starts if floor - minutes * MINUTE < start <= floor]
    assert inside == list(range(first, end, window.grain))
    assert minutes * MINUTE == end - first


@settings(deadline=None)
@given(st.integers(1, MAX_MINUTES))
def test_every_number_of_minutes_is_a_window_or_names_one(minutes: int) -> None:
    """A number of minutes that is no whole number of panes is answered with numbers that are."""
    text = f"rolling {minutes}m"
    try:
        assert minutes == parse_window(text).minutes
    except WindowError as error:
        for near in error.remedy.removeprefix("write ").split(" or "):
            assert parse_window(near).minutes != minutes


@pytest.mark.parametrize(
    ("kind", "zone", "at", "start", "end"),
    [
        ("day", "Asia/Shanghai", "2026-03-02T08:15+08:00", "2026-03-02T00:00:00+08:00", "2026-03-03T00:00:00+08:00"),
        ("day", "America/New_York", "2024-03-10T12:00-04:00", "2024-03-10T00:00:00-05:00", "2024-03-11T00:00:00-04:00"),
        ("day", "America/New_York", "2024-11-03T12:00-05:00", "2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00"),
        ("day", "Asia/Kolkata", "2026-03-01T23:59+05:30", "2026-03-01T00:00:00+05:30", "2026-03-02T00:00:00+05:30"),
        # Midnight does not exist: the day begins at 01:00.
        (
            "day",
            "America/Sao_Paulo",
            "2018-11-04T12:00-02:00",
            "2018-11-04T01:00:00-02:00",
            "2018-11-05T00:00:00-02:00",
        ),
        (
            "day",
            "America/Sao_Paulo",
            "2018-11-03T23:59-03:00",
            "2018-11-03T00:00:00-03:00",
            "2018-11-04T01:00:00-02:00",
        ),
        ("day", "Asia/Beirut", "2022-03-27T12:00+03:00", "2022-03-27T01:00:00+03:00", "2022-03-28T00:00:00+03:00"),
        # The clocks went from 23:30 to 00:30: the day begins with the second.
        ("day", "America/Toronto", "1919-03-31T12:00-04:00", "1919-03-31T00:30:00-04:00", "1919-04-01T00:00:00-04:00"),
        # Midnight comes twice: the day begins with the first.
        ("day", "America/Havana", "2025-11-02T12:00-05:00", "2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00"),
        # One minute past midnight the clocks went back to the old date: that hour belongs to the new day.
        ("day", "America/St_Johns", "2010-11-06T23:30-03:30", "2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30"),
        # 30 December 2011 does not exist.
        ("day", "Pacific/Apia", "2011-12-29T12:00-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"),
        ("day", "Pacific/Apia", "2011-12-31T00:00+14:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"),
        ("week", "Asia/Shanghai", "2026-03-01T23:00+08:00", "2026-02-23T00:00:00+08:00", "2026-03-02T00:00:00+08:00"),
        ("week", "UTC", "2021-01-03T00:00+00:00", "2020-12-28T00:00:00+00:00", "2021-01-04T00:00:00+00:00"),
        ("week", "Europe/Berlin", "2024-03-31T12:00+02:00", "2024-03-25T00:00:00+01:00", "2024-04-01T00:00:00+02:00"),
        ("month", "UTC", "2024-02-29T23:59+00:00", "2024-02-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
        ("month", "Asia/Shanghai", "2026-02-28T18:00+00:00", "2026-03-01T00:00:00+08:00", "2026-04-01T00:00:00+08:00"),
        (
            "quarter",
            "Asia/Shanghai",
            "2026-06-30T23:59+08:00",
            "2026-04-01T00:00:00+08:00",
            "2026-07-01T00:00:00+08:00",
        ),
        (
            "quarter",
            "Europe/Berlin",
            "2026-12-31T23:59+01:00",
            "2026-10-01T00:00:00+02:00",
            "2027-01-01T00:00:00+01:00",
        ),
        ("year", "Asia/Kolkata", "2026-01-01T00:00+05:30", "2026-01-01T00:00:00+05:30", "2027-01-01T00:00:00+05:30"),
    ],
)
def test_calendar_bounds(kind: str, zone: str, at: str, start: str, end: str) -> None:
    """A calendar window runs from its first day's first instant to the next window's, on the zone's clocks."""
    bounds = calendar_bounds(kind, zone, ms(at))
    assert [start, end] == [local(instant, zone) for instant in bounds]


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("America/New_York", "2024-03-10T12:00-04:00", 23),
        ("America/New_York", "2024-11-03T12:00-05:00", 25),
        ("America/Sao_Paulo", "2018-11-04T12:00-02:00", 23),
        ("Asia/Beirut", "2022-03-27T12:00+03:00", 23),
        ("Asia/Shanghai", "2026-03-29T12:00+08:00", 24),
        ("Australia/Lord_Howe", "2024-04-07T12:00+10:30", 24.5),
    ],
)
def test_length_of_days(zone: str, noon: str, hours: float) -> None:
    """Days of 23 or 25 hours are days."""
    start, end = calendar_bounds("day", zone, ms(noon))
    assert hours == (end - start) / HOUR


@settings(deadline=None)
@given(st.sampled_from(CALENDAR_KINDS), st.sampled_from(ZONES), st.integers(FIRST, LAST))
@example("day", "America/St_Johns", ms("2010-11-07T02:31+00:00"))
@example("day", "Pacific/Apia", ms("2011-12-30T10:00+00:00"))
@example("month", "America/Sao_Paulo", ms("2018-11-04T03:00+00:00"))
def test_windows_tile_time(kind: str, zone: str, t: int) -> None:
    """Every instant lies in exactly one window of a kind: neighbours meet, and all instants inside agree."""
    start, end = calendar_bounds(kind, zone, t)
    assert start <= t < end
    assert (start, end) == calendar_bounds(kind, zone, start) == calendar_bounds(kind, zone, end - 1)
    assert start == calendar_bounds(kind, zone, start - 1)[1]
    assert end == calendar_bounds(kind, zone, end)[0]


@settings(deadline=None)
@given(st.sampled_from(["week", "month", "quarter", "year"]), st.sampled_from(ZONES), st.integers(FIRST, LAST))
def test_longer_windows_are_made_of_days(kind: str, zone: str, t: int) -> None:
    """A longer window begins and ends where a day does."""
    start, end = calendar_bounds(kind, zone, t)
    assert start == calendar_bounds("day", zone, start)[0]
    assert end == calendar_bounds("day", zone, end)[0]


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.integers(FIRST, LAST))
def test_a_day_begins_with_its_date(zone: str, t: int) -> None:
    """At a day's first instant the date on the zone's clocks turns to one that nothing in the day is younger than."""
    start, _ = calendar_bounds("day", zone, t)
    date = datetime.fromtimestamp(start / 1000, ZoneInfo(zone)).date()
    assert datetime.fromtimestamp(start / 1000 - 1, ZoneInfo(zone)).date() < date
    assert datetime.fromtimestamp(t / 1000, ZoneInfo(zone)).date() <= date


@pytest.mark.parametrize("kind", ["rolling", "all", "shift", "decade"])
def test_kinds_without_a_calendar(kind: str) -> None:
    """A kind that no calendar bounds is refused by name."""
    with pytest.raises(ValueError, match=kind):
        calendar_bounds(kind, "UTC", ms("2026-03-02T00:00+00:00"))


def test_utc_days_are_whole_days() -> None:
    """In UTC a day is 24 hours from midnight."""
    t = ms("2026-03-02T08:15+00:00")
    assert (t - t % DAY, t - t % DAY + DAY) == calendar_bounds("day", "UTC", t)
    assert datetime.fromtimestamp(calendar_bounds("day", "UTC", t)[0] / 1000, UTC).hour == 0


def test_a_length_that_is_no_whole_number_of_panes() -> None:
    """A window of 200 minutes holds the 15-minute panes that start less than 200 minutes before the last one."""
    window = parse_window("rolling 200m")
    t = 1_772_410_000_000
    first, end = rolling_bounds(window, t)
    last = t - t % window.grain
    starts = [s for s in range(last - 300 * 60_000, last + 1) if s % window.grain == 0 and s > last - 200 * 60_000]
    assert (min(starts), last + window.grain) == (first, end)
    assert len(starts) == 14
