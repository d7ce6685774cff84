"""The view follows the log: from the start of the compacted topics, then on, and from anew when the log is another.

Reading happens in one thread of its own, changing the view on the event loop: who reads the view needs no lock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from agents.transport.errors import LogError, LogMissing, RecoverableError
from dashboards.web.feed import Feed, OpenFeed
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.view import Published, Touched, View
from stream.topics import SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES

log: Final = logging.getLogger(__name__)

TOPICS: Final = (TEMPLATES, UNIT_UPDATES, SCORE_UPDATES, TICKS)
LIMIT: Final = 400  # records taken at once: what the event loop applies in a few milliseconds


class Cursor:
    """Where reading stands in one log. Not thread-safe: it belongs to the reading thread."""

    def __init__(self, log_id: str) -> None:
        self.log_id = log_id
        self._next: dict[tuple[str, int], int] = {}
        self._seen: object = None

    def poll(self, feed: Feed) -> list[Published]:
        """The next records, none when nothing is new."""
        version = feed.version()
        if version == self._seen:
            return []
        partitions = feed.partitions()
        found: list[Published] = []
        for topic in TOPICS:
            for partition in range(partitions.get(topic, 0)):
                found += self._read(feed, topic, partition, LIMIT - len(found))
                if len(found) >= LIMIT:
                    return found
        # A log may give less than it has. Only a pass that found nothing proves that nothing is left; what came
        # in between makes the version differ next time.
        if not found:
            self._seen = version
        return found

    def forget_version(self) -> None:
        """Looks again even when nothing was written: the feed was opened anew."""
        self._seen = None

    def _read(self, feed: Feed, topic: str, partition: int, limit: int) -> list[Published]:
        place = (topic, partition)
        if place not in self._next:
            # Of time only the newest matters, and the topic keeps every second.
            self._next[place] = max(0, feed.end(topic, partition) - 1) if topic == TICKS else 0
        records = feed.read(topic, partition, self._next[place], limit)
        if records:
            self._next[place] = records[-1][0] + 1
        return [Published(topic, partition, timestamp, key, value) for _, timestamp, key, value in records]


@dataclass(frozen=True, slots=True)
class TailPace:
    """Seconds between looks at an idle log, and between attempts to open one."""

    idle: float = 0.05
    retry: float = 1.0


class Tail:
    """Keeps a view up to date. `touched` is told which units changed, `replaced` that all of them did."""

    def __init__(
        self,
        open_feed: OpenFeed,
        view: View,
        service: Service,
        metrics: Metrics,
        clock: Callable[[], int],
        touched: Callable[[Touched], None],
        replaced: Callable[[], None],
        pace: TailPace = TailPace(),
    ) -> None:
        self._open = open_feed
        self._view = view
        self._service = service
        self._metrics = metrics
        self._clock = clock
        self._touched = touched
        self._replaced = replaced
        self._pace = pace
        self._cursor: Cursor | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tail")

    async def run(self) -> None:
        """Follows until cancelled; a log that is missing or fails is tried again."""
        try:
            while True:
                await self._attempt()
                await asyncio.sleep(self._pace.retry)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _attempt(self) -> None:
        try:
            await self._follow()
        except LogMissing as missing:
            self._service.found = False
            self._service.trouble = str(missing)
        except (LogError, RecoverableError) as error:
            self._fail(error)
        except Exception as bug:
            # Screens keep what they have; the view is built anew, as nobody knows what it is worth now.
            log.exception("following the log failed")
            self._cursor = None
            self._fail(bug)

    def _fail(self, error: Exception) -> None:
        self._metrics.failures.inc()
        self._service.trouble = f"{type(error).__name__}: {error}"

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        feed = await loop.run_in_executor(self._thread, self._open)
        try:
            cursor = self._begin(feed)
            while True:
                records = await loop.run_in_executor(self._thread, cursor.poll, feed)
                if records:
                    self._take(records)
                else:
                    self._caught_up()
                    await asyncio.sleep(self._pace.idle)
        finally:
            await loop.run_in_executor(self._thread, feed.close)

    def _begin(self, feed: Feed) -> Cursor:
        cursor = self._cursor
        if cursor is None or cursor.log_id != feed.log_id:
            self._service.caught_up = False
            self._view.clear()
            cursor = self._cursor = Cursor(feed.log_id)
        cursor.forget_version()
        self._service.found = True
        return cursor

    def _take(self, records: list[Published]) -> None:
        touched = self._view.apply(records)
        self._metrics.records.inc(len(records))
        self._metrics.unreadable.inc(touched.unreadable)
        if self._service.caught_up:
            newest = max(record.timestamp for record in records)
            self._metrics.lag.observe(max(0, self._clock() - newest) / 1000)
            self._touched(touched)

    def _caught_up(self) -> None:
        self._service.trouble = None
        if not self._service.caught_up:
            self._service.caught_up = True
            self._replaced()
