"""A worker has as many lives as it takes: what time can heal ends a life, the next one begins after a pause.

The folder's lock, the port and /healthz outlast a life: nobody takes the folder meanwhile, and whoever asks learns
why nothing is scored.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import time
from collections.abc import Callable
from typing import Final

from agents.app import Worker
from agents.health import Health, HealthServer
from agents.metrics import LifeMetrics
from agents.recovery import Progress
from agents.settings import Settings
from agents.store import StoreDamaged, set_aside
from agents.transport.errors import RecoverableError
from agents.transport.opening import sole_worker

logger: Final = logging.getLogger(__name__)
BACKOFF: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # s
LONG_LIFE: Final = 60.0  # s; who lived longer starts again with the shortest pause
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


class Lives:
    """The lives of one worker of one folder, one after the other. Without `restart` the first failure is the last."""

    def __init__(self, settings: Settings, *, restart: bool, progress: Progress | None = None) -> None:
        self.settings = settings
        self.restart = restart
        self.failures = 0  # in a row
        self._progress = progress
        self._worker: Worker | None = None
        self._why = "starting"
        self._outlasting = LifeMetrics()

    async def run(self, stopping: asyncio.Event, ready: Callable[[int], None]) -> None:
        """Until `stopping` is set. `ready` is given the port when the first life begins to score.

        Raises FolderInUse when another worker has the folder, and what no time can heal.
        """
        settings = self.settings
        with sole_worker(settings.broker, settings.data):
            server = HealthServer(self._health, self._metrics)
            port = await server.start(settings.host, settings.port or 0, settings.data)

            def scoring() -> None:
                server.keep_port()
                ready(port)

            try:
                await self._lives(stopping, scoring)
            finally:
                await server.stop()

    async def _lives(self, stopping: asyncio.Event, ready: Callable[[], None]) -> None:
        while not stopping.is_set():
            began = time.monotonic()
            try:
                await self._life(stopping, ready)
            except (RecoverableError, OSError) as error:
                if not self.restart or (isinstance(error, OSError) and error.errno not in _NO_ROOM):
                    raise
                self.failures = 1 if time.monotonic() - began > LONG_LIFE else self.failures + 1
                pause = BACKOFF[min(self.failures, len(BACKOFF)) - 1]
                self._why = f"{error}; starting again in {pause:g} s"
                logger.error("%s", self._why)
            else:
                return
            gc.unfreeze()
            gc.collect()  # now, not some day: what the life left behind may keep a store open
            await first_of(stopping.wait(), asyncio.sleep(pause))

    async def _life(self, stopping: asyncio.Event, ready: Callable[[], None]) -> None:
        """Until `stopping`, or until it raises what ended it. A damaged store is out of the way then."""
        worker = Worker(self.settings, self._progress)
        try:
            try:
                await worker.start()
                self._worker = worker
                self._outlasting.begins()
                ready()
                await first_of(worker.wait(), stopping.wait())
            finally:
                self._worker = None
                await worker.stop()
        except StoreDamaged as error:
            set_aside(error.folder)
            raise

    def _health(self) -> Health:
        return Health(None, None, self._why) if self._worker is None else self._worker.health()

    def _metrics(self) -> bytes:
        worker = self._worker
        always = self._outlasting.text(scoring=worker is not None and not worker.health().red)
        return always if worker is None else always + worker.metrics.text()


async def first_of(*waits: object) -> None:
    """Returns when one is done, raises what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
