"""The pace of screens: at most one change per half second, heartbeats in between, and no more screens than agreed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from dashboards.web.channel import Screen
from dashboards.web.hub import Hub, Pace, TooManyScreens
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.view import View
from tests.web.factories import NOW, line, row, scores, tick
from tests.web.shelf import show


class Rig:
    """A hub over a line, with a clock that the test moves."""

    def __init__(self, **pace: float) -> None:
        self.view = View()
        show(self.view, line())
        self.service = Service(found=True, caught_up=True)
        self.metrics = Metrics()
        self.at = NOW
        self.hub = Hub(self.view, self.service, self.metrics, lambda: self.at, "b1", Pace(**pace))  # type: ignore[arg-type]

    def sample(self, name: str, **labels: str) -> float | None:
        """A metric of the hub."""
        return self.metrics.registry.get_sample_value(f"scorestream_web_{name}", labels)


async def until(screen: Screen, wanted: Callable[[str], bool]) -> str:
    """The first message that is wanted, as text."""
    async with asyncio.timeout(60):
        while True:
            message = await screen.next()
            assert message is not None
            if wanted(message.decode()):
                return message.decode()


async def test_changes_within_the_interval_are_sent_as_one() -> None:
    """The first leaves at once, what follows is gathered: the screen shows the last of it."""
    rig = Rig(conflate=0.5)
    with rig.hub.screen("L03") as screen:
        await screen.next()
        rig.hub.touch(show(rig.view, [scores("E0001", row(50))]).units)
        first = await until(screen, lambda text: text.startswith("event: change"))
        for good in range(51, 60):
            rig.hub.touch(show(rig.view, [scores("E0001", row(good))]).units)
            await asyncio.sleep(0)
        second = await until(screen, lambda text: text.startswith("event: change"))
    assert ('"value":0.5,' in first, '"value":0.59,' in second) == (True, True)
    assert rig.sample("sse_messages_total", kind="change") == 2


async def test_a_unit_that_nobody_looks_at_is_not_drawn() -> None:
    """Ten thousand employees change, three boards hang on walls."""
    rig = Rig()
    rig.hub.touch(["L03", "L04"])
    await asyncio.sleep(0)
    assert rig.sample("snapshot_build_seconds_count") == 0


async def test_the_board_of_a_unit_is_kept_only_while_somebody_looks() -> None:
    """Screens come and go for weeks; an address that was tried once leaves nothing behind."""
    rig = Rig()
    for _ in range(3):
        with rig.hub.screen("nobody-knows-it"):
            assert rig.sample("sse_clients") == 1
    assert (rig.hub.screens, rig.hub._channels) == (0, {})


async def test_more_screens_than_agreed_are_refused() -> None:
    """Memory stays bounded; the screen tries again later."""
    rig = Rig(most_screens=1)
    rig.hub.admit()
    with rig.hub.screen("L03"), pytest.raises(TooManyScreens, match="the limit is 1"):
        rig.hub.admit()
    rig.hub.admit()
    assert rig.sample("sse_refused_total") == 1


async def test_a_heartbeat_tells_server_time_build_and_service() -> None:
    """A page knows from it how old its data and its own code are."""
    rig = Rig(heartbeat=0.02, watch=0.01)
    async with rig.hub.running():
        with rig.hub.screen("L03") as screen:
            await screen.next()
            text = await until(screen, lambda text: "event: heartbeat" in text)
    assert text.startswith(": heartbeat\n")
    expected = {
        "at": "2026-03-02T05:40:00.000Z",
        "now": "2026-03-02T05:40:00.000Z",
        "service": "live",
        "since": None,
        "build": "b1",
        "pulse": 4.0,
    }
    assert expected == json.loads(text.split("data: ")[1])


async def test_a_service_that_falls_silent_is_told_without_waiting() -> None:
    """Half a minute without a tick is news; the next heartbeat would be too late."""
    rig = Rig(heartbeat=60.0, watch=0.01)
    async with rig.hub.running():
        with rig.hub.screen("L03") as screen:
            await screen.next()
            rig.at += 31_000
            text = await until(screen, lambda text: "event: heartbeat" in text)
            assert '"service":"silent","since":"2026-03-02T05:40:00.000Z"' in text
            show(rig.view, [tick(rig.at)])
            assert '"live"' in await until(screen, lambda text: "event: heartbeat" in text)


async def test_a_screen_that_is_told_nothing_hears_a_pulse() -> None:
    """Every so often something comes, so that a dead line is noticed in seconds."""
    rig = Rig(heartbeat=60.0, watch=0.01, pulse=0.05, conflate=0.0)
    async with rig.hub.running():
        with rig.hub.screen("L03") as screen:
            await screen.next()
            assert "event: pulse\ndata: {}\n\n" == await until(screen, lambda text: True)
            assert "event: pulse\ndata: {}\n\n" == await until(screen, lambda text: True)


async def test_a_slow_screen_is_counted() -> None:
    """Who runs the service sees that some screen cannot follow."""
    rig = Rig(conflate=0.0)
    with rig.hub.screen("L03") as screen:
        await screen.next()
        for good in range(50, 60):
            rig.hub.touch(show(rig.view, [scores("E0001", row(good))]).units)
            await asyncio.sleep(0.002)
        assert '"value":0.59,' in await until(screen, lambda text: True)
    assert rig.sample("sse_resyncs_total") == 1


async def test_closing_the_hub_ends_all_screens() -> None:
    """The process can stop while screens are connected."""
    rig = Rig()
    with rig.hub.screen("L03") as one, rig.hub.screen("L04") as other:
        rig.hub.close()
        assert [await one.next(), await other.next()] == [None, None]
