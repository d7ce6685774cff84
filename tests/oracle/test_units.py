"""Units say what follows from the inputs: who is well below theirs, when it is the line, whose alerts it stands for."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from agents.oracle import Alert, Decided, UnitAlerts
from agents.oracle.behind import ENDED
from agents.oracle.murmur2 import partition_of
from tests.oracle.logs import HOUR, MINUTE, NOON, PARTITIONS, SECOND, TOPICS, YIELD, Log, template

GAP = "[{id: behind, window: day, below_unit: 0.25, severity: info}]"
DROP = "[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}}]"
SIX = ("E1", "E2", "E3", "E4", "E5", "E6")


def published(alerts: str, **fields: Any) -> Log:
    """A log with one template."""
    log = Log()
    log.publish(template(f"{YIELD.rstrip('}')}, alerts: {alerts}}}", **fields))
    return log


def work(log: Log, at: int, accepted: Mapping[str, int], line: str = "L1") -> None:
    """Ten units of each of these people, so many good ones."""
    for name, good in accepted.items():
        log.send(
            event_id=f"{name}-{at}", employee_id=name, occurred_at=at, measures={"inspected": 10, "accepted": good},
            dims={"line": line},
        )  # fmt: skip


def close(log: Log, minute: int, partitions: range = range(PARTITIONS)) -> int:
    """So many minutes after noon all partitions tick, a second later; the minute."""
    at = NOON + minute * MINUTE
    for partition in partitions:
        follows = {topic: log.ends.get((topic, partition), 0) for topic in (*TOPICS.values(), "commands")}
        knows = [log.ends.get(("templates", number), 0) for number in range(PARTITIONS)]
        value = {"at": at + SECOND, "follows": follows, "knows": knows}
        log.append("ticks", partition, at + SECOND, str(partition).encode(), json.dumps(value).encode())
    return at


def act(log: Log, alert: Alert, action: str, by: str = "lee", **fields: Any) -> None:
    """Somebody does something to an alert, a unit's own or a person's."""
    key = (alert.employee or alert.unit).encode()
    value = {"command": "alert", "alert_id": alert.alert_id, "action": action, "by": by, **fields}
    if not alert.employee:
        value["unit"] = alert.unit
    log.append("commands", partition_of(key, PARTITIONS), NOON, key, json.dumps(value).encode())


def said(log: Log, decided: Decided | None = None) -> UnitAlerts:
    return log.recompute().unit_alerts(decided)


def drops(log: Log) -> dict[str, str]:
    """The ids of the alerts of people, by whose they are."""
    return {alert.employee: alert.alert_id for alert in log.recompute().alerts()}


def only(log: Log) -> Alert:
    """The one alert there is."""
    (found,) = said(log).alerts
    return found


@pytest.mark.parametrize(("good", "is_below"), [(5, False), (4, True)])
def test_below_is_by_more_than_the_gap(good: int, is_below: bool) -> None:
    """0.5 is not more than 0.25 below 0.75; 0.4 is, of 0.725."""
    log = published(GAP)
    work(log, NOON - MINUTE, {"E1": good, "E2": 8, "E3": 8, "E4": 9})
    minute = close(log, 0)
    assert is_below == bool(said(log).alerts)
    if is_below:
        found = only(log)
        assert (found.employee, found.unit, found.raised_at, found.cleared_at) == ("E1", "L1", minute, None)
        assert (found.value, found.n, found.good) == (0.4, 10, 4)
        assert found.threshold == pytest.approx(0.725)
        assert (found.window, found.window_start, found.severity) == ("day", NOON - 12 * HOUR, "info")


def test_it_has_to_be_so_for_long_enough() -> None:
    """At every decided minute from one two minutes earlier on; it is over at the first at which it is not so."""
    log = published(GAP.replace("below_unit: 0.25", "below_unit: 0.25, for: 2m"))
    work(log, NOON - MINUTE, {"E1": 2, "E2": 10, "E3": 10})
    close(log, 0)
    close(log, 1)
    assert [] == said(log).alerts
    third = close(log, 2)
    assert third == only(log).raised_at
    work(log, NOON + 3 * MINUTE, {"E1": 10, "E2": 0})
    over = close(log, 3)
    assert (over, "") == (only(log).cleared_at, only(log).reason)
    work(log, NOON + 4 * MINUTE, {"E1": 0})
    close(log, 4)
    assert 1 == len(said(log).alerts)


def test_few_units_are_no_reason() -> None:
    """Fewer than the sample say nothing of anybody."""
    log = published(GAP + ", min_sample: 11")
    work(log, NOON - MINUTE, {"E1": 2, "E2": 10, "E3": 10})
    close(log, 0)
    assert [] == said(log).alerts


def test_whom_the_version_leaves_is_not_looked_at() -> None:
    """In another role; what they did stays with the unit."""
    log = published(GAP, applies_to="{roles: [operator]}")
    for name in ("E1", "E2", "E3"):
        post = {"role": "operator", "unit": "L1"}
        log.send(
            event_id="post", type="people.assignment", employee_id=name, occurred_at=NOON - HOUR, measures={}, dims=post
        )
    work(log, NOON - MINUTE, {"E1": 2, "E2": 10, "E3": 10})
    close(log, 0)
    log.assign(NOON + 30 * SECOND, role="guest", unit="L1")
    over = close(log, 1)
    assert (over, ENDED) == (only(log).cleared_at, only(log).reason)


def test_who_belongs_nowhere_is_below_nobody() -> None:
    """A record without a line, and no assignment."""
    log = published(GAP)
    log.send(occurred_at=NOON - MINUTE, measures={"inspected": 10, "accepted": 0})
    work(log, NOON - MINUTE, {"E2": 10, "E3": 10})
    close(log, 0)
    assert [] == said(log).alerts


def test_a_minute_that_a_partition_passes_over_is_not_decided() -> None:
    """What came in it counts in the next one that all close."""
    log = published(GAP)
    work(log, NOON - MINUTE, {"E1": 2, "E2": 10, "E3": 10})
    close(log, 0, range(1, PARTITIONS))
    assert [] == said(log).alerts
    second = close(log, 1)
    assert second == only(log).raised_at


def test_a_minute_knows_what_its_ticks_know() -> None:
    """A record that came after the tick, whatever its time, counts in the minute that follows."""
    log = published(GAP)
    close(log, 0)
    work(log, NOON - MINUTE, {"E1": 2, "E2": 10, "E3": 10})
    assert [] == said(log).alerts
    assert close(log, 1) == only(log).raised_at


def test_who_is_ahead_counts_as_of_their_newest_event() -> None:
    """Ten minutes of clock skew: the window of five minutes holds what is ahead, not what was there at the minute."""
    log = Log()
    rules = GAP.replace("window: day", "window: rolling 5m")
    log.publish(template(f"{YIELD.rstrip('}').replace('[day]', '[rolling 5m]')}, alerts: {rules}}}"))
    work(log, NOON - MINUTE, {"E1": 0, "E2": 10, "E3": 10})
    log.send(
        sent_at=NOON, event_id="ahead", occurred_at=NOON + 10 * MINUTE, measures={"inspected": 10, "accepted": 9},
        dims={"line": "L1"},
    )  # fmt: skip
    close(log, 0)
    assert [] == said(log).alerts


@pytest.mark.parametrize(
    ("people", "bad", "fires"), [(4, 4, False), (5, 1, False), (5, 2, True), (6, 2, False), (6, 3, True)]
)
def test_more_than_a_third_of_five_or_more_are_the_line(people: int, bad: int, fires: bool) -> None:
    """A third exactly is not; four are too few."""
    log = published(DROP)
    work(log, NOON - MINUTE, {name: 2 if place < bad else 10 for place, name in enumerate(SIX[:people])})
    minute = close(log, 0)
    assert fires == bool(said(log).alerts)
    if fires:
        line = only(log)
        assert (line.rule, line.employee, line.unit, line.raised_at) == ("common_cause", "", "L1", minute)
        assert (line.value, line.n, line.good) == (bad / people, people, people - bad)
        assert dict.fromkeys(drops(log).values(), line.alert_id) == said(log).stands


def test_values_that_drift_count_as_well() -> None:
    """Nine defects where one is usual, of three people in five; the limit is 2 off."""
    log = Log()
    rule = "{ewma: {lambda: 1, L: 2, sigma: 1, side: above}}"
    log.publish(
        template(
            "{id: faults, from: qc.inspection, value: inspected - accepted, windows: [day], target: 1, "
            f"alerts: [{rule}]}}"
        )
    )
    work(log, NOON - MINUTE, dict(zip(SIX, (1, 1, 1, 9, 9), strict=False)))
    close(log, 0)
    alert = only(log)
    assert ("common_cause", 5, 2) == (alert.rule, alert.n, alert.good)


@pytest.mark.parametrize(("rule", "is_line"), [("below: 0.9", True), ("naive: 0.9", False)])
def test_falling_below_a_threshold_is_drifting(rule: str, is_line: bool) -> None:
    """With no other rule; `naive` is wrong too often to blame a line."""
    log = published(f"[{{id: low, window: day, {rule}, severity: info}}, {{id: gap, window: day, below_unit: 0.9}}]")
    work(log, NOON - MINUTE, {name: 2 if name in SIX[:3] else 10 for name in SIX})
    minute = close(log, 0)
    assert [("common_cause", "L1", minute, 3, "info")] * is_line == [
        (line.rule, line.unit, line.raised_at, line.good, line.severity) for line in said(log).alerts
    ]
    assert is_line * 3 == len(said(log).stands)


def test_what_began_an_hour_ago_has_nothing_in_common() -> None:
    """Later than an hour before the minute; exactly an hour is too long ago. Without an event nobody is counted."""
    log = published(DROP)
    work(log, NOON - HOUR, {"E1": 2, "E2": 2})
    work(log, NOON - MINUTE, dict.fromkeys(SIX[:5], 10) | {"E6": 2})
    close(log, 0)
    assert [] == said(log).alerts
    work(log, NOON + MINUTE, {"E3": 2})
    close(log, 1)
    assert [] == said(log).alerts
    work(log, NOON + 2 * MINUTE, {"E4": 2})
    close(log, 2)
    assert (3, {"E1", "E2", "E3", "E4", "E6"}) == (only(log).n - only(log).good, drops(log).keys())  # type: ignore[operator]
    assert set(drops(log).values()) == said(log).stands.keys()  # theirs of long ago, too


def recover(log: Log, at: int, people: tuple[str, ...]) -> None:
    """So many good units that nobody drifts any more."""
    for second in range(50):
        work(log, at + second * SECOND, dict.fromkeys(people, 10))


@pytest.mark.parametrize(("still", "is_over"), [(2, False), (1, True)])
def test_it_is_over_when_hardly_anybody_drifts(still: int, is_over: bool) -> None:
    """At most a sixth; who still does stands by themselves again."""
    log = published(DROP)
    work(log, NOON - MINUTE, dict.fromkeys(SIX, 2))
    close(log, 0)
    recover(log, NOON + 5 * MINUTE, SIX[still:])
    over = close(log, 10)
    assert (over if is_over else None) == only(log).cleared_at
    left = {drops(log)[name] for name in SIX[:still]}
    assert (set() if is_over else left) == said(log).stands.keys()
    assert set(drops(log).values()) == said(log).stood.keys()


def test_who_goes_elsewhere_stands_alone() -> None:
    """Where they belong now nothing is amiss."""
    log = published(DROP)
    work(log, NOON - MINUTE, dict.fromkeys(SIX, 2))
    close(log, 0)
    log.assign(NOON + 30 * SECOND, unit="L2")
    close(log, 1)
    assert drops(log)["E1"] not in said(log).stands
    assert 5 == len(said(log).stands)


def test_whom_somebody_cleared_drifts_no_more() -> None:
    """Of six three drift; one alert is cleared by hand before the minute closes."""
    log = published(DROP)
    work(log, NOON - MINUTE, {name: 2 if name in SIX[:3] else 10 for name in SIX})
    act(log, next(log.recompute().alerts()), "clear")
    close(log, 0)
    assert [] == said(log).alerts


def test_what_people_do_to_the_lines_alert() -> None:
    """Cleared by hand it is cleared at the tick, its members stand alone, and it is not raised before it was over."""
    log = published(DROP)
    work(log, NOON - MINUTE, dict.fromkeys(SIX, 2))
    close(log, 0)
    line = only(log)
    act(log, line, "unshelve")
    act(log, line, "ack", by="")
    close(log, 1)
    assert "firing" == only(log).state
    act(log, line, "shelve", until=NOON + 3 * MINUTE)
    close(log, 2)
    assert "shelved" == only(log).state
    close(log, 3)
    assert "firing" == only(log).state
    act(log, line, "ack")
    close(log, 4)
    assert "acknowledged" == only(log).state
    act(log, line, "clear")
    cleared = close(log, 5)
    assert ("cleared", cleared + SECOND) == (only(log).state, only(log).cleared_at)
    assert {} == said(log).stands
    recover(log, NOON + 6 * MINUTE, SIX)
    close(log, 8)
    work(log, NOON + 9 * MINUTE, dict.fromkeys(SIX, 2))
    again = close(log, 9)
    assert [cleared + SECOND, None] == [alert.cleared_at for alert in said(log).alerts]
    assert again == said(log).alerts[1].raised_at


def test_what_is_not_decided_or_heard_yet_is_left_out() -> None:
    """A unit's own alert is said with its minute; a member hears later."""
    log = published(f"[{DROP.strip('[]')}, {GAP.strip('[]')}]")
    work(log, NOON - MINUTE, {name: 2 if name in SIX[:3] else 10 for name in SIX})
    first, second = close(log, 0), close(log, 1)
    everything = said(log)
    assert 4 == len(everything.alerts)  # the line, and three who are behind
    home = dict.fromkeys(range(PARTITIONS), second)
    assert everything == said(log, Decided(second, {}, home))
    assert UnitAlerts([], {}, {}) == said(log, Decided(first - MINUTE, {}, home))
    deaf = Decided(second, {}, home | {partition_of(b"E1", PARTITIONS): first - 1})
    assert {"", "E2", "E3"} == {alert.employee for alert in said(log, deaf).alerts}
    assert drops(log)["E1"] not in said(log, deaf).stands
