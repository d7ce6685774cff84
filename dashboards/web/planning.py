"""Shift calendars in the log, for pages: read, checked against those that are there, published; one question at a time.

The log is opened for a question and closed after it. What is published never changes.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, TypeVar

from agents.publishing import PublishedCalendar, publish_calendar
from agents.rules import Planned, calendars
from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import Log
from stream.shift_calendar import CalendarReport, check_calendar

log: Final = logging.getLogger(__name__)
T = TypeVar("T")


class PlanningAbsent(Exception):
    """There is no log here, or it cannot be read or written now."""


class Planning:
    """The calendars behind pages. `open_log` opens the log, None: there is none here; `clock` gives wall time in ms."""

    def __init__(self, open_log: Callable[[], AbstractContextManager[Log]] | None, clock: Callable[[], int]) -> None:
        self._open = open_log
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planning")

    async def known(self) -> list[Planned]:
        """Every version that was published. Raises PlanningAbsent."""
        return await self._ask(calendars)

    async def check(self, text: str) -> CalendarReport:
        """What would be said to its publication now. Raises PlanningAbsent."""

        def checked(source: Log) -> CalendarReport:
            published = [entry.calendar for entry in calendars(source)]
            return check_calendar(text, published=published, published_at=self._clock())

        return await self._ask(checked)

    async def publish(self, text: str) -> PublishedCalendar:
        """In the log when it returns. Raises CalendarRefused and PlanningAbsent."""
        return await self._ask(lambda target: publish_calendar(target, text, self._clock()))

    def close(self) -> None:
        """Takes no more questions; what is under way ends."""
        self._thread.shutdown(wait=False)

    async def _ask(self, work: Callable[[Log], T]) -> T:
        if self._open is None:
            raise PlanningAbsent("this process has no log")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._asked, self._open, work)

    def _asked(self, place: Callable[[], AbstractContextManager[Log]], work: Callable[[Log], T]) -> T:
        try:
            with place() as source:
                return work(source)
        except (LogError, RecoverableError, sqlite3.Error, OSError) as error:
            log.warning("calendars: %s", error)
            raise PlanningAbsent(str(error)) from error
