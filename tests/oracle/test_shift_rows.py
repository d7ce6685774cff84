"""Rows, explanations and alerts of the window `shift`, their numbers worked out by hand."""

import random
from typing import Any

import pytest

from agents.oracle import Alert
from agents.oracle.rulebook import calendars_of
from agents.oracle.shifts import Calendars
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MINUTE, MIXED, NOON, YIELD, Log, published, template

SHIFT = YIELD.replace("[day]", "[day, shift]")
LATE = "{first: 2026-03-02, days: [[late]]}"
EIGHT_TO_FOUR = "{early: {start: '08:00', end: '16:00'}}"
RULED = YIELD.replace("[day]", "[shift], alerts: {alerts}")


def ruled(alerts: str) -> str:
    """A template with a yield by shift under these rules."""
    return template(RULED.replace("{alerts}", alerts))


def inspect(log: Log, hours: float, accepted: int = 1, units: int = 1, **fields: Any) -> None:
    """An inspection of E1 at so many hours after MIDNIGHT, named by them."""
    content = {"event_id": f"e{hours:g}", "occurred_at": MIDNIGHT + round(hours * HOUR), **fields}
    log.send(**content, measures={"inspected": units, "accepted": accepted})


def at(hours: float) -> int:
    """So many hours after MIDNIGHT."""
    return MIDNIGHT + round(hours * HOUR)


def lines(*hours: float) -> Log:
    """L1 works from 06:00 on, L2 from 08:00 on, L3 is nobody's: no shift of theirs is early. Events at these hours."""
    log = published(template(SHIFT))
    log.calendar(calendar="a", units="[L1]")
    log.calendar(calendar="b", units="[L2]", shifts=EIGHT_TO_FOUR)
    for hour in hours:
        inspect(log, hour)
    return log


def test_row_holds_what_was_done_from_one_shift_to_the_next() -> None:
    """From 05:45, a quarter of an hour before it, to 05:45 of the next day, eight hours of it after its end."""
    log = published(template(SHIFT))
    log.calendar(early=None)
    for hours, accepted in ((5.5, 1), (5.75, 2), (9, 3), (21, 4), (29.5, 5), (29.75, 6)):
        inspect(log, hours, accepted, 10)
    row = log.row(NOON, window="shift")
    assert (row["window_start"], row["n"], row["good"], row["value"]) == (at(5.75), 40, 14, 0.35)
    assert (row["window"], row["as_of"], row["status"], row["points"]) == ("shift", NOON, "ok", 70.0)
    assert log.ids(window="shift") == ["e5.75", "e9", "e21", "e29.5"]
    assert log.ids(at(5), window="shift") == ["e5.5"]
    assert log.row(at(5), window="shift")["window_start"] == at(5.75 - 24)


def test_totals_of_a_shift_are_rows_too() -> None:
    """They stand where its rows do, with its start."""
    log = published(template(SHIFT))
    log.calendar()
    inspect(log, 9)
    totals = ["@performance", "@ability", "@attitude", "@total"]
    found = [row for row in log.recompute().rows(NOON) if row["window"] == "shift"]
    assert [row["indicator"] for row in found] == ["yield", *totals]
    assert {row["window_start"] for row in found} == {at(6)}
    assert [row["value"] for row in found] == [1.0, 200.0, None, None, 200.0]


def test_shift_without_work_is_no_data() -> None:
    """A shift is there, whether or not anything was done in it."""
    log = published(template(SHIFT))
    log.calendar()
    inspect(log, 9)
    row = log.row(NOON + DAY, window="shift")
    assert (row["window_start"], row["status"], row["n"], row["value"]) == (at(30), "no_data", 0, None)


@pytest.mark.parametrize(
    "calendar",
    [
        None,
        {"units": "[L1]"},  # E1 has no unit
        {"effective_from": "2026-03-02T12:00:00.001Z"},
        {"shifts": "{}"},  # is no calendar
        {"key": "hall@1"},
    ],
)
def test_without_a_calendar_there_is_neither_row_nor_total(calendar: dict[str, Any] | None) -> None:
    """Other windows have theirs, the event still counts as scored, and there is nothing to explain."""
    log = published(template(SHIFT))
    if calendar is not None:
        log.calendar(**calendar)
    inspect(log, 12)
    assert log.outcomes() == {"scored": 1}
    assert {row["window"] for row in log.recompute().rows(NOON)} == {"day"}
    assert log.ids(window="shift") == []


def test_calendars_known_later_count_for_what_was_before() -> None:
    """Unless it is asked for what was known at a time; at its log time it is known."""
    log = published(template(SHIFT))
    inspect(log, 9)
    log.calendar(at=NOON + DAY, effective_from="2026-03-01T00:00:00Z")
    assert log.row(NOON, window="shift")["window_start"] == at(6)
    known = log.recompute(known_at=NOON + DAY - 1), log.recompute(known_at=NOON + DAY)
    assert [[row["window"] for row in found.rows(NOON)].count("shift") for found in known] == [0, 5]


def test_second_version_cuts_the_shift_and_one_that_comes_too_late_does_not() -> None:
    """At ten; the third is published when it would have been in force already."""
    log = published(template(SHIFT))
    log.calendar()
    log.calendar(version=2, effective_from="2026-03-02T10:00:00Z")
    log.calendar(version=3, effective_from="2026-03-02T11:00:00Z", at=at(11))
    for hours in (5, 9, 10, 11, 29, 30):
        inspect(log, hours)
    assert (log.row(at(9), window="shift")["window_start"], log.ids(at(9), window="shift")) == (at(6), ["e9"])
    assert log.row(NOON, window="shift")["window_start"] == at(10)
    assert log.ids(NOON, window="shift") == ["e10", "e11", "e29"]


def test_template_that_takes_effect_during_a_shift_keeps_its_start() -> None:
    """As with other calendar windows the version's sums hold only its own events."""
    log = published(template(SHIFT), template(SHIFT, version=2, effective_from="2026-03-02T10:00:00Z"))
    log.calendar()
    for hours in (9, 10, 11):
        inspect(log, hours)
    assert log.row(NOON, window="shift")["window_start"] == at(6)
    assert log.ids(NOON, window="shift") == ["e10", "e11"]


def test_somebody_lent_to_another_line_has_the_work_of_both() -> None:
    """At ten E1 goes from L1 to L2: as of noon it is L2's shift, from eight; what was done on L1 counts from six."""
    log = lines(5, 7, 9, 10, 31, 33)
    log.assign(at(-20), unit="L1")
    log.assign(at(10), unit="L2")
    assert log.row(NOON, window="shift")["window_start"] == at(8)
    assert log.ids(NOON, window="shift") == ["e7", "e9", "e10", "e31"]  # 07:00 of the next day still is L2's shift
    assert log.row(at(9), window="shift")["window_start"] == at(6)
    assert log.ids(at(9), window="shift") == ["e7", "e9", "e10", "e31"]
    assert log.ids(at(7), window="shift") == ["e7", "e9"]  # L2's shift as of seven ends at eight
    assert log.ids(at(31), window="shift") == ["e10", "e31"]  # L1's shift as of then began at six of that day


def test_work_for_a_line_without_a_shift_is_in_none() -> None:
    """Lent to L3 from nine to eleven: there are no rows of a shift then, and later those hours are not in it."""
    log = lines(7, 10, 11.5)
    for hours, unit in ((0, "L1"), (9, "L3"), (11, "L1")):
        log.assign(at(hours), unit=unit)
    assert log.rows(at(10), "yield", "shift") == []
    assert log.ids(at(10), window="shift") == []
    assert log.ids(NOON, window="shift") == ["e7", "e11.5"]


def test_without_an_assignment_the_line_of_the_event_decides_where_it_counts() -> None:
    """h is no unit then, and has the calendar for everyone, whose shift is from two to ten."""
    log = lines()
    log.calendar(cycle=LATE)
    for hours, line in ((5, "L1"), (7, "L1"), (7.5, "L2"), (9, "L2"), (13, ""), (14.5, ""), (15, "L3")):
        inspect(log, hours, dims={"line": line} if line else {})
    assert log.row(at(15), window="shift")["window_start"] == at(14)
    assert log.ids(at(15), window="shift") == ["e7", "e9", "e14.5", "e15"]
    assert log.ids(at(13.5), window="shift") == ["e7", "e9", "e13"]
    log.assign(at(-20), role="operator")  # names no unit
    assert log.ids(at(15), window="shift") == ["e7", "e9", "e14.5", "e15"]


def test_allowance_of_a_shift_is_that_of_the_events_in_it() -> None:
    """Semi-finished work usually gives 0.90 where all work gives 0.95: two of forty units are allowed for."""
    log = published(template(MIXED.replace("[day]", "[shift]")))
    log.calendar()
    log.model(effective_from=at(1))
    for hours in (5, 7, 9):
        inspect(log, hours, 16, 20, dims={"stage": "semi"})
    row = log.row(NOON, window="shift")
    assert (row["n"], row["good"], row["allowance"], row["adjusted"]) == (40, 32, 2, 0.85)


def alerts(log: Log) -> list[Alert]:
    """All alerts of the log."""
    return list(log.recompute().alerts())


def raised(log: Log) -> list[tuple[str, float | None]]:
    """(raising event, hours after MIDNIGHT at which it was over) of each alert."""
    return [
        (alert.last_event, None if alert.cleared_at is None else (alert.cleared_at - MIDNIGHT) / HOUR)
        for alert in alerts(log)
    ]


def test_level_rule_looks_at_the_shift_as_of_each_entry() -> None:
    """0/50 at five is of the shift before; 5/10 at six is not below the half, 5/20 at seven is; next day it is 1/1."""
    log = published(ruled("[{naive: 0.5, window: shift}]"))
    log.calendar()
    inspect(log, 5, 0, 50)
    inspect(log, 6, 5, 10)
    inspect(log, 7, 0, 10)
    inspect(log, 8, 0, 1)
    inspect(log, 29, 3, 4)
    inspect(log, 30)
    first, second = alerts(log)
    assert raised(log) == [("e5", 6.0), ("e7", 30.0)]
    assert (first.window, first.window_start, first.value) == ("shift", at(6 - 24), 0.0)
    assert (second.window, second.window_start, second.first_event) == ("shift", at(6), "e7")
    assert (second.value, second.n, second.good, second.threshold) == (0.25, 20.0, 5.0, 0.5)


def test_level_rule_of_somebody_who_is_lent_sums_the_work_of_both_lines() -> None:
    """5/10 on L1 at seven and 4/10 on L2 at eleven are 9/20; at 06:30 of the next day L1's shift is another one."""
    log = lines()
    log.publish(ruled("[{naive: 0.5, window: shift}]").replace("template: op", "template: ruled"))
    log.assign(at(0), unit="L1")
    log.assign(at(10), unit="L2")
    inspect(log, 5, 0, 50)
    inspect(log, 7, 5, 10)
    inspect(log, 11, 4, 10)
    inspect(log, 30.5, 1, 2)  # 5/12 on L2 alone
    inspect(log, 31, 2, 2)  # 7/14
    assert raised(log) == [("e5", 7.0), ("e11", 31.0)]
    _, lent = alerts(log)
    assert (lent.value, lent.n, lent.window_start, lent.unit) == (0.45, 20.0, at(8), "L2")


def test_level_rule_is_over_where_there_is_no_shift() -> None:
    """Lent to L3 the value cannot be computed; back on L1 it is 0/30 again, of which the ten on L3 are no part."""
    log = lines()
    log.publish(ruled("[{below: 0.5, window: shift}]").replace("template: op", "template: ruled"))
    for hours, unit in ((0, "L1"), (9, "L3"), (11, "L1")):
        log.assign(at(hours), unit=unit)
    for hours in (7, 10, 11, 12):
        inspect(log, hours, 0, 10 if hours < 12 else 20)
    assert raised(log) == [("e7", 10.0), ("e11", None)]
    assert [(alert.n, alert.first_event) for alert in alerts(log)] == [(10.0, "e7"), (20.0, "e11")]


def test_without_a_calendar_no_level_rule_of_a_shift_finds_anything() -> None:
    """Where there is no shift no value can be computed."""
    log = published(ruled("[{naive: 0.5, window: shift}, {below: 0.5, window: shift}]"))
    inspect(log, 7, 0, 50)
    assert alerts(log) == []
    log.calendar(effective_from="2026-03-02T08:00:00Z")
    inspect(log, 9, 0, 50)
    assert [(alert.rule, alert.n, alert.window_start) for alert in alerts(log)] == [
        ("naive", 50.0, at(8)), ("below", 50.0, at(8)),
    ]  # fmt: skip


def test_late_entry_counts_when_it_lies_in_the_shift() -> None:
    """Older than the newest it is not looked at: the next newest finds 5/10 with it, and none of the day before."""
    log = published(ruled("[{naive: 0.6, window: shift}]"))
    log.calendar()
    inspect(log, 9, 5, 5)
    for hours in (5, 7):
        log.send(at(9), event_id=f"late{hours}", occurred_at=at(hours), measures={"inspected": 5, "accepted": 0})
    inspect(log, 10, 0, 0)
    assert [(alert.last_event, alert.n, alert.good) for alert in alerts(log)] == [("e10", 10.0, 5.0)]


@pytest.mark.parametrize("seed", range(3))
def test_rules_and_rows_are_what_a_plain_sum_over_the_events_gives(seed: int) -> None:
    """Each newest entry is judged by the entries so far that lie in the shift of their unit, found one by one."""
    rng = random.Random(seed)
    log = published(ruled("[{naive: 0.5, window: shift}]"))
    log.calendar(calendar="a", units="[L1]", cycle="{first: 2026-03-02, days: [[early, night], [late]]}", early="2h")
    log.calendar(calendar="b", units="[L2]", shifts=EIGHT_TO_FOUR)
    log.calendar(calendar="b", version=2, units="[L2]", effective_from="2026-03-03T11:00:00Z")
    calendars = Calendars(calendars_of(record for record in log.records if record.topic == "templates"))
    moves = [(at(hours), rng.choice(["L1", "L2", "L3"])) for hours in range(-48, 96, 5)]
    for moved_at, unit in moves:
        log.assign(moved_at, unit=unit)
    seen: list[tuple[int, int, int]] = []
    expected, is_open = [], False

    def sums(as_of: int) -> tuple[int, int]:
        inside = [
            (good, units)
            for when, good, units in seen
            if (span := calendars.shift(max(move for move in moves if move[0] <= when)[1], as_of))
            and span[0] <= when < span[1]
        ]
        return sum(good for good, _ in inside), sum(units for _, units in inside)

    for number in range(200):
        sent_at = MIDNIGHT + number * 20 * MINUTE
        when = sent_at - rng.choice([0, 0, 0, HOUR, 9 * HOUR, DAY])
        good, units = rng.choice([(0, 1), (1, 1), (2, 5), (4, 5)])
        log.send(sent_at, event_id=f"i{number}", occurred_at=when, measures={"inspected": units, "accepted": good})
        seen.append((when, good, units))
        if when == max(seen)[0]:
            has_shift = calendars.shift(max(move for move in moves if move[0] <= when)[1], when) is not None
            good, units = sums(when)
            low = has_shift and good / units < 0.5
            expected += [f"i{number}"] if low and not is_open else []
            is_open = low
    assert len(expected) > 2
    assert [alert.last_event for alert in alerts(log)] == expected
    found = log.recompute()
    rows = [row for hours in range(72) for row in found.rows(at(hours)) if row["indicator"] == "yield"]
    assert 20 < len(rows) < 72
    assert [(row["good"], row["n"]) for row in rows] == [sums(int(str(row["as_of"]))) for row in rows]
