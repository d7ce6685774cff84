"""The stream on a real connection: snapshot, changes, heartbeats, headers, and an end when the process stops."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple
from unittest.mock import Mock

import httpx
import pytest

from dashboards.web import event_stream
from dashboards.web.event_stream import EventStream
from dashboards.web.hub import Pace
from tests.web.factories import line, row, scores, unit_scores
from tests.web.serving import LIMIT, Serving, serving
from tests.web.test_hub import Rig as HubRig


class Event(NamedTuple):
    """An event as a browser would give it."""

    name: str
    data: Any


def events(answer: httpx.Response) -> Iterator[Event]:
    """The events of a stream; comments and `retry` are left out."""
    name = ""
    for text in answer.iter_lines():
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield Event(name, json.loads(text.removeprefix("data: ")))


def wait_for(process: Serving, screens: int) -> None:
    """Until so many screens are connected."""
    deadline = time.monotonic() + LIMIT
    while process.call(lambda: process.app.state.web.hub.screens) != screens:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def process() -> Iterator[Serving]:
    """A process with a line of two people."""
    with serving(*line(), pace=Pace(conflate=0.1, heartbeat=0.3, watch=0.1)) as running:
        yield running


def test_a_stream_gives_the_board_then_its_changes(process: Serving) -> None:
    """First everything, then only what changed."""
    with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
        stream = events(answer)
        first = next(stream)
        assert first.name == "snapshot"
        assert [tile["id"] for tile in first.data["people"]] == ["E0001", "E0002"]
        assert first.data["summary"]["reading"]["value"] == 0.96
        process.feed(scores("E0002", row(50)))
        change = next(event for event in stream if event.name == "change")
    assert {"unit": "L03", "people": [change.data["people"][0]]} == change.data
    assert (change.data["people"][0]["id"], change.data["people"][0]["reading"]["value"]) == ("E0002", 0.5)


def test_a_stream_says_how_it_wants_to_be_treated(process: Serving) -> None:
    """No proxy may gather or keep it; the browser is told when to come again."""
    with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
        headers = answer.headers
        lines = answer.iter_lines()
        assert next(lines) == "retry: 3000"
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (
        headers["cache-control"],
        headers["x-accel-buffering"],
        headers["x-content-type-options"],
    ) == ("no-cache, no-transform", "no", "nosniff")


def test_heartbeats_go_on_while_nothing_changes(process: Serving) -> None:
    """A comment for proxies, an event for the page's watchdog; times have a zone."""
    with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
        text = ""
        for each in answer.iter_lines():
            text += each + "\n"
            if text.count("event: heartbeat") == 3:
                break
    assert text.count(": heartbeat\nevent: heartbeat") == 3


def test_an_unknown_unit_has_a_stream_that_comes_alive(process: Serving) -> None:
    """A screen may be hung up before its line has produced anything."""
    with httpx.stream("GET", f"{process.url}/board/L99/stream", timeout=LIMIT) as answer:
        stream = events(answer)
        first = next(stream)
        assert (first.name, first.data["summary"], first.data["people"]) == ("snapshot", None, [])
        process.feed(unit_scores("L99", ["E0001"]))
        change = next(event for event in stream if event.name == "change")
    assert change.data["summary"]["unit"] == "L99"


@pytest.mark.parametrize("unit", ["%2F", "a/b", "stream", "三号线", "a b?c#d"])
def test_every_unit_has_a_page_and_a_stream(process: Serving, unit: str) -> None:
    """Its address is what the API says, whatever is in its id."""
    process.feed(unit_scores(unit, []))
    units = httpx.get(f"{process.url}/api/v1/units").json()["units"]
    board = next(each["board"] for each in units if each["unit"] == unit)
    assert httpx.get(f"{process.url}{board}").status_code == 200
    with httpx.stream("GET", f"{process.url}{board}/stream", timeout=LIMIT) as answer:
        assert unit == next(events(answer)).data["summary"]["unit"]


def test_a_screen_that_leaves_is_forgotten(process: Serving) -> None:
    """Screens are switched off every evening."""
    with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
        stream = events(answer)
        next(stream)
        wait_for(process, 1)
    wait_for(process, 0)


def test_more_screens_than_agreed_get_a_problem() -> None:
    """The page tries again by itself; the process keeps its memory."""
    with (
        serving(*line(), pace=Pace(most_screens=1)) as process,
        httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer,
    ):
        stream = events(answer)  # held, as letting go of it would end the connection
        next(stream)
        refused = httpx.get(f"{process.url}/board/L03/stream")
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")


def test_a_screen_that_never_reads_does_not_hold_up_the_others(process: Serving) -> None:
    """Its messages are dropped; everybody else sees every change."""
    with socket.create_connection(("127.0.0.1", process.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET /board/L03/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(process, 1)
        with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
            stream = events(answer)
            next(stream)
            for good in (10, 20, 30):
                process.feed(scores("E0001", row(good)))
                change = next(event for event in stream if event.name == "change")
                assert good / 100 == change.data["people"][0]["reading"]["value"]


def test_the_process_stops_while_screens_are_connected() -> None:
    """Streams end properly; screens find the process again when it is back."""
    with serving(*line()) as process:
        with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
            stream = events(answer)
            next(stream)
            process.stop()
            assert next(stream).name == "heartbeat"
            assert list(stream) == []
        process.start()
        with httpx.stream("GET", f"{process.url}/board/L03/stream", timeout=LIMIT) as answer:
            assert next(events(answer)).name == "snapshot"


class Rig:
    """A stream on a board that tells each 50 ms that it is there, and whoever is to take it."""

    def __init__(self, send: Callable[[Any], Awaitable[None]]) -> None:
        self.hub = HubRig(pulse=0.05, watch=0.05)
        follower, watch = Mock(), Mock()
        follower.watching = lambda unit: nullcontext()
        watch.over = lambda screen, still: nullcontext()
        self._stream = EventStream(follower, self.hub.hub, watch, "L03", None, lambda: True)  # type: ignore[arg-type]
        self._send = send

    async def serve(self) -> None:
        """Until the stream ends by itself."""
        await self._stream({}, self._receive, self._send)  # type: ignore[arg-type]

    async def _receive(self) -> Any:
        await asyncio.Event().wait()


async def test_a_screen_that_takes_nothing_for_long_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold its place for ever: its network may be gone without a word."""
    monkeypatch.setattr(event_stream, "SEND_TIMEOUT", 0.05)
    monkeypatch.setattr(event_stream, "LOOK", 0.01)
    taken: list[str] = []

    async def send(message: Any) -> None:
        taken.append(message["type"])
        if len(taken) > 1:
            await asyncio.Event().wait()

    rig = Rig(send)
    async with asyncio.timeout(LIMIT):
        await rig.serve()
    assert (taken, rig.hub.hub.screens) == (["http.response.start", "http.response.body"], 0)


async def test_a_screen_that_takes_each_message_in_time_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is connected: what counts is how long one message takes."""
    monkeypatch.setattr(event_stream, "SEND_TIMEOUT", 0.05)
    monkeypatch.setattr(event_stream, "LOOK", 0.01)
    pulses = asyncio.Semaphore(0)

    async def send(message: Any) -> None:
        if b"event: pulse" in message.get("body", b""):
            pulses.release()

    rig = Rig(send)
    async with asyncio.timeout(LIMIT), rig.hub.hub.running():
        serving = asyncio.create_task(rig.serve())
        for _ in range(5):
            await pulses.acquire()
        assert not serving.done()
        rig.hub.hub.close()
        await serving
