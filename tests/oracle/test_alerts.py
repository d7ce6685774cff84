"""Alerts that follow from the log, their numbers worked out by hand."""

import math
import random
from hashlib import sha256
from typing import Any

import pytest

from agents.oracle import Alert
from agents.oracle.windows import calendar_span, rolling_span
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MINUTE, NOON, SECOND, YIELD, Log, published, template

RATED = (
    "{{id: yield, from: qc.inspection, value: accepted / inspected, rate: {{good: accepted, of: inspected}}, "
    "windows: [{windows}], {more}alerts: {alerts}}}"
)
# ln(0.15 / 0.05) = 1.0986 for a defective unit, ln(0.85 / 0.95) = -0.1112 for a good one.
DRIFT = "[{drift: {good: 0.95, bad: 0.85, h: 5.5}}]"
NAIVE = "[{naive: 0.9}]"
GOOD, DEFECTIVE = (1, 1), (0, 1)


def ruled(alerts: str, more: str = "", windows: str = "day", **fields: Any) -> str:
    """A template with a yield under these rules."""
    return template(RATED.format(alerts=alerts, more=more, windows=windows), **fields)


def inspect(log: Log, *pairs: tuple[int, int], start: int = NOON, **fields: Any) -> None:
    """Inspections of (accepted, inspected) units, a minute apart, each sent five seconds later; ids i0, i1, ..."""
    first = len(log.records) - sum(record.topic != "qc-events" for record in log.records)
    for number, (accepted, units) in enumerate(pairs):
        at = start + number * MINUTE
        measures = {"inspected": units, "accepted": accepted}
        content = {"event_id": f"i{first + number}", "occurred_at": at, "measures": measures, **fields}
        log.send(content["occurred_at"] + 5 * SECOND, **content)


def alerts(log: Log) -> list[Alert]:
    """All alerts of the log."""
    return list(log.recompute().alerts())


def spans(log: Log) -> list[tuple[int, int | None]]:
    """(number of the raising event, minute after NOON at whose event it was over) of each alert."""
    return [
        (int(alert.last_event[1:]), None if alert.cleared_at is None else (alert.cleared_at - NOON) // MINUTE)
        for alert in alerts(log)
    ]


def test_level_is_raised_by_the_upper_bound_and_over_at_clear_above() -> None:
    """20/25 is too few; 25/30 has the upper bound 0.9164; 25/35 has 0.8209; at 115/125 = 0.92 it is over."""
    log = published(ruled("[{below: 0.90, window: day}]", "min_sample: 30, "))
    inspect(log, (20, 25), (5, 5), (0, 5), (60, 60), (30, 30), dims={"line": "L3"})
    (alert,) = alerts(log)
    raised_at = NOON + 2 * MINUTE
    named_by = f"op\n1\nyield\nbelow\nday\nE1\ni2\n{raised_at}"
    assert alert == Alert(
        alert_id=sha256(named_by.encode()).hexdigest()[:20], rule="below", employee="E1", unit="L3", indicator="yield",
        template="op", version=1, severity="warning", raised_at=raised_at + 5 * SECOND,
        cleared_at=NOON + 4 * MINUTE + 5 * SECOND, window="day", window_start=MIDNIGHT, value=25 / 35, n=35.0,
        good=25.0, threshold=0.90, first_event="i0", last_event="i2",
    )  # fmt: skip


def test_confidence_is_one_sided() -> None:
    """Of 3/10 the upper bound is 0.5583 at 95 % (z = 1.6449) and 0.6507 at 99 % (z = 2.3263)."""
    rules = "{id: a, below: 0.559, window: day}, {id: b, below: 0.559, window: day, confidence: 0.99}"
    high = "{id: c, below: 0.651, window: day, confidence: 0.99}, {id: d, below: 0.558, window: day}"
    log = published(ruled(f"[{rules}, {high}]"))
    inspect(log, (3, 10))
    assert [alert.rule for alert in alerts(log)] == ["a", "c"]


def test_level_is_over_when_too_few_units_are_left_in_the_window() -> None:
    """What was raised over forty units does not stay for two; the low run goes on, so its first event stays."""
    log = published(ruled("[{below: 0.90, window: rolling 60m}]", "min_sample: 30, ", "rolling 60m"))
    inspect(log, (10, 40), (0, 2), start=NOON)
    inspect(log, (0, 2), start=NOON + 3 * HOUR)
    inspect(log, (10, 40), start=NOON + 3 * HOUR + MINUTE)
    assert spans(log) == [(0, 180), (3, None)]
    assert [alert.first_event for alert in alerts(log)] == ["i0", "i0"]
    assert [alert.window_start for alert in alerts(log)] == [NOON - 59 * MINUTE, NOON + 2 * HOUR + 2 * MINUTE]


def test_level_is_over_when_there_is_no_value() -> None:
    """A new day that begins with nothing inspected has no value."""
    log = published(ruled("[{below: 0.90, window: day}]"))
    inspect(log, (0, 40))
    inspect(log, (0, 0), start=NOON + DAY)
    assert spans(log) == [(0, 24 * 60)]


def test_level_of_a_plain_value_has_neither_units_nor_interval() -> None:
    """Sixty of a hundred raises; a hundred is not low and not over; it is over at 100.02."""
    output = "{id: out, from: business.output, value: units, windows: [day], alerts: [{below: 100, window: day}]}"
    log = published(template(output))
    for minute, units in enumerate((60, 40, 0.01, 0.01)):
        log.send(
            event_id=f"o{minute}", type="business.output", occurred_at=NOON + minute * MINUTE, measures={"units": units}
        )
    (alert,) = alerts(log)
    assert (alert.raised_at, alert.cleared_at, alert.threshold) == (NOON, NOON + 3 * MINUTE, 100.0)
    assert (alert.value, alert.n, alert.good, alert.unit) == (60.0, None, None, "")


def test_targets_are_those_at_the_time_of_the_entry() -> None:
    """A personal target that arrives last and holds from the second minute on raises there."""
    met = "'units / target(\"quota\")'"
    output = f"{{id: out, from: business.output, value: {met}, windows: [day], alerts: [{{below: 1, window: day}}]}}"
    log = published(template(output))
    log.target(NOON - HOUR, quota=10)
    for minute in range(3):
        log.send(
            event_id=f"o{minute}", type="business.output", occurred_at=NOON + minute * MINUTE, measures={"units": 10}
        )
    log.target(NOON + MINUTE, sent_at=NOON + DAY, quota=40)
    assert [(alert.last_event, alert.value) for alert in alerts(log)] == [("o1", 0.5)]


def test_for_asks_that_it_holds_at_every_entry_for_so_long() -> None:
    """Low from 12:00 on for nine minutes only, then from 12:10: raised at 12:20, at the first entry ten minutes on."""
    log = published(ruled("[{naive: 0.5, for: 10m}]", windows="rolling 1m"))
    for minute in (0, 9):
        inspect(log, (0, 4), start=NOON + minute * MINUTE)
    inspect(log, (4, 4), start=NOON + 9 * MINUTE)  # 4/8 is not below
    for minute in (10, 15, 20, 21):
        inspect(log, (0, 4), start=NOON + minute * MINUTE)
    assert spans(log) == [(5, None)]
    assert alerts(log)[0].first_event == "i3"


def test_naive_is_over_when_it_does_not_hold() -> None:
    """9/10 is not below, 9/11 is, 18/20 is not; the minimum sample plays no part."""
    log = published(ruled(NAIVE, "min_sample: 100, "))
    inspect(log, (9, 10), (0, 1), (9, 9), (0, 1))
    first, second = alerts(log)
    assert spans(log) == [(1, 2), (3, None)]
    assert (first.rule, first.value, first.n, first.good, first.threshold) == ("naive", 9 / 11, 11.0, 9.0, 0.9)
    assert first.alert_id != second.alert_id
    assert (first.first_event, second.first_event) == ("i1", "i3")


def test_drift_is_raised_capped_and_over_at_zero() -> None:
    """Five defective are 5.493, a good one less, one more 6.481 >= 5.5; capped at 11, 99 good ones lead to 0."""
    log = published(ruled(DRIFT))
    inspect(log, GOOD, GOOD, *[DEFECTIVE] * 5, GOOD, DEFECTIVE, *[DEFECTIVE] * 10, *[GOOD] * 98)
    (alert,) = alerts(log)
    assert (alert.first_event, alert.last_event, alert.cleared_at) == ("i2", "i8", None)
    assert (alert.value, alert.n, alert.good, alert.threshold) == (1 / 7, 7.0, 1.0, 0.95)
    assert (alert.window, alert.window_start) == ("", NOON + 2 * MINUTE)
    inspect(log, GOOD, start=NOON + 5 * HOUR)
    assert spans(log) == [(8, 300)]


@pytest.mark.parametrize(
    ("pairs", "raised"),
    [
        ([(44, 50)], [(0, None)]),  # 6.592, then 44 good ones: 1.698
        ([(100, 106)], [(0, 0)]),  # 6.592, then down to 0: raised and over at once
        ([(45, 50), (0, 1)], []),  # 5.493, then 45 good ones: 0.488, and 1.586
        ([(45, 50), (0, 4), (0, 1)], [(2, None)]),  # 0.488, 4.882, and 5.981
        ([(0, 0), (0, 6)], [(1, None)]),
    ],
)
def test_defective_units_of_a_record_come_first(
    pairs: list[tuple[int, int]], raised: list[tuple[int, int | None]]
) -> None:
    """However many good ones a record has, its defective ones are counted before them."""
    log = published(ruled(DRIFT))
    inspect(log, *pairs)
    assert spans(log) == raised


def test_drift_counts_the_units_since_it_left_zero() -> None:
    """After a record that leads back to 0 the next one with a defective unit is the first."""
    log = published(ruled(DRIFT))
    inspect(log, (20, 21), (4, 5), (0, 5))  # 1.099 -> 0; 1.099 -> 0.654; 6.147
    (alert,) = alerts(log)
    assert (alert.first_event, alert.n, alert.good, alert.value) == ("i1", 10.0, 4.0, 0.4)


def test_drift_needs_no_minimum_sample_and_has_no_use_for_a_window() -> None:
    """Six defective units are enough, spread over as many days."""
    log = published(ruled(DRIFT, "min_sample: 100, "))
    for day in range(6):
        inspect(log, DEFECTIVE, start=NOON + day * DAY)
    assert [alert.last_event for alert in alerts(log)] == ["i5"]


def test_drift_with_for_is_measured_from_where_it_left_zero() -> None:
    """High at once, raised ten minutes later, at the first entry then that finds it high."""
    log = published(ruled("[{drift: {good: 0.95, bad: 0.85, h: 5.5}, for: 10m}]"))
    inspect(log, (0, 6), start=NOON)
    inspect(log, (5, 5), start=NOON + 9 * MINUTE)
    inspect(log, (10, 10), start=NOON + 10 * MINUTE)  # 6.036 before its good units, 4.923 after
    inspect(log, (0, 1), start=NOON + 11 * MINUTE)
    (alert,) = alerts(log)
    assert (alert.last_event, alert.n, alert.good) == ("i2", 21.0, 15.0)


def test_correction_moves_level_sums_and_not_drift() -> None:
    """Ten good ones turn out to be four: the window knows, the units are not counted again."""
    log = published(ruled(f"{NAIVE[:-1]}, {DRIFT[1:]}"))
    inspect(log, (10, 10))
    log.send(NOON + DAY, event_id="fix", corrects="i0", measures={"accepted": -6})
    (alert,) = alerts(log)
    assert (alert.rule, alert.last_event, alert.value, alert.raised_at) == ("naive", "fix", 0.4, NOON + DAY)


def test_correction_of_an_older_event_waits_for_the_next_entry() -> None:
    """It adds to the sums at its place in the log, and is not looked at by itself."""
    log = published(ruled(NAIVE))
    inspect(log, (10, 10), (10, 10))
    log.send(event_id="fix", corrects="i0", measures={"accepted": -6})
    assert alerts(log) == []
    inspect(log, (1, 1), start=NOON + 2 * MINUTE)
    assert [(alert.last_event, alert.n, alert.good) for alert in alerts(log)] == [("i3", 21.0, 15.0)]


def test_older_record_moves_drift_and_not_level() -> None:
    """Six defective units from before the newest entry raise drift at once; the level is looked at again later."""
    log = published(ruled(f"{NAIVE[:-1]}, {DRIFT[1:]}"))
    inspect(log, (10, 10))
    inspect(log, (0, 6), start=NOON - MINUTE)
    assert [(alert.rule, alert.last_event) for alert in alerts(log)] == [("drift", "i1")]
    inspect(log, (1, 1), start=NOON)  # of the same T: as new as the newest
    assert [(alert.rule, alert.last_event) for alert in alerts(log)] == [("naive", "i2"), ("drift", "i1")]


def test_older_record_raises_drift_as_well() -> None:
    """Without `for` T plays no part: S is a sum over records, in the order in which they came."""
    log = published(ruled(DRIFT))
    inspect(log, (0, 3))
    inspect(log, (0, 3), start=NOON - MINUTE)
    assert [(alert.first_event, alert.last_event) for alert in alerts(log)] == [("i0", "i1")]


def test_ewma_is_raised_below_its_limit_and_over_at_the_target() -> None:
    """E = 0.96, 0.948, 0.8184; V = 0.00019, 0.0003116, 0.000389424; six good records lead to 0.9524."""
    log = published(ruled("[{ewma: {lambda: 0.2, L: 3}}]", "target: 0.95, "))
    inspect(log, (10, 10), (9, 10), (3, 10), *[(10, 10)] * 6)
    (alert,) = alerts(log)
    assert spans(log) == [(2, 8)]
    assert (alert.n, alert.good, alert.first_event, alert.window) == (10.0, 3.0, "i1", "")
    assert alert.value == pytest.approx(0.8184, rel=1e-12)
    assert alert.threshold == pytest.approx(0.95 - 3 * math.sqrt(0.000389424), rel=1e-12)
    assert alert.window_start == NOON + MINUTE


def test_ewma_looks_at_newest_plain_entries_alone() -> None:
    """An older record, a correction and a record of nothing leave E where it was, at 0.91."""
    log = published(ruled("[{ewma: {lambda: 0.2, L: 3}}]", "target: 0.95, "))
    inspect(log, (75, 100), start=NOON)
    (found,) = alerts(log)
    assert found.value == pytest.approx(0.91, rel=1e-12)
    assert found.threshold == pytest.approx(0.95 - 3 * math.sqrt(0.000019), rel=1e-12)
    inspect(log, (0, 100), start=NOON - MINUTE)
    log.send(event_id="fix", corrects="i0", measures={"accepted": -70})
    inspect(log, (0, 0), *[(100, 100)] * 3, start=NOON)  # 0.928, 0.9424, 0.95392
    assert spans(log) == [(0, 3)]


@pytest.mark.parametrize("more", ["", "target: 95, ", "target: -1, ", "target: 1, ", "target: 0, "])
def test_ewma_without_a_share_as_target_does_nothing(more: str) -> None:
    """Without the share that is to be expected there is nothing to compare with."""
    log = published(ruled("[{ewma: {lambda: 0.2, L: 3}}]", more))
    inspect(log, (0, 100), (0, 100))
    assert alerts(log) == []


@pytest.mark.parametrize(
    ("target", "defective", "threshold"), [(0.95, 6, 0.95), (0.9, 7, 0.9), (0.4, 25, 0.4), (40, 6, 0.95)]
)
def test_default_is_drift_from_the_target(target: float, defective: int, threshold: float) -> None:
    """Six defective units at 0.95 (5.5 by 1.0986), seven at 0.9 (6.193 by 0.9985), 25 at 0.4 (7.985 by 0.3295)."""
    log = published(ruled("default", f"target: {target}, "))
    inspect(log, *[DEFECTIVE] * (defective - 1))
    assert alerts(log) == []
    inspect(log, DEFECTIVE, start=NOON + HOUR)
    (alert,) = alerts(log)
    assert (alert.rule, alert.severity, alert.threshold) == ("default", "warning", threshold)
    assert (alert.n, alert.value) == (float(defective), 0.0)


def test_version_begins_anew_and_closes_nothing() -> None:
    """Five defective units of one version are none of the next; what is open under the first stays as it is."""
    log = published(ruled(DRIFT), ruled(DRIFT, version=2, effective_from="2026-03-02T13:00:00Z"))
    inspect(log, *[DEFECTIVE] * 5)
    inspect(log, *[DEFECTIVE] * 5, start=NOON + HOUR)
    assert alerts(log) == []
    inspect(log, DEFECTIVE, start=NOON + 10 * MINUTE)
    inspect(log, DEFECTIVE, start=NOON + 2 * HOUR)
    found = [(alert.version, alert.first_event, alert.last_event, alert.cleared_at) for alert in alerts(log)]
    assert found == [(1, "i0", "i10", None), (2, "i5", "i11", None)]


def test_late_assignment_has_the_past_counted_anew() -> None:
    """What turns out to be a guest's work raises nothing; what turns out to be an operator's does."""
    log = published(ruled(DRIFT, applies_to="{roles: [operator]}"))
    log.assign(NOON - HOUR, role="operator", unit="L7")
    inspect(log, *[DEFECTIVE] * 6, dims={"line": "L3"})
    assert [(alert.last_event, alert.unit) for alert in alerts(log)] == [("i5", "L7")]
    log.assign(NOON + MINUTE, sent_at=NOON + DAY, role="guest")
    assert alerts(log) == []
    log.assign(NOON + 2 * MINUTE, sent_at=NOON + DAY, role="operator")
    inspect(log, DEFECTIVE, start=NOON + HOUR, dims={"line": "L3"})
    assert [(alert.last_event, alert.unit, alert.n) for alert in alerts(log)] == [("i6", "L3", 6.0)]


def test_held_records_count_at_their_own_place() -> None:
    """A template published afterwards finds the records in the order of the log, not in that of its publication."""
    log = Log()
    inspect(log, *[DEFECTIVE] * 6)
    assert alerts(log) == []
    log.publish(ruled(DRIFT), at=NOON + DAY)
    assert [(alert.last_event, alert.raised_at) for alert in alerts(log)] == [("i5", NOON + 5 * MINUTE + 5 * SECOND)]


def test_duplicates_and_other_dims_are_no_entries() -> None:
    """Only what counts for the indicator is looked at, and once."""
    log = published(ruled(DRIFT, "where: {stage: semi}, "))
    inspect(log, *[DEFECTIVE] * 5, dims={"stage": "semi"})
    inspect(log, DEFECTIVE, start=NOON + HOUR, dims={"stage": "final"})
    log.send(
        event_id="i4", occurred_at=NOON + 4 * MINUTE, measures={"inspected": 1, "accepted": 0}, dims={"stage": "semi"}
    )
    assert log.outcomes() == {"duplicate": 1, "scored": 5, "unused": 1}
    assert alerts(log) == []


def test_shifts_units_and_silence_are_not_looked_at_here() -> None:
    """No shift without a calendar; `below_unit` and `stale` are not decided by one record after the other."""
    log = published(
        ruled(
            "[{below: 0.9, window: shift}, {below_unit: 0.05, window: day}, {stale: 5m}, {naive: 0.9}]",
            windows="shift, day",
        )
    )  # naive without a window takes the first, a shift
    inspect(log, *[(0, 50)] * 3)
    assert alerts(log) == []


def test_alerts_are_those_of_one_employee_or_of_all() -> None:
    """By employee; nobody has none."""
    log = published(ruled(NAIVE))
    for employee in ("E2", "E1"):
        inspect(log, DEFECTIVE, employee_id=employee)
    found = log.recompute()
    assert [alert.employee for alert in found.alerts()] == ["E1", "E2"]
    assert [alert.employee for alert in found.alerts("E2")] == ["E2"]
    assert list(found.alerts("E3")) == []


@pytest.mark.parametrize("window", ["rolling 5m", "rolling 200m", "rolling 20000m", "day", "week", "all"])
@pytest.mark.parametrize("seed", range(3))
def test_windows_are_what_a_plain_sum_over_the_entries_gives(window: str, seed: int) -> None:
    """Each newest entry is judged by the entries so far that lie in its window, found here one by one."""
    rng = random.Random(seed)
    log = published(ruled(f"[{{naive: 0.5, window: {window}}}]", windows=window, timezone="Asia/Shanghai"))
    step = rng.choice([MINUTE, 30 * MINUTE, 5 * HOUR])
    seen: list[tuple[int, int, int]] = []
    expected, is_open = [], False
    for number in range(300):
        at = NOON + number * step // 2 - rng.choice([0, 0, step, 3 * step, 2 * DAY])
        good, units = rng.choice([(0, 1), (1, 1), (2, 5), (4, 5)])
        log.send(
            NOON + number * step, event_id=f"i{number}", occurred_at=at, measures={"inspected": units, "accepted": good}
        )
        seen.append((at, good, units))
        if at == max(seen)[0]:
            start, end = (
                rolling_span(int(window[8:-1]), at)
                if window.startswith("rolling")
                else (0, at + 1)
                if window == "all"
                else calendar_span(window, "Asia/Shanghai", at)
            )
            inside = [(good, units) for at, good, units in seen if start <= at < end]
            low = sum(good for good, _ in inside) / sum(units for _, units in inside) < 0.5
            expected += [f"i{number}"] if low and not is_open else []
            is_open = low
    assert expected
    assert [alert.last_event for alert in alerts(log)] == expected


@pytest.mark.parametrize(("wait", "raised"), [("", 1), (", for: 1m", 0)])
def test_a_record_older_than_the_one_that_lifted_drift_raises_it(wait: str, raised: int) -> None:
    """Events that come newest first: without `for` their T plays no part, with it time has to pass."""
    rule = f"{{drift: {{good: 0.95, bad: 0.85, h: 3}}{wait}}}"
    log = published(template(YIELD.rstrip("}") + f", alerts: [{rule}]}}"))
    for number in range(4):
        at = NOON - number * SECOND
        log.send(event_id=f"i{number}", occurred_at=at, sent_at=NOON, measures={"inspected": 10, "accepted": 8})
    assert raised == len(list(log.recompute().alerts()))
