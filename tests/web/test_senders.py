"""A token sends events of whom it is bound to, at the time of the event; who works where takes a right of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from agents.access.administration import AccessError
from agents.records.access_tables import audit
from agents.records.tables import assignments
from agents.transport.embedded.log import EmbeddedLog
from schemas.event import INPUT_TOPICS
from schemas.instants import HOUR
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, PARTITIONS, event
from tests.web.gates import Company
from tests.web.intake import NDJSON, Client, send, taking
from tests.web.test_guard import bearer


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """L2-1 went from L2 to L1 an hour ago, and L1-1 the other way."""
    made = Company(tmp_path / "company", at=NOON)
    moves = ({"employee": f"{was}-1", "begins": NOON - HOUR, "role": "x", "unit": now} for was, now in
             (("L1", "L2"), ("L2", "L1")))  # fmt: skip
    made.records.write(lambda connection: connection.execute(insert(assignments), list(moves)))
    return made


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    """An empty log with all topics."""
    with new_log(tmp_path / "log", PARTITIONS) as made:
        yield made


@pytest.fixture
def client(company: Company, log: EmbeddedLog, tmp_path: Path) -> Iterator[Client]:
    """Of an application with that company's door."""
    with taking(log, tmp_path / "views", access=company.gate()) as client:
        yield client


def _sent(client: Client, token: str, *events: dict[str, Any]) -> Any:
    client.app.state.web.gate.refresh()
    body = b"".join(json.dumps(one).encode() + b"\n" for one in events)
    return send(client, body, headers={**NDJSON, **bearer(token)})


def _in_log(log: EmbeddedLog) -> list[str]:
    places = [(topic, number) for topic in INPUT_TOPICS for number in range(PARTITIONS)]
    return sorted(json.loads(row[3] or b"")["event_id"] for place in places for row in log.read(*place, 0, 1000))


def _of(who: str, name: str, at: Any = NOON, **fields: Any) -> dict[str, Any]:
    return event(employee_id=who, event_id=name, occurred_at=at, **fields)


def test_a_bound_token_sends_events_of_its_people_as_of_the_event(
    client: Client, company: Company, log: EmbeddedLog
) -> None:
    """Who worked there then, in the unit or below it; nobody else, and nobody whom the records do not know."""
    ago = NOON - HOUR - 1
    events = {
        "there": _of("L1-2", "there"),
        "left": _of("L1-1", "left"),
        "was-there": _of("L1-1", "was-there", ago),
        "came": _of("L2-1", "came"),
        "was-elsewhere": _of("L2-1", "was-elsewhere", ago),
        "never": _of("office-1", "never"),
        "unknown": _of("E404", "unknown"),
        "above": _of("mona", "above"),
        "no-time": _of("L1-3", "no-time", "yesterday"),
        "no-time-there": _of("office-2", "no-time-there", "yesterday"),
    }
    found = _sent(client, company.token("L1", "send-events"), *events.values())
    told = {one["event_id"]: (one["reason"], one["in_log"]) for one in found["lines"]}
    forbidden = {"left", "was-elsewhere", "never", "unknown", "above", "no-time-there"}
    assert forbidden == {name for name, (reason, _) in told.items() if reason == "forbidden"}
    assert ("bad_time", True) == told["no-time"]
    assert sorted(events.keys() - forbidden) == _in_log(log)
    assert (3, 7, 4) == (found["accepted"], found["refused"], found["in_log"])
    assert found["lines"][1]["detail"] == (
        "employee_id: 'L1-1', as of occurred_at 2026-03-02T12:00:00.000Z, takes the right 'send-events' to them: this "
        "token is bound to unit 'L1'"
    )
    with company.records.reading() as connection:
        entry = connection.execute(select(audit).where(audit.c.action == "send")).one()
    assert ("refused", "send-events") == (entry.outcome, entry.right)
    assert ["E404", "L1-1", "L2-1", "mona", "office-1", "office-2"] == json.loads(entry.detail)["employees"]


def test_a_unit_has_what_is_below_it(client: Client, company: Company, log: EmbeddedLog) -> None:
    """A token of the plant sends for its lines."""
    found = _sent(client, company.token("plant", "send-events"), _of("L1-2", "a"), _of("mona", "b"), _of("L2-2", "c"))
    assert 3 == found["accepted"]
    assert ["a", "b", "c"] == _in_log(log)


def test_a_token_without_a_unit_sends_events_of_anybody(client: Client, company: Company, log: EmbeddedLog) -> None:
    """Also of people whom the records do not know."""
    assert 2 == _sent(client, company.token(None, "send-events"), _of("E404", "a"), _of("L1-1", "b"))["accepted"]
    assert ["a", "b"] == _in_log(log)


def test_who_works_where_takes_a_right_of_its_own(client: Client, company: Company, log: EmbeddedLog) -> None:
    """People events change what others are scored by: no measuring device sends one by the way."""
    moved = _of("L1-1", "moved", type="people.assignment", measures={}, dims={"unit": "office", "role": "x"})
    found = _sent(client, company.token(None, "send-events"), _of("L1-1", "a"), moved)
    assert [None, "forbidden"] == [one["reason"] for one in found["lines"]]
    assert "type: 'people.assignment' takes the right 'send-people'" in found["lines"][1]["detail"]
    assert ["a"] == _in_log(log)
    assert 1 == _sent(client, company.token(None, "send-events", "send-people"), moved)["accepted"]
    assert ["a", "moved"] == _in_log(log)


def test_a_type_written_twice_is_the_one_that_counts(client: Client, company: Company, log: EmbeddedLog) -> None:
    """And so is an employee: what is asked about is where the record goes."""
    client.app.state.web.gate.refresh()
    token = company.token("L1", "send-events")
    client.app.state.web.gate.refresh()
    twice = json.dumps(_of("L1-2", "a")).encode()[:-1] + b', "employee_id": "office-1"}'
    people = json.dumps(_of("L1-2", "b")).encode()[:-1] + b', "type": "people.target"}'
    found = send(client, twice + b"\n" + people, headers={**NDJSON, **bearer(token)})
    assert ["forbidden", "forbidden"] == [one["reason"] for one in found["lines"]]
    assert [] == _in_log(log)


def test_a_bound_token_never_says_who_works_where(company: Company) -> None:
    """It would be bound to what it says itself."""
    with pytest.raises(AccessError, match=r"unit 'L1': a token that is bound to one cannot have scope 'send-people'"):
        company.token("L1", "send-events", "send-people")


def test_who_may_not_send_at_all_is_refused_whole(client: Client, company: Company) -> None:
    """As before: 403, and nothing of it is read."""
    token = company.token("L1", "read-scores")
    client.app.state.web.gate.refresh()
    send(client, json.dumps(_of("L1-2", "a")).encode(), 403, headers={**NDJSON, **bearer(token)})
