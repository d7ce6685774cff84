"""The web on a real port, in a thread of its own, for tests that need a real connection."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
from litestar import Litestar

from agents.views.conflate import Published
from dashboards.web.app import create_app
from dashboards.web.server import Server
from dashboards.web.service import SILENT_AFTER
from dashboards.web.wire import Wire
from tests.web.gates import OPEN
from tests.web.shelf import Shelf

# Ticks of these tests come once, not every second.
DEFAULTS: Final[dict[str, Any]] = {"access": OPEN, "still_after": SILENT_AFTER}
Wrap = Callable[[Litestar], Any]  # what stands before the application
LIMIT: Final = 60  # s: nothing takes so long, however busy the machine is


class Serving:
    """A web process in a thread: feed it, stop it, start it again on the same port."""

    def __init__(self, shelf: Shelf | None = None, wrap: Wrap | None = None, **options: Any) -> None:
        self.port = _free_port()
        self.options = options
        self._wrap = wrap or (lambda app: app)
        self._thread: threading.Thread | None = None
        self._folder = tempfile.TemporaryDirectory()
        self.shelf = shelf or Shelf(Path(self._folder.name))

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts; returns when it accepts connections."""
        self.app: Litestar = create_app(self.shelf.reader(), **{**DEFAULTS, **self.options})
        self._server = Server(
            uvicorn.Config(self._wrap(self.app), http=Wire, log_level="error", timeout_graceful_shutdown=LIMIT),
            self.app.state.web,
        )
        listener = socket.create_server(("127.0.0.1", self.port))
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, ready))
        self._thread.start()
        assert ready.wait(LIMIT)

    def stop(self) -> None:
        """Stops; streams are cut."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._server.handle_exit, 15, None)
            self._thread.join(LIMIT / 2)  # streams end by themselves, nothing waits for the server's limit
            assert not self._thread.is_alive()
            self._thread = None

    def feed(self, *records: Published) -> None:
        """Puts records into the views."""
        self.shelf.apply(records)

    def close(self) -> None:
        """Takes its views away, after a stop."""
        self._folder.cleanup()

    def call(self, action: Callable[[], Any]) -> Any:
        """Runs something on the event loop of the process."""

        async def run() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(LIMIT)

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            task = asyncio.ensure_future(self._server.serve(sockets=[listener]))
            while not self._server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells by a flag only
                await asyncio.sleep(0.005)
            ready.set()
            await task

        asyncio.run(main())


@contextmanager
def serving(*records: Published, **options: Any) -> Iterator[Serving]:
    """A started process that knows these records; stopped at the end."""
    process = Serving(**options)
    try:
        process.feed(*records)
        process.start()
        yield process
    finally:
        process.stop()
        process.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
