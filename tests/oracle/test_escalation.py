"""When an alert that nobody takes up escalates, in logs made by hand: at a tick, once, if nothing came between."""

import json
from typing import Any

import pytest

from agents.oracle.alerts import UNSAID
from agents.oracle.murmur2 import partition_of
from tests.oracle.logs import HOUR, MINUTE, NOON, PARTITIONS, YIELD, Log, published, template

RULE = "{{id: drop, drift: {{good: 0.95, bad: 0.85, h: 3}}, {more}}}"


def dropped(more: str = "escalate: 30m", ticked_after: int = MINUTE, **fields: Any) -> Log:
    """An alert raised at noon, which the tick so long after it (ms) has seen."""
    log = published(template(f"{YIELD.rstrip('}')}, alerts: [{RULE.format(more=more)}]}}", **fields))
    log.send(event_id="bad", occurred_at=NOON, measures={"inspected": 10, "accepted": 0})
    log.tick(NOON + ticked_after)
    return log


def escalated_at(log: Log) -> int | None:
    """Of the one alert there is."""
    (alert,) = log.recompute().alerts()
    return alert.escalated_at


@pytest.mark.parametrize(
    ("more", "wait"),
    [
        ("escalate: 30m", 30 * MINUTE),
        ("severity: critical", HOUR),
        ("severity: info, escalate: 2h", 2 * HOUR),
        ("severity: info", 0),
        ("escalate: never", 0),
    ],
)
def test_it_escalates_after_as_long_as_its_rule_says(more: str, wait: int) -> None:
    """At the first tick that is not before, and once; without `escalate` after an hour, for information never."""
    log = dropped(more)
    log.tick(NOON + (wait or 3 * HOUR) - 1)
    assert escalated_at(log) is None
    log.tick(NOON + wait + 7_000)
    log.tick(NOON + wait + HOUR)
    assert (NOON + wait + 7_000 if wait else None) == escalated_at(log)


def test_what_is_over_before_does_not_escalate() -> None:
    """Nor what is over by a record that the very tick follows."""
    log = dropped()
    log.send(event_id="good", occurred_at=NOON + MINUTE, measures={"inspected": 100, "accepted": 100})
    log.tick(NOON + HOUR)
    assert escalated_at(log) is None


def test_what_is_over_afterwards_has_escalated() -> None:
    """That stays with it."""
    log = dropped()
    log.tick(NOON + 30 * MINUTE)
    log.send(event_id="good", occurred_at=NOON + MINUTE, measures={"inspected": 100, "accepted": 100})
    log.tick(NOON + HOUR)
    assert NOON + 30 * MINUTE == escalated_at(log)


@pytest.mark.parametrize(("age", "does"), [(HOUR, True), (HOUR + 1, False)])
def test_what_was_raised_more_than_an_hour_before_its_first_tick_waits_for_nobody(age: int, does: bool) -> None:
    """It is an import's."""
    log = dropped(ticked_after=age)
    log.tick(NOON + 3 * HOUR)
    assert (NOON + age if does else None) == escalated_at(log)


@pytest.mark.parametrize(("begins", "does"), [("2026-03-02T12:30:00Z", False), ("2026-03-02T12:30:01Z", True)])
def test_what_ends_with_its_version_does_not_escalate(begins: str, does: bool) -> None:
    """At a tick at which the version is not in force any more the alert is over, and waits no longer."""
    log = published(
        template(f"{YIELD.rstrip('}')}, alerts: [{RULE.format(more='escalate: 30m')}]}}"),
        template(version=2, effective_from=begins),
    )
    log.send(event_id="bad", occurred_at=NOON, measures={"inspected": 10, "accepted": 0})
    log.tick(NOON + MINUTE)
    log.tick(NOON + 30 * MINUTE)
    assert (NOON + 30 * MINUTE if does else None) == escalated_at(log)


def command(log: Log, alert_id: str, action: str) -> None:
    """Somebody does something to an alert of E1."""
    key = b"E1"
    value = {"command": "alert", "alert_id": alert_id, "action": action, "by": "lee"}
    log.append("commands", partition_of(key, PARTITIONS), NOON, key, json.dumps(value).encode())


def test_nothing_is_said_of_what_people_have_touched() -> None:
    """Whether it waits then is theirs."""
    log = dropped()
    (alert,) = log.recompute().alerts()
    command(log, "another", "ack")
    log.tick(NOON + HOUR)
    assert NOON + HOUR == escalated_at(log)
    command(log, alert.alert_id, "ack")
    assert UNSAID == escalated_at(log)


def test_nothing_is_said_of_what_no_tick_has_seen_or_what_was_counted_anew() -> None:
    """A late assignment has the past counted anew: what became of alerts meanwhile does not follow from inputs."""
    log = published(template(f"{YIELD.rstrip('}')}, alerts: [{RULE.format(more='escalate: 30m')}]}}"))
    log.send(event_id="bad", occurred_at=NOON, measures={"inspected": 10, "accepted": 0})
    assert UNSAID == escalated_at(log)
    log.tick(NOON + MINUTE)
    log.tick(NOON + HOUR)
    assert NOON + HOUR == escalated_at(log)
    log.send(
        type="people.assignment", event_id="a", occurred_at=NOON - HOUR, measures={}, dims={"role": "r", "unit": "u"}
    )
    assert UNSAID == escalated_at(log)
