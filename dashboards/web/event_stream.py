"""An answer that does not end: what the hub has for a screen goes out until the screen is gone.

Written to ASGI directly, so that a thousand idle screens are a thousand waiting tasks and nothing more.
"""

from __future__ import annotations

import asyncio
from typing import Final

from litestar.types import Receive, Scope, Send

from dashboards.web.channel import Screen
from dashboards.web.follower import Follower
from dashboards.web.hub import Hub
from dashboards.web.sight import Sight
from dashboards.web.sse import retry
from dashboards.web.watch import Still, Watch

HEADERS: Final[list[tuple[bytes, bytes]]] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
RETRY_MS: Final = 3000
SEND_TIMEOUT: Final = 60.0  # a screen that takes nothing for so long is gone
LOOK: Final = 15.0  # s between two looks whether it still takes something


class EventStream:
    """The stream of one unit's board for one screen. An unknown unit has one too: it may appear later."""

    def __init__(self, follower: Follower, hub: Hub, watch: Watch, unit: str, sight: Sight, still: Still) -> None:
        """`still` says, again and again, whether the screen may go on."""
        self._follower = follower
        self._hub = hub
        self._watch = watch
        self._unit = unit
        self._sight = sight
        self._still = still

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the connection until either side ends it."""
        async with self._follower.watching(self._unit):
            await self._serve(receive, send)

    async def _serve(self, receive: Receive, send: Send) -> None:
        with self._hub.screen(self._unit, self._sight) as screen, self._watch.over(screen, self._still):
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            sending = _Sending()
            gone = asyncio.create_task(_gone(receive))
            writer = asyncio.create_task(_write(screen, send, sending))
            try:
                await _ended(gone, writer, sending)
            finally:
                for task in (gone, writer):
                    task.cancel()
                await asyncio.gather(gone, writer, return_exceptions=True)


class _Sending:
    """Since when a message is being sent, by the clock of the loop; None between two."""

    since: float | None = None


async def _ended(gone: asyncio.Task[None], writer: asyncio.Task[None], sending: _Sending) -> None:
    """Waits until either side has ended it, or the screen has taken nothing for too long.

    It is looked at now and then: a timer around each message costs a tenth of what sending it does.
    """
    loop = asyncio.get_running_loop()
    while not (gone.done() or writer.done()):
        await asyncio.wait((gone, writer), timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
        if sending.since is not None and loop.time() - sending.since > SEND_TIMEOUT:
            return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(screen: Screen, send: Send, sending: _Sending) -> None:
    before, loop = retry(RETRY_MS), asyncio.get_running_loop()
    while (message := await screen.next()) is not None:
        sending.since = loop.time()
        await send({"type": "http.response.body", "body": before + message, "more_body": True})
        sending.since = None
        before = b""
    await send({"type": "http.response.body", "body": b"", "more_body": False})
