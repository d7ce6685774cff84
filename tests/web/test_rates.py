"""Limits per client: what is over them is told to wait, what is left is told in every answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.transport.embedded.log import EmbeddedLog
from dashboards.web.rates import MOST_CLIENTS, Rate, Rates
from tests.agents.rig import new_log
from tests.oracle.logs import PARTITIONS
from tests.web.intake import EVENTS, NDJSON, send, taking
from tests.web.test_api_events import folder, line, values

__all__ = ["folder"]


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log(folder: Path) -> Iterator[EmbeddedLog]:
    """An empty log."""
    with new_log(folder / "log", PARTITIONS) as made:
        yield made


def test_a_bucket_fills_at_its_rate() -> None:
    """Who took all waits for what is missing, others do not; nothing is taken by who has to wait."""
    clock = Hand()
    rate = Rate("events", 10, 20, clock)
    assert [0, 1, 0, 0] == [rate.take("a", 20), rate.take("a", 10), rate.take("b", 20), rate.take("a", 0)]
    clock.now += 0.9
    assert 1 == rate.take("a", 10)
    clock.now += 0.1
    assert 0 == rate.take("a", 10)
    clock.now += 1_000
    assert ('"events";r=20;t=0', '"events";q=20;w=2') == (rate.told("a"), rate.policy)


def test_clients_that_were_not_heard_of_for_longest_are_forgotten() -> None:
    """However many addresses somebody has, memory has an end."""
    rate = Rate("requests", 1, 1, Hand())
    for number in range(MOST_CLIENTS + 1):
        assert 0 == rate.take(f"client {number}", 1)
    assert [0, 1] == [rate.take("client 0", 1), rate.take(f"client {MOST_CLIENTS}", 1)]


def test_too_many_events_wait_and_none_is_taken(log: EmbeddedLog, folder: Path) -> None:
    """429 says how long; the whole batch is taken then."""
    clock = Hand()
    rates = Rates.of(None, 2, clock, least=3)
    with taking(log, folder / "views", rates=rates) as client:
        send(client, line(event_id="a") + line(event_id="b"))
        answer = client.post(EVENTS, content=line(event_id="c") + line(event_id="d"), headers=NDJSON)
        assert (429, "1") == (answer.status_code, answer.headers["retry-after"])
        assert '"events";r=1;t=1' == answer.headers["ratelimit"]
        assert '"events";q=3;w=2' == answer.headers["ratelimit-policy"]
        assert "2 a second for each client, 3 at once" in answer.json()["detail"]
        assert 2 == len(values(log))
        clock.now += 1
        assert 2 == send(client, line(event_id="c") + line(event_id="d"))["accepted"]


def test_too_many_requests_wait(log: EmbeddedLog, folder: Path) -> None:
    """Of the API, whatever they ask; health and pages are not counted."""
    clock = Hand()
    with taking(log, folder / "views", rates=Rates.of(2, None, clock, least=1)) as client:
        told = [client.get("/api/v1/units").headers["ratelimit"] for _ in range(2)]
        assert ['"requests";r=1;t=1', '"requests";r=0;t=1'] == told
        answer = client.get("/api/v1/units")
        assert (429, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
        assert 429 == client.get("/api/v1/employees/E9").status_code
        assert "ratelimit" not in client.get("/healthz").headers
        clock.now += 0.5
        assert 200 == client.get("/api/v1/units").status_code
