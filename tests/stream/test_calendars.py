"""Shifts tile the time of a calendar version, whatever clocks and lists do: compared with a reckoning by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339, parse_rfc3339
from stream.calendars import FOREVER, Calendars, Shift
from stream.shift_calendar import ShiftCalendar, check_calendar, load_calendar
from stream.shift_times import LocalShift
from tests.stream import shift_reference as by_hand

SUNDAYS = {  # local dates about which clocks change, or whole days are missing
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Shanghai": (date(2026, 3, 2),),
    "Asia/Kathmandu": (date(2026, 3, 2),),  # a quarter of an hour off
    "Asia/Tehran": (date(2022, 3, 22), date(2021, 9, 22)),  # at midnight
    "America/Sao_Paulo": (date(2018, 11, 4), date(2018, 2, 18)),  # at midnight, too
    "America/St_Johns": (date(2010, 3, 14), date(2010, 11, 7)),  # a minute after it
    "Africa/Casablanca": (date(2026, 2, 15), date(2026, 3, 22)),  # back first, then forth
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),  # half an hour
    "Antarctica/Troll": (date(2026, 3, 29), date(2026, 10, 25)),  # two hours
    "Pacific/Apia": (date(2011, 12, 30), date(2011, 12, 30), date(2021, 4, 4)),
    "Pacific/Fakaofo": (date(2011, 12, 30),),
}
ZONES = tuple(SUNDAYS)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = ("00:00", "01:30", "02:00", "02:20", "02:40", "03:00", "05:00", "06:00", "14:00", "18:00", "22:00", "23:59")


def text(calendar: by_hand.Text) -> str:
    """A calendar as people publish it: JSON is YAML."""
    said = dict(calendar)
    said["effective_from"] = format_rfc3339(said["effective_from"])
    said["early"] = f"{said['early'] // MINUTE}m"
    return json.dumps(said, default=str)


def calendars_of(*said: by_hand.Text) -> Calendars:
    """The product's calendars of these."""
    return Calendars(load_calendar(text(one)) for one in said)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


@st.composite
def shifts(draw: st.DrawFn) -> dict[str, by_hand.Text]:
    found: dict[str, by_hand.Text] = {}
    for name in ("a", "b", "c"):
        start, end = draw(st.lists(st.sampled_from(HOURS), min_size=2, max_size=2, unique=True))
        shift: by_hand.Text = {"start": start, "end": end}
        long = (_minute(end) - _minute(start)) % 1440
        if long > 60 and draw(st.booleans()):
            into = draw(st.integers(0, long - 31))
            clocks = [(_minute(start) + into + more) % 1440 for more in (0, draw(st.integers(1, 30)))]
            shift["breaks"] = [
                dict(zip(("start", "end"), (f"{c // 60:02d}:{c % 60:02d}" for c in clocks), strict=True))
            ]
        found[name] = shift
    return found


def _fit(named: list[str], known: dict[str, by_hand.Text]) -> list[str]:
    """As many of them as one day has room for."""
    kept: list[str] = []
    over = -1
    for name in sorted(named, key=lambda n: _minute(known[n]["start"])):
        start = _minute(known[name]["start"])
        if start >= over:
            kept.append(name)
            over = start + ((_minute(known[name]["end"]) - start) % 1440)
    return kept


@st.composite
def calendars(draw: st.DrawFn, zone: str, middle: date, number: int) -> by_hand.Text:
    known = draw(shifts())
    names = st.lists(st.sampled_from(sorted(known)), unique=True).map(lambda chosen: _fit(chosen, known))
    near = st.integers(-4, 4).map(lambda n: middle + timedelta(days=n))
    start = int(datetime(middle.year, middle.month, middle.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
    said: by_hand.Text = {
        "calendar": draw(st.sampled_from(("plant", "line"))),
        "version": number,
        "effective_from": start + draw(st.integers(-30, 4)) * DAY + draw(st.integers(0, 1439)) * MINUTE,
        "timezone": zone,
        "units": draw(st.sampled_from(("everyone", ["L1"], ["L1", "L2"]))),
        "early": draw(st.sampled_from((0, 15 * MINUTE, 6 * HOUR))),
        "shifts": known,
        "holidays": sorted(draw(st.sets(near, max_size=4))),
        "overrides": [{"date": day, "shifts": draw(names)} for day in sorted(draw(st.sets(near, max_size=2)))],
    }
    if draw(st.booleans()):
        said["week"] = {day: draw(names) for day in WEEK if draw(st.booleans())}
    else:
        first = middle + timedelta(days=draw(st.integers(-3, 12)))
        said["cycle"] = {"first": first, "days": draw(st.lists(names, min_size=1, max_size=9))}
    return said


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[by_hand.Text], int]:
    zone = draw(st.sampled_from(ZONES))
    middle = draw(st.sampled_from(SUNDAYS[zone]))
    said = [draw(calendars(zone, middle, number)) for number in range(1, draw(st.integers(1, 3)) + 1)]
    start = int(datetime(middle.year, middle.month, middle.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
    return said, start + draw(st.integers(-3 * 1440, 3 * 1440)) * MINUTE


@settings(max_examples=90, deadline=None)
@given(cases(), st.sampled_from(("L1", "L2", "")))
def test_a_shift_is_what_a_reckoning_by_hand_says(case: tuple[list[by_hand.Text], int], unit: str) -> None:
    """Both changes of clocks, nights, cycles before their first day, holidays, overrides, early, versions."""
    said, at = case
    found = calendars_of(*said)
    expected = by_hand.shift(said, unit, at)
    shift = found.shift(unit, at)
    if expected is None:
        assert shift is None
        return
    assert shift is not None
    # By hand only so many days are looked at: beyond them the other may have found more.
    beyond = by_hand.SPAN * DAY - 3 * DAY
    assert expected[0] == shift.begins or shift.begins < at - beyond
    assert (expected[1] == shift.ends) if expected[1] is not None else shift.ends > at + beyond


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(("L1", "")))
def test_shifts_tile_time(case: tuple[list[by_hand.Text], int], unit: str) -> None:
    """One ends where the next begins; every instant of it gives the same, asked in any order."""
    said, at = case
    found, again = calendars_of(*said), calendars_of(*said)
    shift = found.shift(unit, at)
    until = found.next_change(unit, at)
    assert until > at
    for inside in (at, until - 1):
        assert shift == again.shift(unit, inside)
    if until < FOREVER:
        following = found.shift(unit, until)
        assert following != shift
        assert following is None or until == following.begins


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 2 * 1440), st.integers(1, 600))
def test_time_at_work_is_counted_minute_by_minute(case: tuple[list[by_hand.Text], int], span: int, amount: int) -> None:
    """Breaks out, overlapping shifts once, the versions of their own time; and when so much of it is over."""
    said, at = case
    found, end = calendars_of(*said), at + span * MINUTE
    worked = by_hand.minutes_at_work(said, "L1", at, end)
    assert worked == found.worked("L1", at, end)
    when = found.when_worked("L1", at, amount * MINUTE, end)
    assert (when is not None) == (worked >= amount * MINUTE)
    if when is not None:
        assert amount * MINUTE == found.worked("L1", at, when)
        assert amount * MINUTE > found.worked("L1", at, when - 1)
    scheduled = found.scheduled("L1", at)
    if by_hand.at_work(said, "L1", at):
        assert scheduled is not None
        assert scheduled[0] <= at < scheduled[1]


SIMPLE: by_hand.Text = {
    "calendar": "plant", "version": 1, "effective_from": parse_rfc3339("2026-01-01T00:00:00Z"),
    "timezone": "Asia/Shanghai", "units": "everyone", "early": 15 * MINUTE,
    "shifts": {"day": {"start": "06:00", "end": "18:00"}, "night": {"start": "18:00", "end": "06:00"}},
    "week": {day: ["day", "night"] for day in WEEK},
}  # fmt: skip


def at(moment: str) -> int:
    """Milliseconds of a Shanghai instant."""
    found = parse_rfc3339(f"{moment}+08:00")
    assert found is not None
    return found


def test_work_before_the_start_counts_once_the_one_before_has_ended() -> None:
    """Fifteen minutes before the start, unless the shift before it still runs."""
    round_the_clock = calendars_of(SIMPLE)
    assert Shift(at("2026-03-02T06:00:00"), at("2026-03-02T18:00:00")) == round_the_clock.shift(
        "L1", at("2026-03-02T06:00:00")
    )
    by_day = calendars_of({**SIMPLE, "week": {day: ["day"] for day in WEEK}})
    assert at("2026-03-02T05:45:00") == by_day.begins("L1", at("2026-03-02T05:50:00"))
    assert at("2026-03-01T05:45:00") == by_day.begins("L1", at("2026-03-02T05:44:59"))
    assert by_day.scheduled("L1", at("2026-03-02T05:50:00")) is None


def test_work_before_a_skipped_date_counts_for_the_shift_after_it() -> None:
    """Apia had no 30 December 2011: six hours before 01:30 of the 31st it was 19:30 of the 29th."""
    said = {
        **SIMPLE, "effective_from": parse_rfc3339("2011-12-01T00:00:00Z"),
        "timezone": "Pacific/Apia", "early": 6 * HOUR,
        "shifts": {"a": {"start": "01:30", "end": "05:00"}}, "week": {day: ["a"] for day in WEEK},
    }  # fmt: skip
    began, following = (parse_rfc3339(f"2011-12-{day}T05:30:00Z") for day in (30, 31))
    assert began is not None
    for moment in (began, began + 1, began + 4 * HOUR):
        assert Shift(began, following or 0) == calendars_of(said).shift("", moment)


@pytest.mark.parametrize("week", [{day: ["day", "night"] for day in WEEK}, {}])
@pytest.mark.parametrize("shifts", [[], ["day"], ["night"]])
def test_an_exception_at_the_end_of_all_dates_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, week: dict[str, list[str]], shifts: list[str]
) -> None:
    """Somebody means never by it: what is worked until then is the same, and no date between is looked at."""
    asked, on = list[date](), ShiftCalendar.on

    def noted(calendar: ShiftCalendar, day: date) -> Sequence[LocalShift]:
        asked.append(day)
        return on(calendar, day)

    monkeypatch.setattr(ShiftCalendar, "on", noted)
    never = {"holidays": [date.max], "overrides": [{"date": date.max, "shifts": shifts}]}
    for moment in (at("2026-03-03T12:00:00"), at("2100-01-01T00:00:00")):
        ends = calendars_of({**SIMPLE, "week": week}), calendars_of({**SIMPLE, "week": week, **never})
        assert ends[0].shift("", moment) == ends[1].shift("", moment)
        assert ends[0].scheduled("", moment) == ends[1].scheduled("", moment)
        assert ends[0].next_scheduled("", moment) == ends[1].next_scheduled("", moment)
        assert ends[0].worked("", moment, moment + DAY) == ends[1].worked("", moment, moment + DAY)
    assert len(asked) < 200


def test_a_calendar_without_any_shift_is_one_shift_for_all_its_time() -> None:
    """From its effective_from on, without end."""
    none = calendars_of({**SIMPLE, "week": {}})
    assert Shift(SIMPLE["effective_from"], FOREVER) == none.shift("", at("2026-03-02T06:00:00"))
    assert none.next_scheduled("", at("2026-03-02T06:00:00")) == FOREVER
    assert none.shift("", SIMPLE["effective_from"] - 1) is None


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"calendar": "Plant"}, "calendar", "has another form"),
        ({"version": 0}, "version", "is not a whole number"),
        ({"timezone": "Asia/Shangai"}, "timezone", "no known time zone"),
        ({"units": []}, "units", "is not a list with entries"),
        ({"units": ["L1", "L1"]}, "units[1]", "stands there twice"),
        ({"units": "L1"}, "units", "is neither"),
        ({"early": 7 * HOUR}, "early", "more than 6h"),
        ({"shifts": {}}, "shifts", "has 0 shifts"),
        ({"shifts": {"Day": {"start": "06:00", "end": "18:00"}}}, "shifts.Day", "no id of a shift"),
        ({"shifts": {"day": {"start": "6:00", "end": "18:00"}}}, "shifts.day.start", "has another form"),
        ({"shifts": {"day": {"start": "06:00", "end": "24:00"}}}, "shifts.day.end", "has another form"),
        ({"shifts": {"day": {"start": "06:00", "end": "06:00"}}}, "shifts.day.end", "is the start, too"),
        ({"shifts": {"day": {"start": "06:00", "end": "18:00", "break": []}}}, "shifts.day.break", "unknown field"),
        ({"week": {"mon": ["day", "late"]}}, "week.mon[1]", "is no shift"),
        ({"week": {"mon": ["day", "day"]}}, "week.mon[1]", "stands there twice"),
        ({"week": {"monday": ["day"]}}, "week.monday", "unknown field"),
        ({"week": {"mon": "day"}}, "week.mon", "is not a list"),
        ({"cycle": {"first": "2026-03-02", "days": [["day"]]}}, "cycle", "stands beside week"),
        ({"week": None, "cycle": {"first": "2026-02-30", "days": [["day"]]}}, "cycle.first", "is no date"),
        ({"week": None, "cycle": {"first": "2026-03-02", "days": []}}, "cycle.days", "is not a list with entries"),
        ({"week": None, "cycle": {"first": "2026-03-02", "days": [[]] * 367}}, "cycle.days", "has 367 days"),
        ({"week": None}, "week", "is missing, and so is cycle"),
        ({"holidays": ["2026-05-01", "2026-05-01"]}, "holidays[1]", "stands there twice"),
        ({"overrides": [{"date": "2026-05-01"}]}, "overrides[0].shifts", "is missing"),
        ({"colour": "red"}, "colour", "unknown field"),
    ],
)
def test_what_is_wrong_is_named(change: by_hand.Text, field: str, message: str) -> None:
    """The field as a path, what is wrong with it, what would be right."""
    said = {name: value for name, value in {**SIMPLE, **change}.items() if value is not None}
    report = check_calendar(text(said))
    assert report.calendar is None
    assert [field] == [error.field for error in report.errors]
    assert message in report.errors[0].message
    assert report.errors[0].remedy


@pytest.mark.parametrize(
    ("breaks", "field"),
    [
        ([("05:00", "06:15")], "breaks[0]"),
        ([("17:50", "18:10")], "breaks[0]"),
        ([("10:00", "10:00")], "breaks[0].end"),
        ([("10:00", "10:15"), ("10:10", "10:20")], "breaks[1]"),
    ],
)
def test_a_break_lies_within_its_shift_and_beside_others(breaks: list[tuple[str, str]], field: str) -> None:
    """By the clock on the wall."""
    named = [dict(zip(("start", "end"), one, strict=True)) for one in breaks]
    report = check_calendar(
        text({**SIMPLE, "shifts": {**SIMPLE["shifts"], "day": {"start": "06:00", "end": "18:00", "breaks": named}}})
    )
    assert [f"shifts.day.{field}"] == [error.field for error in report.errors]


def test_shifts_of_one_day_follow_each_other() -> None:
    """One that begins before the one before it has ended is an error; on another day it may."""
    overlapping = {**SIMPLE["shifts"], "late": {"start": "17:30", "end": "02:00"}}
    report = check_calendar(text({**SIMPLE, "shifts": overlapping, "week": {"mon": ["late", "day"], "tue": ["night"]}}))
    assert ["week.mon"] == [error.field for error in report.errors]
    assert "late begins at 17:30, before day ends at 18:00" in report.errors[0].message


def test_the_text_itself_is_named_a_calendar() -> None:
    """What is no mapping at all is said in words of calendars, in its line."""
    for wrong in ("", "- 1", "a: &b c", "calendar: x\n  y: z"):
        report = check_calendar(wrong)
        assert "calendar" == report.errors[0].field
        assert "template" not in str(report.errors[0])


def test_a_shift_that_is_never_worked_is_a_warning() -> None:
    """It may be meant, or forgotten."""
    report = check_calendar(text({**SIMPLE, "week": {"mon": ["day"]}}))
    assert report.calendar is not None
    assert ["shifts.night"] == [warning.field for warning in report.warnings]
