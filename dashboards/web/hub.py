"""Screens hear of a change at most every half second, of the service every fifteen seconds or when it changes, and
something every four seconds: a screen that hears nothing knows soon that nobody speaks to it.

All of it runs on the event loop of the web process: no locks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from dashboards.web.board import Drawing, Drawn
from dashboards.web.channel import Channel, Screen
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.shape import shaped
from dashboards.web.sight import Sight
from dashboards.web.sse import event
from dashboards.web.times import instant
from dashboards.web.view import View


class TooManyScreens(Exception):
    """The process serves as many screens as it was set to; try again later."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how much. Seconds."""

    conflate: float = 0.5
    heartbeat: float = 15.0
    pulse: float = 4.0
    watch: float = 1.0
    most_screens: int = 4000


PACE: Final = Pace()
PULSE: Final = event("pulse", {})


class Hub:
    """All channels that somebody looks at. `clock` gives wall time in ms."""

    def __init__(
        self, view: View, service: Service, metrics: Metrics, clock: Callable[[], int], build: str, pace: Pace = PACE
    ) -> None:
        self._view = view
        self._service = service
        self._metrics = metrics
        self._clock = clock
        self._build = build
        self._pace = pace
        self._channels: dict[str, dict[Hashable, Channel]] = {}  # of a unit, by what their viewers see
        self._drawings: dict[str, Drawing] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._last: dict[str, float] = {}
        self._screens = 0

    @property
    def screens(self) -> int:
        """How many screens are connected."""
        return self._screens

    def admit(self) -> None:
        """Asks for room for one more screen; TooManyScreens when there is none."""
        if self._screens >= self._pace.most_screens:
            self._metrics.refused.inc()
            raise TooManyScreens(f"{self._screens} screens are connected, the limit is {self._pace.most_screens}")

    @contextmanager
    def screen(self, unit: str, sight: Sight | None = None) -> Iterator[Screen]:
        """A screen on the unit's board, for as long as the block runs; None: one that sees everything."""
        key = None if sight is None else sight.key
        channels = self._channels.setdefault(unit, {})
        channel = channels.get(key)
        if channel is None:
            channel = channels[key] = Channel(unit, self._view, lambda _: self._timed(unit, sight))
        board = channel
        # A snapshot may stand for a heartbeat that was lost with the rest.
        screen = Screen(lambda: board.snapshot() + self.heartbeat())
        channel.screens.add(screen)
        self._count(1)
        try:
            yield screen
        finally:
            channel.screens.discard(screen)
            self._count(-1)
            if not channel.screens and channels.get(key) is channel:
                del channels[key]
                if not channels and self._channels.get(unit) is channels:
                    self._forget(unit)

    def touch(self, units: Iterable[str]) -> None:
        """Something of these units changed: their screens hear of it, at once or when the half second is over."""
        loop = asyncio.get_running_loop()
        for unit in units:
            if unit in self._channels and unit not in self._due:
                wait = self._last.get(unit, 0.0) + self._pace.conflate - loop.time()
                self._due[unit] = loop.call_later(max(0.0, wait), self._publish, unit)

    def touch_all(self) -> None:
        """Everything may have changed."""
        self.touch(list(self._channels))

    def close(self) -> None:
        """Ends all streams, so that the process can stop; screens connect again by themselves."""
        for channel in self._all():
            for screen in channel.screens:
                screen.close()

    def heartbeat(self) -> bytes:
        """The server's time, its build and how the service is, as an event."""
        at = self._clock()
        state, since = self._service.state(self._view, at)
        data = {
            "at": instant(at),
            "now": instant(self._view.now),
            "service": state,
            "since": instant(since),
            "build": self._build,
            "pulse": self._pace.pulse,
        }
        return event("heartbeat", data, comment="heartbeat")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Heartbeats go out while the block runs."""
        task = asyncio.create_task(self._beat(self._state()))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for unit in list(self._due):
                self._due.pop(unit).cancel()

    async def _beat(self, told: str) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(min(self._pace.watch, self._pace.heartbeat))
            state = self._state()
            # Ages are drawn against the server's time; a state of the service is news and does not wait.
            if state != told or loop.time() - last >= self._pace.heartbeat - self._pace.watch / 2:
                told, last = state, loop.time()
                self._broadcast(self._all(), self.heartbeat(), "heartbeat")
            quiet = loop.time() - self._pace.pulse + self._pace.watch / 2
            self._broadcast([channel for channel in self._all() if channel.spoke < quiet], PULSE, "pulse")

    def _state(self) -> str:
        return self._service.state(self._view, self._clock())[0]

    def _publish(self, unit: str) -> None:
        self._due.pop(unit, None)
        for channel in list(self._channels.get(unit, {}).values()):
            message = channel.advance()
            if message is not None:
                self._last[unit] = asyncio.get_running_loop().time()
                self._broadcast([channel], message, "change")

    def _broadcast(self, channels: Iterable[Channel], message: bytes, kind: str) -> None:
        now = asyncio.get_running_loop().time()
        for channel in channels:
            channel.spoke = now
            slow = [screen for screen in channel.screens if not screen.offer(message)]
            self._metrics.resyncs.inc(len(slow))
            self._metrics.sent.labels(kind).inc(len(channel.screens) - len(slow))

    def _timed(self, unit: str, sight: Sight | None) -> Drawn:
        with self._metrics.build.time():
            drawn = self._drawings.setdefault(unit, Drawing(unit)).draw(self._view)
            if sight is None:
                return drawn
            return shaped(drawn, unit, self._view.alerts.get(unit, ()), self._view.catalogue, sight)

    def _all(self) -> list[Channel]:
        return [channel for channels in self._channels.values() for channel in channels.values()]

    def _count(self, step: int) -> None:
        self._screens += step
        self._metrics.clients.set(self._screens)

    def _forget(self, unit: str) -> None:
        del self._channels[unit]
        self._last.pop(unit, None)
        self._drawings.pop(unit, None)
        if (due := self._due.pop(unit, None)) is not None:
            due.cancel()
