"""Silence at work, in logs made by hand: raised and over at ticks, by what each of them knows."""

import json
from hashlib import sha256

import pytest

from agents.oracle.alerts import Alert
from agents.oracle.duty import Duties
from agents.oracle.shift_calendar import read_calendar
from agents.oracle.shifts import Calendars
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MINUTE, NOON, PARTITIONS, YIELD, Log, calendar, published, template

RULE = "alerts: [{id: silent, severity: info, stale: 15m}]"
SIX = MIDNIGHT + 6 * HOUR
BREAK = "{early: {start: '06:00', end: '14:00', breaks: [{start: '10:00', end: '10:30'}]}}"


def floor(rule: str = RULE, applies_to: str = "everyone") -> Log:
    """E1 works by a template that waits for silence, on a calendar with an early shift every day."""
    log = published(template(f"{YIELD.rstrip('}')}, {rule}}}", applies_to=applies_to))
    log.calendar(shifts=BREAK)
    return log


def tick(log: Log, at: int) -> None:
    """A tick of E1's partition that follows and knows all there is."""
    record = log.tick(at)
    said = json.loads(record.value or b"")
    said["knows"] = [log.ends.get(("templates", number), 0) for number in range(PARTITIONS)]
    log.records[-1] = record._replace(value=json.dumps(said).encode())


def silences(log: Log) -> list[Alert]:
    """Those alerts."""
    return [alert for alert in log.recompute().alerts() if alert.first_event == ""]


def spans(log: Log) -> list[tuple[float, float | None, str]]:
    """(raised, over, why) in minutes after six."""
    found = []
    for alert in silences(log):
        over = None if alert.cleared_at is None else (alert.cleared_at - SIX) / MINUTE
        found.append(((alert.raised_at - SIX) / MINUTE, over, alert.reason))
    return sorted(found, key=str)


def test_it_is_raised_at_the_first_tick_at_which_it_has_lasted() -> None:
    """With everything that its row says."""
    log = floor()
    log.assign(SIX - HOUR, unit="L1")
    log.send(occurred_at=SIX + HOUR)
    for after in (0, 15 * MINUTE - 1, 15 * MINUTE + 7, 20 * MINUTE):
        tick(log, SIX + HOUR + after)
    (alert,) = silences(log)
    named = ("op", "1", "yield", "silent", "", "E1", "", str(SIX + HOUR + 15 * MINUTE))
    assert alert == Alert(
        sha256("\n".join(named).encode()).hexdigest()[:20], "silent", "E1", "L1", "yield", "op", 1, "info",
        SIX + HOUR + 15 * MINUTE + 7, None, "", SIX, None, None, None, 900.0, "", "",
    )  # fmt: skip


def test_a_newer_entry_ends_it_at_the_tick_that_follows_it() -> None:
    """An older one does not, nor one of the same instant; after it silence begins anew."""
    log = floor()
    log.send(occurred_at=SIX)
    tick(log, SIX + 15 * MINUTE)
    log.send(event_id="same", occurred_at=SIX)
    log.send(event_id="older", occurred_at=SIX - MINUTE)
    tick(log, SIX + 16 * MINUTE)
    log.send(event_id="newer", occurred_at=SIX + 1)
    tick(log, SIX + 17 * MINUTE)
    assert [(15, 17, ""), (17, None, "")] == spans(log)


def test_a_break_is_no_silence() -> None:
    """Ten minutes before it and five after it make a quarter of an hour."""
    log = floor()
    log.send(occurred_at=SIX + 230 * MINUTE)
    for minute in (241, 274, 275):
        tick(log, SIX + minute * MINUTE)
    assert [(275, None, "")] == spans(log)


def test_it_is_over_with_its_shift() -> None:
    """At the first tick after it; the next day counts from the start of its shift."""
    log = floor()
    log.send(occurred_at=SIX + 7 * HOUR)
    for at in (8 * HOUR - 1, 8 * HOUR, DAY + 15 * MINUTE - 1, DAY + 15 * MINUTE, DAY + HOUR):
        tick(log, SIX + at)
    day = DAY // MINUTE
    assert [(day + 15, None, ""), (8 * 60 - 1 / MINUTE, 8 * 60, "shift-over")] == spans(log)


def test_with_for_it_lasts_so_much_longer() -> None:
    """The threshold is what the rule says."""
    log = floor(RULE.replace("15m", "15m, for: 10m"))
    log.send(occurred_at=SIX)
    for minute in (24, 25):
        tick(log, SIX + minute * MINUTE)
    assert [(25, None, "")] == spans(log)
    assert 900.0 == silences(log)[0].threshold


def test_who_has_no_entry_is_not_silent() -> None:
    """Nor somebody whose template is not in force for them."""
    log = floor(applies_to="{roles: [operator]}")
    log.assign(SIX - HOUR, role="operator")
    log.tick(SIX + HOUR)
    assert [] == silences(log)
    log.send(occurred_at=SIX + HOUR)
    log.assign(SIX + HOUR + 1, role="guest")
    tick(log, SIX + 2 * HOUR)
    assert [] == silences(log)


def test_what_comes_later_decides_nothing_again() -> None:
    """A record that a later tick follows, a calendar that a later tick knows: silence was what it was."""
    log = floor()
    log.send(occurred_at=SIX)
    tick(log, SIX + 15 * MINUTE)
    log.send(event_id="late", occurred_at=SIX + 10 * MINUTE)
    log.calendar(
        SIX, version=2, effective_from="2026-03-02T06:01:00Z", shifts="{early: {start: '00:00', end: '01:00'}}"
    )
    tick(log, SIX + 16 * MINUTE)
    assert [(15, 16, "")] == spans(log)


def test_a_calendar_is_known_from_the_tick_that_knows_it() -> None:
    """Whatever its log time."""
    log = published(template(f"{YIELD.rstrip('}')}, {RULE}}}"))
    log.send(occurred_at=SIX)
    tick(log, SIX + 20 * MINUTE)
    log.calendar(SIX - HOUR, shifts=BREAK)
    tick(log, SIX + 30 * MINUTE)
    assert [(30, None, "")] == spans(log)


def test_ticks_that_do_not_say_what_they_know_go_by_log_time() -> None:
    """As versions before wrote them."""
    log = floor()
    log.send(occurred_at=SIX)
    log.calendar(SIX + 25 * MINUTE, key="calendar:line@1", calendar="line", units="[L1]", shifts=BREAK)
    log.assign(SIX - HOUR, unit="L1")
    log.tick(SIX + 20 * MINUTE)
    assert [(20, None, "")] == spans(log)


def test_the_unit_of_the_tick_counts() -> None:
    """Who is assigned to a unit whose shift is over is not silent any more."""
    log = floor()
    log.calendar(key="calendar:line@1", calendar="line", units="[L1]", shifts="{early: {start: '01:00', end: '02:00'}}")
    log.send(occurred_at=SIX)
    tick(log, SIX + 15 * MINUTE)
    log.assign(SIX + 16 * MINUTE, unit="L1")
    tick(log, SIX + 17 * MINUTE)
    assert [(15, 17, "shift-over")] == spans(log)


@pytest.mark.parametrize(
    ("since", "length", "until", "expected"),
    [
        (6, 4, 14, 10),
        (6, 4.25, 14, 10.75),
        (10.25, 1, 14, 11.5),
        (6, 7.5, 14, 14),
        (6, 7.51, 14, None),
        (13, 2, 48, 31),
        (0, 8, 48, 30.5),
    ],
)
def test_at_work_are_the_hours_of_shifts_without_breaks(
    since: float, length: float, until: float, expected: float | None
) -> None:
    """When so much of it is over, in hours after midnight."""
    duties = Duties(Calendars([read_calendar(calendar(shifts=BREAK))]))
    found = duties.reached("L1", *(round(MIDNIGHT * (at != length) + at * HOUR) for at in (since, length, until)))
    assert expected == (None if found is None else (found - MIDNIGHT) / HOUR)


def test_of_two_shifts_the_one_that_started_last() -> None:
    """Where the one of the day before goes on into the next."""
    shifts = "{early: {start: '06:00', end: '14:00'}, night: {start: '22:00', end: '07:00'}}"
    text = calendar(shifts=shifts, cycle="{first: 2026-03-02, days: [[early, night]]}")
    duties = Duties(Calendars([read_calendar(text)]))
    on = [duties.shift("", MIDNIGHT + DAY + hour * HOUR) for hour in (5, 6, 15, 22)]
    starts = [None if shift is None else (shift[0] - MIDNIGHT - DAY) // HOUR for shift in on]
    assert [-2, 6, None, 22] == starts
    assert NOON + DAY < duties.next_look("", NOON + DAY) <= MIDNIGHT + DAY + 22 * HOUR
