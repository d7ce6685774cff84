"""The shift of a unit at an instant, worked out by hand; instants are UTC unless a comment says so."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agents.oracle.shift_calendar import read_calendar
from agents.oracle.shifts import Calendars, instant
from tests.oracle.logs import HOUR, MIDNIGHT, calendar

DAY_AND_NIGHT = "{day: {start: '06:00', end: '22:00'}, night: {start: '22:00', end: '06:00'}}"
DAILY = "{first: 2026-03-02, days: [[early]]}"


def ms(text: str) -> int:
    """The instant of a UTC text."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def in_utc(at: float) -> str:
    """The UTC text of an instant, "" for never."""
    return "" if at == float("inf") else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def shift(at: str, *texts: str, unit: str = "L1") -> tuple[str, str] | None:
    """(start, end) of the unit's shift at a UTC text, under these calendars."""
    found = Calendars(map(read_calendar, texts)).shift(unit, ms(at))
    return None if found is None else (in_utc(found[0]), in_utc(found[1]))


def daily(start: str, end: str, early: str = "15m", zone: str = "Europe/Berlin", breaks: str = "[]") -> str:
    """A calendar with one shift a day."""
    body = f"{{early: {{start: '{start}', end: '{end}', breaks: {breaks}}}}}"
    return calendar(shifts=body, early=early, timezone=zone, effective_from="2010-01-01T00:00:00Z")


def daily_two(first: tuple[str, str], second: tuple[str, str], early: str = "15m", zone: str = "Europe/Berlin") -> str:
    """A calendar with two shifts a day."""
    one, two = (f"{{start: '{start}', end: '{end}'}}" for start, end in (first, second))
    days = "{first: 2026-03-02, days: [[one, two]]}"
    return calendar(
        shifts=f"{{one: {one}, two: {two}}}", early=early, timezone=zone, cycle=days,
        effective_from="2010-01-01T00:00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2026-01-13 20:44:59.999", "2026-01-12 20:45", "2026-01-13 20:45"),
        ("2026-01-13 20:45", "2026-01-13 20:45", "2026-01-14 20:45"),
        ("2026-01-13 23:30", "2026-01-13 20:45", "2026-01-14 20:45"),  # after midnight in Berlin
        ("2026-01-14 04:59", "2026-01-13 20:45", "2026-01-14 20:45"),
        ("2026-01-14 12:00", "2026-01-13 20:45", "2026-01-14 20:45"),  # seven hours after its end
    ],
)
def test_night_shift_goes_over_midnight_and_on_until_the_next(at: str, start: str, end: str) -> None:
    """From ten to six in Berlin, which in winter is 21:00 to 05:00: counted from a quarter of an hour before."""
    assert (start, end) == shift(at, daily("22:00", "06:00"))


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2026-03-28 23:00", "2026-03-28 21:00", "2026-03-29 04:00"),  # seven hours
        ("2026-03-29 04:00", "2026-03-29 04:00", "2026-03-29 20:00"),
        ("2026-10-25 00:30", "2026-10-24 20:00", "2026-10-25 05:00"),  # nine hours, the first 02:30
        ("2026-10-25 01:30", "2026-10-24 20:00", "2026-10-25 05:00"),  # the second 02:30
        ("2026-10-25 05:00", "2026-10-25 05:00", "2026-10-25 21:00"),
    ],
)
def test_nights_on_which_clocks_change_are_an_hour_shorter_or_longer(at: str, start: str, end: str) -> None:
    """Berlin is an hour before UTC until 29 March and from 25 October on, two between; no shift begins early here."""
    text = calendar(
        shifts=DAY_AND_NIGHT, timezone="Europe/Berlin", early="15m", cycle="{first: 2026-03-02, days: [[day, night]]}"
    )
    assert (start, end) == shift(at, text)


@pytest.mark.parametrize(
    ("text", "at", "start", "end"),
    [
        # 02:30 does not exist on 29 March: the shift starts at 01:00, when 02:00 becomes 03:00.
        (daily("02:30", "10:00"), "2026-03-29 00:44", "2026-03-28 01:15", "2026-03-29 00:45"),
        (daily("02:30", "10:00"), "2026-03-29 00:45", "2026-03-29 00:45", "2026-03-30 00:15"),
        # The one before ends at that moment, too, and the next cannot begin to count before.
        (daily_two(("22:00", "02:30"), ("02:30", "10:00")), "2026-03-29 00:59", "2026-03-28 20:45", "2026-03-29 01:00"),
        (daily_two(("22:00", "02:30"), ("02:30", "10:00")), "2026-03-29 01:00", "2026-03-29 01:00", "2026-03-29 19:45"),
        # All of it is skipped: there is none on that date.
        (daily("02:15", "02:45"), "2026-03-29 12:00", "2026-03-28 01:00", "2026-03-30 00:00"),
        # Of the two 02:30 of 25 October the first starts, and the first ends.
        (daily("02:30", "10:00"), "2026-10-25 00:15", "2026-10-25 00:15", "2026-10-26 01:15"),
        (daily_two(("22:00", "02:30"), ("02:30", "10:00")), "2026-10-25 00:29", "2026-10-24 19:45", "2026-10-25 00:30"),
        (daily_two(("22:00", "02:30"), ("02:30", "10:00")), "2026-10-25 01:30", "2026-10-25 00:30", "2026-10-25 20:45"),
        # In Apia there was no 30 December 2011: midnight of the 29th was that of the 31st, at 10:00. What starts and
        # ends on the 30th is none; what ends on it ends at that moment, what starts on it starts there.
        (daily("06:00", "14:00", zone="Pacific/Apia"), "2011-12-30 10:00", "2011-12-29 15:45", "2011-12-30 15:45"),
        (daily("22:00", "06:00", zone="Pacific/Apia"), "2011-12-30 09:59", "2011-12-30 07:45", "2011-12-30 10:00"),
        (daily("22:00", "06:00", zone="Pacific/Apia"), "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-31 07:45"),
        # Two start at that moment, at 22:00 of the 30th and at 00:00 of the 31st, and the one of the 29th ends.
        (
            daily_two(("00:00", "05:00"), ("22:00", "01:00"), zone="Pacific/Apia"),
            "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-31 07:45",
        ),
    ],
)  # fmt: skip
def test_skipped_and_doubled_times(text: str, at: str, start: str, end: str) -> None:
    """A time that is skipped is the moment of the skip, of two the first counts."""
    assert (start, end) == shift(at, text)


@pytest.mark.parametrize(
    ("zone", "day", "minute", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", 119, "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29", 120, "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29", 179, "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29", 180, "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-28", 24 * 60 + 150, "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25", 120, "2026-10-25 00:00"),
        ("Europe/Berlin", "2026-10-25", 179, "2026-10-25 00:59"),
        ("Europe/Berlin", "2026-10-25", 180, "2026-10-25 02:00"),
        ("Australia/Lord_Howe", "2026-10-04", 135, "2026-10-03 15:30"),  # half an hour, 02:00 becomes 02:30
        ("America/Sao_Paulo", "2018-11-04", 30, "2018-11-04 03:00"),  # no midnight
        ("Pacific/Apia", "2011-12-30", 720, "2011-12-30 10:00"),
    ],
)
def test_instant_of_a_local_time(zone: str, day: str, minute: int, expected: str) -> None:
    """Of a minute of the clock on a date, which may run on over its midnight."""
    assert expected == in_utc(instant(datetime.fromisoformat(day).toordinal(), minute, ZoneInfo(zone)))


def test_breaks_do_not_divide_a_shift() -> None:
    """Work in a break is work of the shift."""
    paused = daily("22:00", "06:00", breaks="[{start: '01:00', end: '01:45'}]")
    for at in ("2026-01-14 00:00", "2026-01-14 00:30", "2026-01-14 00:45"):
        assert shift(at, paused) == shift(at, daily("22:00", "06:00")) == ("2026-01-13 20:45", "2026-01-14 20:45")


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2026-03-02 05:59", "2026-02-28 14:00", "2026-03-02 06:00"),
        ("2026-03-02 06:00", "2026-03-02 06:00", "2026-03-03 14:00"),
        ("2026-03-03 14:00", "2026-03-03 14:00", "2026-03-05 06:00"),  # the 4th is free
        ("2026-02-28 13:59", "2026-02-27 06:00", "2026-02-28 14:00"),
        ("2025-03-02 15:00", "2025-03-02 14:00", "2025-03-04 06:00"),  # 365 days before: 122 cycles but for a day
    ],
)
def test_cycle_holds_before_its_first_day_too(at: str, start: str, end: str) -> None:
    """Early on 2 March, late on the 3rd, free on the 4th, and so on in both directions."""
    assert (start, end) == shift(at, calendar(cycle="{first: 2026-03-02, days: [[early], [late], []]}"))


@pytest.mark.parametrize(
    ("at", "more", "start", "end"),
    [
        ("2026-03-03 12:00", {}, "2026-03-02 06:00", "2026-03-04 06:00"),
        ("2026-03-08 12:00", {}, "2026-03-04 06:00", "2026-03-09 06:00"),
        ("2026-03-04 12:00", {"holidays": "[2026-03-04]"}, "2026-03-02 06:00", "2026-03-09 06:00"),
        (
            "2026-03-04 14:00",
            {"holidays": "[2026-03-04]", "overrides": "[{date: 2026-03-04, shifts: [late]}]"},
            "2026-03-04 14:00", "2026-03-09 06:00",
        ),
        (
            "2026-03-03 12:00",
            {"overrides": "[{date: 2026-03-03, shifts: [night]}, {date: 2026-03-04, shifts: []}]"},
            "2026-03-02 06:00", "2026-03-03 22:00",
        ),
        ("2026-03-03 22:00", {"overrides": "[{date: 2026-03-03, shifts: [night]}]"}, "2026-03-03 22:00",
         "2026-03-04 06:00"),
    ],
)  # fmt: skip
def test_week_holidays_and_overrides(at: str, more: dict[str, str], start: str, end: str) -> None:
    """Early on Mondays (2 and 9 March) and Wednesdays, unless a date says something else."""
    assert (start, end) == shift(at, calendar(cycle=None, week="{mon: [early], wed: [early]}", **more))


@pytest.mark.parametrize(
    ("early", "first_ends", "begins", "begins_tomorrow"),
    [
        ("15m", "13:00", "13:45", "05:45"),
        ("15m", "13:45", "13:45", "05:45"),
        ("15m", "13:50", "13:50", "05:45"),  # the gap is shorter than early
        ("15m", "14:00", "14:00", "05:45"),
        ("0m", "13:00", "14:00", "06:00"),
        ("6h", "06:30", "08:00", "00:00"),
        ("6h", "13:00", "13:00", "00:00"),
    ],
)
def test_shift_begins_early_but_not_before_the_one_before_has_ended(
    early: str, first_ends: str, begins: str, begins_tomorrow: str
) -> None:
    """From 06:00 to somewhen, and from 14:00 to 22:00."""
    text = daily_two(("06:00", first_ends), ("14:00", "22:00"), early, "UTC")
    first, second = shift("2026-03-02 06:15", text), shift("2026-03-02 14:00", text)
    assert first == (f"2026-03-02 {begins_tomorrow}", f"2026-03-02 {begins}")
    assert second == (f"2026-03-02 {begins}", f"2026-03-03 {begins_tomorrow}")


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2026-03-03 04:59", "2026-03-02 19:45", "2026-03-03 05:00"),
        ("2026-03-03 05:00", "2026-03-03 05:00", "2026-03-03 07:00"),
        ("2026-03-03 06:59", "2026-03-03 05:00", "2026-03-03 07:00"),
        ("2026-03-03 09:00", "2026-03-03 07:00", "2026-03-03 12:45"),
        ("2026-03-03 12:45", "2026-03-03 12:45", "2026-03-04 19:45"),
    ],
)
def test_shifts_that_overlap_begin_when_they_start(at: str, start: str, end: str) -> None:
    """One from 20:00 to 10:00 reaches into a date that works from 05:00, 07:00 and 13:00.

    Not one of the first two is early, though the one at 07:00 comes an hour after the end of the one before it; at
    13:00 all have ended for an hour.
    """
    body = (
        "{long: {start: '20:00', end: '10:00'}, a: {start: '05:00', end: '06:00'}, b: {start: '07:00', end: '12:00'}, "
        "c: {start: '13:00', end: '14:00'}}"
    )
    days = "[{date: 2026-03-03, shifts: [a, b, c]}]"
    text = calendar(shifts=body, early="15m", cycle="{first: 2026-03-01, days: [[long]]}", overrides=days)
    assert (start, end) == shift(at, text)


def test_without_any_shift_the_whole_reign_is_one() -> None:
    """From where the version takes effect, without end, or to where the next one does."""
    idle = calendar(effective_from="2026-03-01T00:00:00Z", cycle="{first: 2026-03-02, days: [[]]}")
    assert shift("2026-03-05 12:00", idle) == ("2026-03-01 00:00", "")
    after = calendar(version=2, effective_from="2026-03-07T00:00:00Z")
    assert shift("2026-03-05 12:00", idle, after) == ("2026-03-01 00:00", "2026-03-07 00:00")


def test_one_shift_in_all_time_divides_it() -> None:
    """Before it everything since the version took effect, from it on everything."""
    once = calendar(cycle="{first: 2026-03-02, days: [[]]}", overrides="[{date: 2031-03-02, shifts: [late]}]")
    assert shift("2026-03-05 12:00", once) == ("2020-01-01 00:00", "2031-03-02 14:00")
    assert shift("2039-03-05 12:00", once) == ("2031-03-02 14:00", "")


def test_far_apart_shifts_are_found() -> None:
    """A day a year, and one of those is a holiday."""
    days = f"{{first: 2026-03-02, days: [[early], {', '.join(['[]'] * 364)}]}}"
    text = calendar(cycle=days, holidays="[2027-03-02]")
    assert shift("2026-12-05 12:00", text) == ("2026-03-02 06:00", "2028-03-01 06:00")
    assert shift("2028-02-05 12:00", text) == ("2026-03-02 06:00", "2028-03-01 06:00")


A_AT_06 = calendar(calendar="m", units="[L1, L2]")
B_AT_14 = calendar(calendar="n", units="[L1, L3]", cycle="{first: 2026-03-02, days: [[late]]}")
C_AT_22 = calendar(calendar="c", cycle="{first: 2026-03-02, days: [[night]]}")
S_AT_04 = "{s: {start: '04:00', end: '05:00'}}"
CAPITAL_AT_04 = calendar(calendar="c", shifts=S_AT_04, cycle="{first: 2026-03-02, days: [[s]]}")


@pytest.mark.parametrize(
    ("unit", "texts", "start"),
    [
        ("L1", (C_AT_22, B_AT_14, A_AT_06), "2026-03-02 06:00"),
        ("L2", (C_AT_22, B_AT_14, A_AT_06), "2026-03-02 06:00"),
        ("L3", (C_AT_22, B_AT_14, A_AT_06), "2026-03-02 14:00"),
        ("L4", (C_AT_22, B_AT_14, A_AT_06), "2026-03-02 22:00"),
        ("", (C_AT_22, B_AT_14, A_AT_06), "2026-03-02 22:00"),
        ("L4", (C_AT_22, CAPITAL_AT_04), "2026-03-02 04:00"),  # capitals come before small letters
        ("L1", (CAPITAL_AT_04, A_AT_06), "2026-03-02 06:00"),  # by name before a smaller id that is for everyone
    ],
)
def test_calendar_by_name_before_everyones_then_the_smallest_id(unit: str, texts: tuple[str, ...], start: str) -> None:
    """Which calendar is in force is seen by where the shift at 23:00 began."""
    found = shift("2026-03-02 23:00", *texts, unit=unit)
    assert found is not None
    assert found[0] == start


@pytest.mark.parametrize("unit", ["L4", ""])
def test_unit_that_no_calendar_is_for_has_no_shift(unit: str) -> None:
    """Neither by name nor for everyone; no unit is named by no list."""
    assert shift("2026-03-02 23:00", A_AT_06, B_AT_14, unit=unit) is None
    assert shift("2026-03-02 23:00", unit=unit) is None


def test_there_is_no_shift_before_a_calendar_takes_effect() -> None:
    """Nor is it said what was worked then."""
    begins = calendar(effective_from="2026-03-02T10:00:00Z")
    assert shift("2026-03-02 09:59:59.999", begins) is None
    assert shift("2026-03-02 10:00", begins) == ("2026-03-02 10:00", "2026-03-03 06:00")


def test_version_that_takes_effect_during_a_shift_cuts_it() -> None:
    """At ten: what is left of the early shift is one of its own, be it the same in the new version."""
    change = calendar(version=2, effective_from="2026-03-02T10:00:00Z")
    assert shift("2026-03-02 09:00", calendar(), change) == ("2026-03-02 06:00", "2026-03-02 10:00")
    assert shift("2026-03-02 11:00", calendar(), change) == ("2026-03-02 10:00", "2026-03-03 06:00")
    assert shift("2026-03-01 11:00", calendar(), change) == ("2026-03-01 06:00", "2026-03-02 06:00")


def test_of_versions_with_one_effective_time_the_higher_is_in_force() -> None:
    """Whatever order they are published in; where that is the one before, nothing is cut."""
    late = "{first: 2026-03-02, days: [[late]]}"
    second, third = (
        calendar(version=version, effective_from="2026-03-02T10:00:00Z", cycle=cycle)
        for version, cycle in ((2, late), (3, DAILY))
    )
    assert shift("2026-03-03 12:00", third, calendar(), second) == ("2026-03-03 06:00", "2026-03-04 06:00")
    yard = calendar(calendar="yard", effective_from="2026-03-02T10:00:00Z")  # `hall` stays in force beside it
    assert shift("2026-03-02 11:00", calendar(), yard) == ("2026-03-02 06:00", "2026-03-03 06:00")


def test_version_that_is_never_in_force_cuts_nothing() -> None:
    """One of a smaller id names L1, but from the same moment on a higher one of it does not."""
    texts = [
        calendar(calendar="c", version=version, units=f"[{unit}]", effective_from="2026-03-02T10:00:00Z")
        for version, unit in ((1, "L1"), (2, "L2"))
    ]
    assert shift("2026-03-02 11:00", A_AT_06, *texts) == ("2026-03-02 06:00", "2026-03-03 06:00")


def test_unit_moves_from_one_calendar_to_another_and_back() -> None:
    """`m` lets go of L1 from ten to twenty: `n` is in force meanwhile, and the two parts of `m` are two shifts."""
    texts = (
        A_AT_06, B_AT_14,
        calendar(calendar="m", version=2, units="[L2]", effective_from="2026-03-02T10:00:00Z"),
        calendar(calendar="m", version=3, units="[L1, L2]", effective_from="2026-03-02T20:00:00Z"),
    )  # fmt: skip
    expected = {
        "09": ("2026-03-02 06:00", "2026-03-02 10:00"), "11": ("2026-03-02 10:00", "2026-03-02 14:00"),
        "15": ("2026-03-02 14:00", "2026-03-02 20:00"), "21": ("2026-03-02 20:00", "2026-03-03 06:00"),
    }  # fmt: skip
    assert expected == {hour: shift(f"2026-03-02 {hour}:00", *texts) for hour in expected}
    assert shift("2026-03-02 15:00", *texts, unit="L3") == ("2026-03-02 14:00", "2026-03-03 14:00")


def test_unit_that_every_calendar_lets_go_of_has_no_shift_any_more() -> None:
    """The shift ends there, and begins anew with the calendar that takes the unit up."""
    texts = (
        calendar(units="[L1]"),
        calendar(version=2, units="[L2]", effective_from="2026-03-02T10:00:00Z"),
        calendar(version=3, units="everyone", effective_from="2026-03-02T12:00:00Z"),
    )
    assert shift("2026-03-02 09:00", *texts) == ("2026-03-02 06:00", "2026-03-02 10:00")
    assert shift("2026-03-02 11:00", *texts) is None
    assert shift("2026-03-02 13:00", *texts) == ("2026-03-02 12:00", "2026-03-03 06:00")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Apia", "America/St_Johns"])
def test_shifts_tile_the_time_of_a_version(zone: str) -> None:
    """One ends where the next begins, and is the same one for every instant in it, over all changes of the clocks."""
    body = "{a: {start: '00:30', end: '02:30'}, b: {start: '02:30', end: '10:00'}, n: {start: '20:00', end: '08:00'}}"
    days = "{first: 2010-01-01, days: [[a, n], [b], [], [a, b], [n]]}"
    calendars = Calendars([read_calendar(calendar(shifts=body, early="40m", timezone=zone, cycle=days,
                                                  effective_from="2010-01-01T00:00:00Z"))])  # fmt: skip
    rng = random.Random(zone)
    at = ms("2010-01-01 00:00")
    while at < ms("2012-01-01 00:00"):
        found = calendars.shift("L1", at)
        assert found is not None
        start, end = found[0], round(found[1])
        assert at == start < end
        assert {found} == {calendars.shift("L1", inside) for inside in (end - 1, rng.randrange(start, end))}
        at = end


def test_the_order_of_questions_does_not_matter() -> None:
    """Days are worked out where they are asked for, whichever comes first."""
    text = daily_two(("22:00", "06:00"), ("14:00", "21:50"))
    asked = [MIDNIGHT + hours * HOUR for hours in range(-3000, 3000, 7)]
    in_order, shuffled = Calendars([read_calendar(text)]), Calendars([read_calendar(text)])
    expected = [in_order.shift("L1", at) for at in asked]
    random.Random(0).shuffle(asked)
    assert dict(zip(sorted(asked), expected, strict=True)) == {at: shuffled.shift("L1", at) for at in asked}
