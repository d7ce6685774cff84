"""Every habit of the senders is there, in its share, and nobody else is touched by it."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest

from agents.plant.senders import GARBAGE, REPEATING, TOO_LATE, Spoiled, deliveries, spoiled
from agents.plant.work import Happening, minute_of
from schemas.event import Event, Rejection, decode_one
from schemas.instants import HOUR, MINUTE
from tests.plant.records import START, events, live_minutes, plant


@pytest.fixture(scope="module")
def happenings() -> list[Happening]:
    """An hour of everybody's work, outputs and costs included."""
    people = plant().on_shift(START)
    return [h for minute in range(60) for p in people for h in minute_of(plant(), p, START // MINUTE + minute, START)]


@pytest.mark.parametrize("spoiler", GARBAGE, ids=lambda spoiler: spoiler.reason)
def test_garbage_is_rejected_for_its_reason(spoiler: Spoiled, happenings: list[Happening]) -> None:
    """Each kind, made of any kind of event, is refused with exactly the reason that it is meant to show."""
    for happening in [next(h for h in happenings if h.kind == kind) for kind in ("inspection", "output", "cost")]:
        record = spoiled(spoiler, happening, happening.at)
        found = decode_one(record.value, record.key, record.topic, record.at, lambda key: True)
        assert isinstance(found, Rejection)
        assert found.reason == spoiler.reason


def test_garbage_leaves_the_good_event_alone(happenings: list[Happening]) -> None:
    """Spoiling changes a copy: the event itself is still valid."""
    before = json.dumps(happenings[0].event)
    for spoiler in GARBAGE:
        spoiled(spoiler, happenings[0], START)
    assert json.dumps(happenings[0].event) == before


def test_one_record_in_a_hundred_is_garbage_of_every_kind(happenings: list[Happening]) -> None:
    """About 1 % of what is delivered is garbage, and over some hours each reason occurs."""
    sendings = [s for number, h in enumerate(happenings * 3) for s in deliveries(Random(number), h)]
    bad = [s for s in sendings if s.kind == "garbage"]
    assert len(bad) / len(sendings) == pytest.approx(0.01, abs=0.002)
    found = [decode_one(s.value, s.key, s.topic, s.at, lambda key: True) for s in bad]
    assert {r.reason for r in found if isinstance(r, Rejection)} == {spoiler.reason for spoiler in GARBAGE}
    assert all(isinstance(rejected, Rejection) for rejected in found)


def test_the_gauge_of_line_1_repeats_itself() -> None:
    """One event in five comes two or three times, byte for byte, and no other sender repeats anything."""
    records = live_minutes(60)
    copies = Counter(record.value for record in records if record.kind in ("inspection", "duplicate"))
    by_gauge = {value: n for value, n in copies.items() if json.loads(value)["source"] == REPEATING}
    assert set(by_gauge.values()) == {1, 2, 3}
    assert sum(n > 1 for n in by_gauge.values()) / len(by_gauge) == pytest.approx(0.2, abs=0.05)
    assert {n for value, n in copies.items() if value not in by_gauge} == {1}


def test_laboratory_results_are_minutes_to_hours_late() -> None:
    """One a minute, for pieces three minutes to six hours old, some of them made by the other shift, none too late."""
    records = [record for record in live_minutes(120) if record.kind == "lab"]
    assert len(records) == pytest.approx(120, abs=1)
    decoded = [decode_one(r.value, r.key, r.topic, r.at, lambda key: True) for r in records]
    delays = [
        record.at - event.occurred_at
        for record, event in zip(records, decoded, strict=True)
        if isinstance(event, Event)
    ]
    assert len(delays) == len(records)
    assert 3 * MINUTE <= min(delays) < 10 * MINUTE
    assert 2 * HOUR < max(delays) <= 6 * HOUR
    shifts = {record.key.decode()[2] for record in records}
    assert shifts == {"1", "2"}


def test_the_branch_office_is_too_late_now_and_then() -> None:
    """Within two minutes of the start, and every ten minutes after, comes an event of more than seven days ago."""
    records = [record for record in live_minutes(60) if record.kind == "late"]
    assert len(records) == 6
    assert records[0].at < START + 2 * MINUTE
    for record in records:
        event = decode_one(record.value, record.key, record.topic, record.at, lambda key: True)
        assert isinstance(event, Event)
        assert record.at - event.occurred_at > TOO_LATE


def test_no_two_events_share_an_identity() -> None:
    """Apart from repetitions and garbage, topic, employee, id and time are unique."""
    records = [record for record in live_minutes(60) if record.kind not in ("duplicate", "garbage")]
    found = events(records, *{record.kind for record in records})
    identities = {
        (r.topic, e["employee_id"], e["event_id"], e["occurred_at"]) for r, e in zip(records, found, strict=True)
    }
    assert len(identities) == len(records)
