"""A link that a test can make slow, silent or broken: TCP from a port of its own to a target, frame by frame.

It runs in a thread of its own; every fault is one call, from any thread, and holds for all connections, new ones
too, until `heal`. Frames are Kafka's (a length of four bytes, then so many); with `frames=False` (TLS, Redis) a frame
is what one read returns. Kafka clients must be told the proxy's port: `KafkaBroker(..., proxy_port=proxy.port)`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import weakref
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final, TypeVar

from tests.e2e.tcp_link import Direction, Faults, Link, reset

PRODUCE: Final = 0
END_TRANSACTION: Final = 26
ACKNOWLEDGED: Final = frozenset({PRODUCE, END_TRANSACTION})  # Kafka's requests whose answer says that data is durable
PATIENCE: Final = 30.0  # seconds
_T = TypeVar("_T")


class TcpProxy:
    """`with TcpProxy((host, port)) as proxy:`; clients connect to `proxy.address`. `target` may be set later."""

    def __init__(self, target: tuple[str, int] | None = None, *, frames: bool = True) -> None:
        self.target = target
        self._frames = frames
        self._faults = Faults()
        self._links: set[Link] = set()
        self._ends: weakref.WeakSet[asyncio.WriteTransport] = weakref.WeakSet()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._links)

    @property
    def held(self) -> int:
        """How many answers are held just now."""
        return self._faults.held

    @property
    def cuts(self) -> int:
        """How many connections were cut so far."""
        return self._faults.cuts

    def __enter__(self) -> TcpProxy:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def delay(self, seconds: float) -> None:
        """Every frame arrives that much later, in each direction; the order stays, the rate too."""
        self._do(self._faults.change(delay=seconds))

    def stall(self, *directions: Direction) -> None:
        """Nothing passes (both directions when none is named) and nothing is closed: a link that is down."""
        self._do(self._faults.change(stalled=frozenset(directions or ("up", "down"))))

    def hold_acks(self, requests: Collection[int] = ACKNOWLEDGED) -> None:
        """Answers to these Kafka requests stay here, with all that follows them on their connection."""
        assert self._frames, "only Kafka's answers can be told apart"
        self._do(self._faults.change(held_requests=frozenset(requests)))

    def cut(self) -> None:
        """Resets every connection now; what is held, stalled or delayed is lost. New ones are accepted."""
        self._do(self._cut())

    def cut_mid_frame(self, direction: Direction) -> None:
        """Of the next frame in that direction half arrives, then its connection ends. Once."""
        self._do(self._faults.change(cut_next=direction))

    def refuse(self) -> None:
        """Resets every connection, and each new one at once."""
        self._do(self._faults.change(refuses=True))
        self.cut()

    def heal(self) -> None:
        """No fault any more: what was held or stalled passes."""
        none: dict[str, Any] = {"stalled": frozenset(), "held_requests": frozenset(), "cut_next": None}
        self._do(self._faults.change(delay=0.0, refuses=False, **none))

    def wait(self, until: Callable[[TcpProxy], bool]) -> None:
        """Blocks until it holds, of `held`, `cuts` and `connections`. TimeoutError after 30 s."""
        self._do(asyncio.wait_for(self._faults.until(lambda: until(self)), PATIENCE))

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * PATIENCE)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._socket)

    async def _close(self) -> None:
        """Nothing outlives it: a connection just accepted, or one whose last bytes nobody reads, neither."""
        self._loop.remove_reader(self._socket.fileno())  # a server that is closed trips over what it has accepted
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await self._cut()
            await asyncio.wait(others, timeout=0.1)
        for end in tuple(self._ends):
            end.abort()
        self._server.close()

    async def _cut(self) -> None:
        links = tuple(self._links)
        for link in links:
            link.cut()
        self._links.difference_update(links)
        await self._faults.change(cuts=self._faults.cuts + len(links))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer.transport)
        assert self.target is not None, "the proxy has no target"
        if self._faults.refuses:
            return reset(writer)
        try:
            target = await asyncio.open_connection(*self.target)
        except OSError:
            return reset(writer)
        self._ends.add(target[1].transport)
        link = Link((reader, writer), target, self._faults, frames=self._frames)
        self._links.add(link)
        await self._faults.change()
        try:
            await link.run()
        except asyncio.CancelledError:  # it was cut: asyncio would tell an error of a server's task that is cancelled
            return None
        finally:
            self._links.discard(link)
            await self._faults.change()
        return None
