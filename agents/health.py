"""Health and metrics of the worker, on a port of its own: `/healthz` and `/metrics`, nothing else."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

logger: Final = logging.getLogger(__name__)
PORT_FILE: Final = "worker.port"
STALE: Final = 30.0  # s without a commit while there is lag


class Health(NamedTuple):
    """`commit_age` in s, `lag` in records not committed, both None while nothing is scored; `reason` says why."""

    commit_age: float | None
    lag: int | None
    reason: str = ""

    @property
    def red(self) -> bool:
        """Not scoring, or an old commit and work to do: the worker does not move."""
        return self.commit_age is None or self.lag is None or (self.commit_age > STALE and self.lag > 0)


class HealthServer:
    """An HTTP server in the worker's loop; both answers are built from what is there already."""

    def __init__(self, health: Callable[[], Health], metrics: Callable[[], bytes]) -> None:
        self._health = health
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, folder: Path) -> int:
        """Listens on `port` (0: a free one) and leaves the number beside the data; the port."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._exposition)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            reason = f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}; choose another with --port"
            raise OSError(error.errno, reason) from error
        self._port = int(self._runner.addresses[0][1])
        self._file = folder / PORT_FILE
        self.keep_port()
        return self._port

    def keep_port(self) -> None:
        """Leaves the port's number beside the data. Called again when there may be room that was not there before."""
        try:
            self._file.write_text(f"{self._port}\n")
        except OSError as error:
            logger.warning("%s: the port %d is not kept there: %s", self._file, self._port, error.strerror)

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            with contextlib.suppress(OSError):
                self._file.unlink()

    async def _healthz(self, _: web.Request) -> web.Response:
        health = self._health()
        body = msgspec.json.encode(
            {
                "status": "red" if health.red else "ok",
                "commit_age_seconds": None if health.commit_age is None else round(health.commit_age, 3),
                "lag_records": health.lag,
                "reason": health.reason or ("no commit for too long with records waiting" if health.red else None),
            }
        )
        return web.Response(body=body, status=503 if health.red else 200, content_type="application/json")

    async def _exposition(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
