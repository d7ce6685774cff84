"""When the past changes - an assignment or a rule that comes late - everything that follows from it changes too."""

from __future__ import annotations

from typing import Any

import pytest

from agents import restating
from agents.query import committed
from agents.replay import replay
from stream.history import History
from stream.topics import PEOPLE_EVENTS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import HOUR, NOON, Log, published, template


def _for_operators(version: int = 1, effective_from: str = "2020-01-01T00:00:00Z") -> str:
    return template(applies_to="{roles: [operator]}", version=version, effective_from=effective_from)


async def test_last_falls_back_when_the_newest_scored_event_is_held_after_all(rig: Rig) -> None:
    """`last` is the newest instant of what is scored now, not of what once was."""
    log = published(_for_operators())
    log.assign(NOON - 3 * HOUR, role="operator")
    log.send()
    rig.write(log)
    await rig.drain()
    log.assign(NOON - HOUR, sent_at=NOON, role="guest")
    rig.write(log)
    await rig.drain()
    assert {"held": 1, "scored": 2} == rig.outcomes()
    assert NOON - HOUR == committed(rig.log).last
    assert [] == disagreements(rig)


async def test_last_falls_back_to_the_newest_of_everybody(rig: Rig) -> None:
    """Somebody else's event is the newest then, also when they are not in memory."""
    log = published(_for_operators())
    for employee in ("E1", "E5", "E9", "E13", "E17", "E21"):
        log.send(employee_id=employee, type="people.note", occurred_at=NOON - 2 * HOUR, measures={})
    log.assign(NOON - 3 * HOUR, role="operator")
    log.send()
    rig.write(log)
    await rig.drain()
    rig.evict()
    log.assign(NOON - 4 * HOUR, sent_at=NOON, role="guest")
    log.assign(NOON - 3 * HOUR, sent_at=NOON, role="guest")
    rig.write(log)
    await rig.drain()
    assert NOON - 2 * HOUR == committed(rig.log).last
    assert [] == disagreements(rig)


async def test_a_version_restates_what_was_released_from_waiting(rig: Rig) -> None:
    """An event that was held and then scored is counted anew like any other."""
    log = Log()
    log.send()
    rig.write(log)
    await rig.drain()
    log.publish(template(), at=NOON - 3 * HOUR)
    rig.write(log)
    rig.refresh()
    log.publish(template(version=2, effective_from="2026-03-02T11:00:00Z"), at=NOON - 2 * HOUR)
    rig.write(log)
    await rig.drain()
    assert {"scored": 1} == rig.outcomes()
    assert [] == disagreements(rig)


async def test_what_changes_the_past_several_times_is_counted_anew_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever chunks it comes in: before the next commit."""
    log = published(_for_operators())
    log.assign(NOON - 3 * HOUR, role="operator")
    log.send()
    rig.write(log)
    await rig.drain()
    asked: list[set[str]] = []

    def counted(*given: Any, **options: Any) -> dict[str, History]:
        asked.append(set(options["employees"]))
        return replay(*given, **options)

    monkeypatch.setattr(restating, "replay", counted)
    for hours in (2, 1):
        log.assign(NOON - hours * HOUR, sent_at=NOON, role=f"guest{hours}")
        rig.write(log)
        rig.feed(PEOPLE_EVENTS)
    assert [] == asked
    await rig.drain()
    assert [{"E1"}] == asked
    assert [] == disagreements(rig)
