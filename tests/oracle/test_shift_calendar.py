"""Which texts are shift calendars, and what they say of a date."""

from datetime import date

import pytest

from agents.oracle.log import LogRecord
from agents.oracle.rulebook import calendars_of, publications
from agents.oracle.shift_calendar import Calendar, CalendarError, Shift, read_calendar
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MINUTE, NOON, calendar, template

WEEK = "{mon: [early, late], sat: [night]}"
DATES = "2026-03-02, 2026-03-03"


def shifts(body: str) -> str:
    """A calendar whose early shift is this."""
    return calendar(shifts=f"{{early: {body}}}")


def with_breaks(breaks: str, start: str = "22:00", end: str = "06:00") -> str:
    """A calendar whose only shift has these breaks."""
    return shifts(f"{{start: '{start}', end: '{end}', breaks: {breaks}}}")


def week(days: str) -> str:
    """A calendar with this week."""
    return calendar(cycle=None, week=days)


def many(number: int) -> str:
    """A calendar with so many shifts, the early one among them."""
    others = [f"s{at}: {{start: '06:00', end: '14:00'}}" for at in range(number - 1)]
    return calendar(shifts=f"{{{', '.join(['early: {start: 06:00, end: 14:00}', *others])}}}")


def on(text: str, day: str) -> list[tuple[int, int]]:
    """(start, end) in hours of the clock of the shifts of a date."""
    found = read_calendar(text).shifts_on(date.fromisoformat(day).toordinal())
    return [(shift.start // 60, shift.end // 60) for shift in found]


def test_calendar_is_read_as_it_stands() -> None:
    """Every field of it; the id is any text, as a template's is."""
    text = calendar(
        calendar="hall-3", version=4, effective_from="2026-03-01T00:00:00+08:00", timezone="Asia/Shanghai",
        units="[L1, 'Linie 2']", early="20m", cycle=None, week="{tue: [late, early]}", holidays="[2026-03-03]",
    )  # fmt: skip
    early, late = Shift(6 * 60, 14 * 60), Shift(14 * 60, 22 * 60)
    assert read_calendar(text) == Calendar(
        calendar="hall-3", version=4, effective_from=MIDNIGHT - 32 * HOUR, timezone="Asia/Shanghai",
        units=frozenset({"L1", "Linie 2"}), early=20 * MINUTE, first=1,
        pattern=((), (early, late), (), (), (), (), ()), exceptions={date(2026, 3, 3).toordinal(): ()},
    )  # fmt: skip


def test_without_early_it_is_a_quarter_of_an_hour() -> None:
    """Somebody who comes before the shift is already in it."""
    assert read_calendar(calendar(early=None)).early == 15 * MINUTE


@pytest.mark.parametrize(
    "text",
    [
        calendar(early="0m"),
        calendar(early="6h"),
        calendar(early="360m"),
        calendar(holidays="[]", overrides="[]"),
        calendar(holidays="[2026-03-02]", overrides="[{date: 2026-03-02, shifts: [late]}]"),
        calendar(overrides="[{date: 2024-02-29, shifts: []}]"),
        calendar(cycle=f"{{first: 2026-03-02, days: [{', '.join(['[early]'] * 366)}]}}"),
        calendar(cycle="{first: 2026-03-02, days: [[]]}"),
        calendar(cycle="{first: 2026-03-02, days: [[night, late, early]]}"),
        week("{}"),
        many(24),
        shifts("{start: '00:00', end: '23:59'}"),
        shifts("{start: '23:59', end: '00:00'}"),
        shifts("{start: 06:00, end: 14:00}"),
        with_breaks("[]"),
        with_breaks("[{start: '22:00', end: '23:00'}, {start: '02:00', end: '06:00'}, {start: '23:00', end: '02:00'}]"),
        with_breaks("[{start: '23:30', end: '00:15'}]"),
        with_breaks("[{start: '06:00', end: '14:00'}]", "06:00", "14:00"),
    ],
)
def test_calendar_may_go_to_its_limits(text: str) -> None:
    """What the rules just allow is a calendar."""
    assert read_calendar(text).calendar == "hall"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "calendar: [",
        template(),
        *(
            calendar(**{field: None})
            for field in ("calendar", "version", "effective_from", "timezone", "units", "shifts", "cycle")
        ),
        calendar(title="hall"),
        calendar(calendar="[hall]"),
        calendar(calendar="Hall"),
        calendar(calendar="hall_1"),
        calendar(calendar="1-hall"),
        calendar(calendar="h" * 65),
        calendar(version=0),
        calendar(version="-1"),
        calendar(version="1.5"),
        calendar(version="one"),
        calendar(effective_from="2026-03-02"),
        calendar(effective_from="2026-03-02T00:00:00"),
        calendar(timezone="Mars/Olympus"),
        calendar(timezone="../../etc/passwd"),
        calendar(timezone=""),
        calendar(units="L1"),
        calendar(units="[]"),
        calendar(units="[L1, L2, L1]"),
        calendar(units="[L1, '']"),
        calendar(units="[[L1]]"),
        calendar(units="{L1: L2}"),
        calendar(early="15"),
        calendar(early="0"),
        calendar(early="''"),
        calendar(early="-1m"),
        calendar(early="05m"),
        calendar(early="361m"),
        calendar(early="1d"),
        calendar(early="[15m]"),
        calendar(shifts="{}"),
        calendar(shifts="[early]"),
        many(25),
        calendar(shifts="{Early: {start: '06:00', end: '14:00'}}", cycle="{first: 2026-03-02, days: [[]]}"),
        calendar(shifts=f"{{{'e' * 65}: {{start: '06:00', end: '14:00'}}}}", cycle="{first: 2026-03-02, days: [[]]}"),
        shifts("[06:00, 14:00]"),
        shifts("{start: '06:00'}"),
        shifts("{end: '14:00'}"),
        shifts("{start: '06:00', end: '14:00', name: Early}"),
        shifts("{start: '06:00', end: '06:00'}"),
        shifts("{start: '6:00', end: '14:00'}"),
        shifts("{start: '06:00', end: '24:00'}"),
        shifts("{start: '06:60', end: '14:00'}"),
        shifts("{start: '06:00:00', end: '14:00'}"),
        shifts("{start: '06:00', end: 840}"),
        with_breaks("{start: '23:00', end: '23:15'}"),
        with_breaks("[{start: '23:00'}]"),
        with_breaks("[{start: '23:00', end: '23:15', paid: yes}]"),
        with_breaks("[{start: '23:00', end: '23:00'}]"),
        with_breaks("[{start: '21:45', end: '22:15'}]"),
        with_breaks("[{start: '05:45', end: '06:15'}]"),
        with_breaks("[{start: '06:00', end: '06:15'}]"),
        with_breaks("[{start: '05:45', end: '06:15'}]", "06:00", "14:00"),
        with_breaks("[{start: '23:00', end: '00:30'}, {start: '00:15', end: '00:45'}]"),
        with_breaks("[{start: '00:15', end: '00:30'}, {start: '23:00', end: '01:00'}]"),
        calendar(week=WEEK),
        week("{mon: early}"),
        week("{monday: [early]}"),
        week("[[early]]"),
        week("{mon: [swing]}"),
        week("{mon: [early, early]}"),
        calendar(cycle="[[early]]"),
        calendar(cycle="{days: [[early]]}"),
        calendar(cycle="{first: 2026-03-02}"),
        calendar(cycle="{first: 2026-03-02, days: []}"),
        calendar(cycle="{first: 2026-03-02, days: [early]}"),
        calendar(cycle="{first: 2026-03-02, days: [[swing]]}"),
        calendar(cycle="{first: 2026-03-02, days: [[early]], last: 2026-04-02}"),
        calendar(cycle="{first: 2026-02-29, days: [[early]]}"),
        calendar(cycle="{first: 20260302, days: [[early]]}"),
        calendar(cycle="{first: 2026-W10-1, days: [[early]]}"),
        calendar(cycle=f"{{first: 2026-03-02, days: [{', '.join(['[early]'] * 367)}]}}"),
        calendar(holidays="2026-03-02"),
        calendar(holidays="[2026-03-2]"),
        calendar(holidays="[2026-13-02]"),
        calendar(holidays=f"[{DATES}, 2026-03-02]"),
        calendar(overrides="{date: 2026-03-02, shifts: []}"),
        calendar(overrides="[{date: 2026-03-02}]"),
        calendar(overrides="[{shifts: []}]"),
        calendar(overrides="[{date: 2026-03-02, shifts: early}]"),
        calendar(overrides="[{date: 2026-03-02, shifts: [swing]}]"),
        calendar(overrides="[{date: 2026-03-02, shifts: [], why: fair}]"),
        calendar(overrides="[{date: 2026-03-02, shifts: []}, {date: 2026-03-02, shifts: [late]}]"),
        calendar(overrides="[{date: 2026-03-02, shifts: [late, late]}]"),
    ],
)
def test_text_that_breaks_a_rule_is_no_calendar(text: str) -> None:
    """Unknown and missing fields, wrong forms, limits, times outside each other: such a text was never published."""
    with pytest.raises(CalendarError):
        read_calendar(text)
    assert calendars_of([LogRecord("templates", 0, 0, NOON, b"calendar:hall@1", text.encode())]) == []


@pytest.mark.parametrize(
    ("second", "right"),
    [
        ("start: '14:00', end: '22:00'", True),
        ("start: '13:59', end: '22:00'", False),
        ("start: '06:00', end: '07:00'", False),
        ("start: '04:00', end: '06:00'", True),
        ("start: '04:00', end: '06:01'", False),
        ("start: '22:00', end: '08:00'", True),
        ("start: '00:00', end: '05:00'", True),
    ],
)
@pytest.mark.parametrize("place", ["week", "cycle", "overrides"])
def test_shifts_of_a_date_do_not_overlap_by_their_local_times(second: str, right: bool, place: str) -> None:
    """Beside the one from six to two; what reaches into the next date is no matter there."""
    two = f"{{early: {{start: '06:00', end: '14:00'}}, other: {{{second}}}}}"
    places: dict[str, dict[str, str | None]] = {
        "week": {"week": "{fri: [other, early]}", "cycle": None},
        "cycle": {"cycle": "{first: 2026-03-02, days: [[early], [early, other]]}"},
        "overrides": {"overrides": "[{date: 2026-03-02, shifts: [early, other]}]"},
    }
    text = calendar(shifts=two, **places[place])
    if right:
        assert read_calendar(text).calendar == "hall"
    else:
        with pytest.raises(CalendarError):
            read_calendar(text)


def test_week_says_what_is_worked_on_which_day() -> None:
    """Monday 2 March has two shifts, by their start; Saturday one that ends on Sunday; the others none."""
    found = [on(week("{mon: [late, early], sat: [night]}"), f"2026-03-0{day}") for day in range(1, 9)]
    assert found == [[], [(6, 14), (14, 22)], [], [], [], [], [(22, 30)], []]


def test_cycle_goes_on_before_its_first_day() -> None:
    """Three days from 2 March on: early, late, none; before it the same backwards."""
    text = calendar(cycle="{first: 2026-03-02, days: [[early], [late], []]}")
    assert [on(text, f"2026-03-0{day}") for day in range(2, 7)] == [[(6, 14)], [(14, 22)], [], [(6, 14)], [(14, 22)]]
    assert [on(text, day) for day in ("2026-02-27", "2026-02-28", "2026-03-01")] == [[(6, 14)], [(14, 22)], []]


def test_override_stands_before_a_holiday_and_that_before_the_pattern() -> None:
    """2 March is a holiday, 3 March one on which the late shift works all the same, 4 March free without being one."""
    text = calendar(
        holidays=f"[{DATES}]", overrides="[{date: 2026-03-03, shifts: [late]}, {date: 2026-03-04, shifts: []}]"
    )
    assert [on(text, f"2026-03-0{day}") for day in range(1, 6)] == [[(6, 14)], [], [(14, 22)], [], [(6, 14)]]


def published(*texts: tuple[str, int], key: bytes | None = b"calendar:") -> list[tuple[str, int]]:
    """(id, version) of the calendars that count of these (text, publication time) in log order."""
    records = [LogRecord("templates", 0, at, sent, key, text.encode()) for at, (text, sent) in enumerate(texts)]
    return [(found.calendar, found.version) for found in calendars_of(records)]


@pytest.mark.parametrize(("sent_at", "counts"), [(MIDNIGHT + DAY - 1, True), (MIDNIGHT + DAY, False)])
def test_further_version_takes_effect_later_than_its_publication(sent_at: int, counts: bool) -> None:
    """The first may begin at any instant, also before; one that was ignored leaves its number free."""
    second = calendar(version=2, effective_from="2026-03-03T00:00:00Z")
    again = calendar(version=2, effective_from="2026-04-01T00:00:00Z")
    texts = (calendar(version=7), MIDNIGHT), (second, sent_at), (again, MIDNIGHT + DAY)
    assert published(*texts) == [("hall", 7), ("hall", 2)]
    records = [
        LogRecord("templates", 0, at, sent, b"calendar:", text.encode()) for at, (text, sent) in enumerate(texts)
    ]
    assert (calendars_of(records)[1].effective_from == MIDNIGHT + DAY) == counts


def test_published_number_is_taken() -> None:
    """A version counts once; another calendar has numbers of its own."""
    again = calendar(effective_from="2027-01-01T00:00:00Z")
    assert published((calendar(), NOON), (again, NOON), (calendar(calendar="yard"), NOON)) == [("hall", 1), ("yard", 1)]


def test_across_partitions_log_time_gives_the_order() -> None:
    """The one that was published first is the first version, wherever it lies."""
    first = LogRecord("templates", 1, 0, MIDNIGHT, b"calendar:", calendar(version=2).encode())
    second = LogRecord("templates", 0, 0, NOON, b"calendar:", calendar(version=1).encode())
    assert [found.version for found in calendars_of([second, first])] == [2]


@pytest.mark.parametrize(
    ("key", "is_calendar"),
    [(b"calendar:hall@1", True), (b"calendar:", True), (b"calendar:\xff", True), (b"hall@1", False), (None, False)],
)
def test_of_the_key_only_the_beginning_counts(key: bytes | None, is_calendar: bool) -> None:
    """It alone says whether a record is a calendar or a template: what is one under the other's key is neither."""
    assert published((calendar(), NOON), key=key) == ([("hall", 1)] if is_calendar else [])
    records = [LogRecord("templates", 0, 0, NOON, key, text.encode()) for text in (template(), calendar())]
    assert len(publications(records)) == (0 if is_calendar else 1)


def test_tombstones_and_broken_bytes_are_passed_over() -> None:
    """A calendar without a readable value is none."""
    values = [None, b"\xff", calendar().encode()]
    records = [LogRecord("templates", 0, at, NOON, b"calendar:hall@1", value) for at, value in enumerate(values)]
    assert [found.version for found in calendars_of(records)] == [1]
