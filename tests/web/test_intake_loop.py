"""Screens live in the loop that batches arrive in: none waits for a batch, and a slow one keeps no room."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from agents.intake.intake import Intake
from agents.transport.embedded.log import EmbeddedLog
from dashboards.web import api_events
from dashboards.web.app import create_app
from dashboards.web.intake import MOST_LINES
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, PARTITIONS, event
from tests.web.gates import OPEN
from tests.web.intake import EVENTS, NDJSON, At
from tests.web.shelf import Shelf
from tests.web.test_api_events import folder, values

__all__ = ["folder"]


@pytest.fixture
def log(folder: Path) -> Iterator[EmbeddedLog]:
    """An empty log."""
    with new_log(folder / "log", PARTITIONS) as made:
        yield made


@pytest.fixture
def app(log: EmbeddedLog, folder: Path) -> Litestar:
    """An application over the log, to be called in the test's own loop."""
    return create_app(Shelf(folder / "views").reader(), intake=Intake(At(log), lambda: NOON), access=OPEN)


def client(app: Litestar) -> httpx.AsyncClient:
    """A client in this loop."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=NDJSON)  # type: ignore[arg-type]


async def test_the_loop_goes_on_while_the_largest_batch_is_judged(app: Litestar, log: EmbeddedLog) -> None:
    """It would stand still for as long as the answer takes if anything of it were done there."""
    lines = (json.dumps(event(event_id=f"e{number}", employee_id=f"E{number}")) for number in range(MOST_LINES))
    body = "\n".join(lines).encode()
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            gaps.append(time.perf_counter() - before)

    async with client(app) as asked:
        watcher = asyncio.create_task(watch())
        began = time.perf_counter()
        answer = await asked.post(EVENTS, content=body)
        took = time.perf_counter() - began
        watcher.cancel()
    assert MOST_LINES == answer.json()["in_log"] == len(values(log))
    assert max(gaps) < took / 2, (max(gaps), took)


async def test_a_body_that_does_not_come_is_given_up(app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    """408, and its room is free again."""
    monkeypatch.setattr(api_events, "BODY_S", 0.05)
    never = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"event_id":'
        await never.wait()

    async with client(app) as asked:
        answer = await asked.post(EVENTS, content=slow())
    assert (408, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    room = app.state.web.batches.room
    with room.portion() as take:
        take(room._most)
