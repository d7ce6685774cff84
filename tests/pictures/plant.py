"""The demo's plant, some minutes of it lived through in a few: a service scores them as they come.

It starts in the past and ends at about now, so that nothing is in the future for the service, whose ticks are of now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from agents.cli.opening import now_ms, writable_log
from agents.health import PORT_FILE
from agents.plant.factory import build
from agents.plant.model import assigned, history, live
from agents.plant.run import Append, run, send_history
from agents.publishing import publish
from agents.settings import Settings
from agents.transport.log import Log, Outgoing, partition_for
from schemas.instants import MINUTE
from tests.e2e.processes import started

SEED: Final = 7  # the demo's own
HISTORY: Final = 90  # minutes, as in the demo
PACK: Final = "production-operator"


class Service:
    """A worker that scores the plant."""

    def __init__(self, log: Log, partitions: int, port: int, start: int) -> None:
        self.port = port
        self._log, self._partitions, self._start = log, partitions, start

    def live_through(self, minutes: int, seconds: float) -> None:
        """So many minutes of the plant from its start on, in so many seconds."""
        asyncio.run(self._run(minutes * 60 / seconds, seconds))

    async def _run(self, speed: float, seconds: float) -> None:
        stop = asyncio.Event()
        behind = now_ms() - self._start
        asyncio.get_running_loop().call_later(seconds, stop.set)
        await run(
            live(build(SEED), self._start), _append(self._log), partition_of=self._partition_of,
            clock=lambda: now_ms() - behind, stop=stop, start=self._start, speed=speed,
        )  # fmt: skip

    def _partition_of(self, key: bytes) -> int:
        return partition_for(key, self._partitions)


@contextmanager
def serving(folder: Path, minutes: int) -> Iterator[Service]:
    """A worker on an embedded log in this folder, with what the plant did before the last `minutes`."""
    broker = f"embedded://{folder.resolve()}"
    start = now_ms() - minutes * MINUTE
    with writable_log(Settings.load({}, {"broker": broker})) as (log, partitions):
        publish(log, (files("schemas.packs") / f"{PACK}.yaml").read_text("utf-8"), start)
        past = [*assigned(build(SEED)), *history(build(SEED), start, HISTORY)]
        asyncio.run(send_history(past, _append(log), partition_of=lambda key: partition_for(key, partitions)))
        with started("worker", "--broker", broker, "--port", "auto", until="/healthz"):
            yield Service(log, partitions, int((folder / PORT_FILE).read_text()), start)


def _append(log: Log) -> Append:
    async def append(records: list[Outgoing]) -> list[int]:
        return await asyncio.to_thread(log.append, records)

    return append
