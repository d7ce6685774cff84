"""What the web answers while its views cannot be read, or are not complete: never half a company, never a guess."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from agents.views.twin_file import NAME
from agents.views.twin_writer import TwinWriter
from dashboards.web.app import create_app
from tests.agents.views.sites import LOG, batch
from tests.web.factories import NOW, line
from tests.web.gates import OPEN
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
API = [
    "/api/v1/units", "/api/v1/units/L03", "/api/v1/employees/E0001", "/api/v1/scores",
    "/api/v1/scores?unit=L03", "/api/v1/alerts", "/api/v1/alerts/a1",
]  # fmt: skip


def broken(folder: Path) -> None:
    """A file that is none."""
    (folder / NAME).write_bytes(b"no database at all" * 400)


def incomplete(folder: Path) -> None:
    """Half of the log is in the views."""

    async def begin() -> None:
        writer = TwinWriter(folder)
        await writer.begin(LOG, 1, [0])
        await writer.put(batch(*line(), caught_up=False))
        await writer.close()

    asyncio.run(begin())


@pytest.fixture(params=[broken, incomplete], ids=["broken", "incomplete"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    """A client of the application over views that cannot be read."""
    request.param(tmp_path)
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=OPEN)) as client:
        yield client


@pytest.mark.parametrize("address", API)
def test_the_api_says_that_it_cannot_tell(client: Client, tmp_path: Path, address: str) -> None:
    """503, and when to ask again; nothing of the inside."""
    answer = client.get(address)
    assert (503, "3", "application/problem+json") == (
        answer.status_code, answer.headers["retry-after"], answer.headers["content-type"],
    )  # fmt: skip
    assert answer.json()["detail"].endswith("ask again in a few seconds")
    assert str(tmp_path) not in answer.text


def test_the_start_waits_and_says_for_what(client: Client) -> None:
    """It opens the first board when there is one."""
    answer = client.get("/?lang=en", follow_redirects=False)
    assert (200, True) == (answer.status_code, "The views cannot be read at the moment" in answer.text)
    assert "目前无法读取" in client.get("/?lang=zh", follow_redirects=False).text


def test_a_board_opens_though_nobody_knows_whether_there_is_one(client: Client) -> None:
    """A screen that is switched on now shows its board when the views are back; the page is never loaded again."""
    assert 'data-stream="/board/L03/stream"' in client.get("/board/L03").text
    assert 404 == client.get("/board/a/b").status_code


def test_what_is_broken_is_made_anew_by_the_next_worker(tmp_path: Path) -> None:
    """And the web goes on by itself."""
    broken(tmp_path)
    shelf = Shelf(tmp_path)
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as client:
        assert 503 == client.get("/api/v1/units").status_code
        with pytest.raises(Exception, match=NAME):
            shelf.apply(line())  # it takes the file away
        shelf.apply(line())
        assert ["L03"] == [each["unit"] for each in client.get("/api/v1/units").json()["units"]]
