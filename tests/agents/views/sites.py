"""Where views may lie, for tests of both places at once: a Redis of its own prefix, or a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from agents.views.conflate import Latest, Published, conflate
from agents.views.port import Batch, Place, ViewsReader, ViewsTaken, ViewsWriter
from agents.views.redis_client import RedisPlace
from agents.views.redis_reader import RedisReader
from agents.views.redis_writer import RedisWriter
from agents.views.twin_file import NAME, unlink
from agents.views.twin_reader import TwinReader
from agents.views.twin_writer import TwinWriter
from tests.e2e.redis_server import RedisServer

LOG = "log-1"


class Site(Protocol):
    """Makes writers and readers of one set of views, and loses what they hold."""

    def writer(self) -> ViewsWriter:
        """One more worker's."""

    def reader(self) -> ViewsReader:
        """One more web process's."""

    def lose(self) -> None:
        """FLUSHALL, or what a careless hand does to a file."""


class RedisSite:
    """Views in a Redis."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.place = RedisPlace(server.url)

    def writer(self) -> ViewsWriter:
        return RedisWriter(self.place, time_limit=1.0, silence=0.2)

    def reader(self) -> ViewsReader:
        return RedisReader(self.place, time_limit=1.0)

    def lose(self) -> None:
        assert self.server.ask("FLUSHALL") == "+OK\r\n"


class TwinSite:
    """Views in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def writer(self) -> ViewsWriter:
        return TwinWriter(self.folder)

    def reader(self) -> ViewsReader:
        return TwinReader(self.folder, idle=0.005)

    def lose(self) -> None:
        unlink(self.folder / NAME)


def batch(
    *records: Published, before: Place | None = None, offset: int = 1, caught_up: bool = True, partition: int = 0
) -> Batch:
    """What these records leave, as if they ended at `offset` of each topic of one partition."""
    latest: Latest = conflate(records)
    heard = max((record.timestamp for record in records), default=None)
    after = Place({"score-updates": offset, "unit-updates": offset}, caught_up, heard, heard)
    return Batch(
        latest.units, latest.employees, latest.templates, latest.alerts,
        {partition: before or Place()}, {partition: after},
    )  # fmt: skip


async def replace(writer: ViewsWriter, log_id: str) -> dict[int, Place]:
    """Begins the views of another log once those of the one before are not written any longer."""
    begun: list[dict[int, Place]] = []

    async def free() -> bool:
        try:
            begun.append(await writer.begin(log_id, 1, [0]))
        except ViewsTaken:
            return False
        return True

    await until(free)
    return begun[0]


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 60.0) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - conditions of any kind are awaited
            await asyncio.sleep(0.005)
