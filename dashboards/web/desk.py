"""Records behind pages: opened when a page first needs them, asked in threads, and away for a while without harm."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection

from agents.records.database import Records, RecordsError, RecordsUnavailable

log: Final = logging.getLogger(__name__)
T = TypeVar("T")


class DeskClosed(Exception):
    """The records cannot be had now."""


class Desk:
    """The store of one web process. `open_records` opens it; it may fail and is tried again with the next question."""

    def __init__(self, open_records: Callable[[], Records]) -> None:
        self._open = open_records
        self._records: Records | None = None
        self._lock = threading.Lock()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """The result of looking something up. DeskClosed when there is no store, or it does not answer."""

        def reading() -> T:
            with self._opened().reading() as connection:
                return work(connection)

        return await self._ask(reading)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """The result of one transaction, as `Records.write`."""
        return await self._ask(lambda: self._opened().write(work))

    def close(self) -> None:
        """Lets go of the store."""
        with self._lock:
            if self._records is not None:
                self._records.close()
                self._records = None

    async def _ask(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except (RecordsError, RecordsUnavailable) as error:
            log.warning("%s", error)
            raise DeskClosed from error

    def _opened(self) -> Records:
        with self._lock:
            if self._records is None:
                self._records = self._open()
            return self._records
