"""The views follow the log at their own pace: scoring never waits for them, and what they lack is one read away.

There is no queue: what is not in the views yet waits in the log, where compaction keeps the latest of each key.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import Log
from agents.views.cursor import TOPICS, Cursor
from agents.views.ending import cancellable, ended
from agents.views.port import Batch, ViewsMoved, ViewsUnavailable, ViewsWriter
from stream import metric_names as names
from stream.topics import SCORE_UPDATES

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between looks when nobody wakes it, and the first and longest pause after a failure."""

    beat: float = 1.0
    retry: float = 0.25
    longest: float = 5.0
    last: float = 2.0  # for what the final commit has published


PACE: Final = Pace()


@dataclass(slots=True)
class ViewsState:
    """How the views are, for metrics. `written_at` in s since 1970, 0 before the first write."""

    up: bool = False
    written_at: float = 0.0
    failures: int = 0
    rebuilds: int = 0

    def gauges(self) -> dict[str, float]:
        """By metric name."""
        return {
            names.VIEWS_UP.name: self.up,
            names.VIEWS_TIME.name: self.written_at,
            names.VIEWS_FAILURES.name: self.failures,
            names.VIEWS_REBUILDS.name: self.rebuilds,
        }


class Projection:
    """Writes what the partitions that `owned` gives have published. `run` never raises but for cancellation."""

    def __init__(self, log: Log, views: ViewsWriter, owned: Callable[[], Collection[int]], pace: Pace = PACE) -> None:
        self.state = ViewsState()
        self._log = log
        self._views = views
        self._owned = owned
        self._pace = pace
        self._news = asyncio.Event()
        self._failed = 0  # in a row
        self._told = ""

    def wake(self) -> None:
        """Something was published: the views need not wait for their beat."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        await cancellable(self._run())

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except ViewsMoved as moved:
                logger.info("views: %s; going on from where they are", moved)
                await asyncio.sleep(self._pace.retry * random.random())
            except (RecoverableError, LogError) as trouble:
                await self._trouble(str(trouble))
            except Exception as bug:  # boards are no reason to stop scoring
                logger.exception("views: writing them failed")
                await self._trouble(f"{type(bug).__name__}: {bug}")

    async def finish(self) -> None:
        """What was published until now, if the views take it in time; then lets go of them."""
        if self.state.up:
            task = asyncio.create_task(self._follow(once=True))
            await asyncio.wait([task], timeout=self._pace.last)
            await ended(task)
            if task.cancelled() or task.exception() is not None:
                logger.info("views: the last updates come with the next start")
        await self._close()

    async def _follow(self, *, once: bool = False) -> None:
        """Writes until the partitions are others, or, `once`, until nothing is new."""
        owned = frozenset(self._owned())
        if not owned:
            await self._wait()
            return
        cursor = await self._begin(owned)
        beaten = 0.0
        while owned == frozenset(self._owned()):
            self._news.clear()
            batch = await asyncio.to_thread(cursor.poll)
            new = batch.after != batch.before
            if new or time.monotonic() - beaten >= self._pace.beat:
                await self._put(cursor, batch)
                beaten = time.monotonic()
            if not _read_something(batch):
                if once:
                    return
                await self._wait()

    async def _begin(self, owned: Collection[int]) -> Cursor:
        partitions = (await asyncio.to_thread(self._log.topics))[SCORE_UPDATES].partitions
        # A topic that was made anew is another log: its offsets mean nothing to the places of the old one.
        ids = await asyncio.to_thread(self._log.topic_ids, TOPICS)
        identity = "/".join((self._log.log_id, *(ids.get(topic, "") for topic in TOPICS)))
        places = await self._views.begin(identity, partitions, owned)
        if not any(place.offsets for place in places.values()):
            self.state.rebuilds += 1
            logger.info("views: built from the log's start")
        if doubt := await self._views.doubt():
            logger.warning("views: %s", doubt)
        return await asyncio.to_thread(Cursor, self._log, places)

    async def _put(self, cursor: Cursor, batch: Batch) -> None:
        await self._views.put(batch)
        cursor.advance(batch)
        self.state.written_at = time.time()
        self.state.up = True
        self._failed = 0
        if self._told:
            logger.warning("views: written again")
            self._told = ""

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._pace.beat):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _trouble(self, reason: str) -> None:
        """Says it, here once and to who reads, and waits a little longer each time."""
        self.state.up = False
        self.state.failures += 1
        self._failed += 1
        if reason != self._told:
            logger.warning("views are not written, scoring goes on: %s", reason)
            self._told = reason
        try:
            await self._views.complain(reason)
        except ViewsUnavailable:
            await self._close()  # a connection that failed is not used again
        pause = min(self._pace.longest, self._pace.retry * 2 ** min(self._failed - 1, 10))
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))

    async def _close(self) -> None:
        try:
            await self._views.close()
        except ViewsUnavailable as trouble:
            logger.info("views: %s", trouble)


def _read_something(batch: Batch) -> bool:
    """Whether any topic gave records: then there may be more."""
    return any(place.offsets != batch.before[number].offsets for number, place in batch.after.items())
