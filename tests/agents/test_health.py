"""Red means that the worker does not move; the answer says why, and only two pages exist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from agents.health import PORT_FILE, STALE, Health, HealthServer


@pytest.mark.parametrize(
    ("health", "red"),
    [
        (Health(STALE + 1, 1), True),
        (Health(STALE, 1), False),
        (Health(STALE + 1, 0), False),
        (Health(0.0, 10**9), False),
        (Health(None, None, "restoring"), True),
    ],
)
def test_red_is_an_old_commit_with_work_to_do(health: Health, red: bool) -> None:
    """Idle is fine however long; behind is fine while commits come; not scoring is not."""
    assert red is health.red


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[tuple[list[Health], str]]:
    """A server whose health is the last of a list, and its address."""
    healths = [Health(0.5, 3)]
    server = HealthServer(lambda: healths[-1], lambda: b"metric 1\n")
    port = await server.start("127.0.0.1", 0, tmp_path)
    yield healths, f"http://127.0.0.1:{port}"
    await server.stop()


async def test_health_answers_with_its_figures(asked: tuple[list[Health], str]) -> None:
    """200 and ok; 503 and red with a reason once it does not move."""
    healths, address = asked
    async with ClientSession() as session:
        async with session.get(f"{address}/healthz") as answer:
            assert 200 == answer.status
            assert {"status": "ok", "commit_age_seconds": 0.5, "lag_records": 3, "reason": None} == await answer.json()
        healths.append(Health(31.0, 1))
        async with session.get(f"{address}/healthz") as answer:
            assert 503 == answer.status
            assert "no commit for too long" in (await answer.json())["reason"]
        healths.append(Health(None, None, "restoring"))
        async with session.get(f"{address}/healthz") as answer:
            assert (503, "restoring") == (answer.status, (await answer.json())["reason"])


async def test_nothing_but_health_and_metrics_is_served(asked: tuple[list[Health], str]) -> None:
    """The exposition as text; no table, no other path."""
    _, address = asked
    async with ClientSession() as session:
        async with session.get(f"{address}/metrics") as answer:
            assert b"metric 1\n" == await answer.read()
            assert answer.headers["Content-Type"].startswith("text/plain")
        for path in ("/", "/tables", "/healthz/../etc"):
            async with session.get(address + path) as answer:
                assert 404 == answer.status


async def test_the_port_stands_beside_the_data_while_it_is_open(tmp_path: Path) -> None:
    """Whoever looks for the worker finds the number; after the end it is gone."""
    server = HealthServer(lambda: Health(0.0, 0), lambda: b"")
    port = await server.start("127.0.0.1", 0, tmp_path)
    assert f"{port}\n" == (tmp_path / PORT_FILE).read_text()
    await server.stop()
    assert not (tmp_path / PORT_FILE).exists()
