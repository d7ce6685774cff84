"""Beside its scoring a worker sends what waits in the outbox; trouble with store or log is told and waited for.

The worker does it because every installation has one; where there are several, one of them has the lease. The store
is opened when it is there: who keeps no organisation pays nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from agents.limits import limits_in_force
from agents.settings import SettingError, Settings
from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import Log
from stream import metric_names as names
from stream.topics import PEOPLE_EVENTS

if TYPE_CHECKING:
    from agents.records.database import Records
    from agents.records.outbox import Backlog, Sender

logger: Final = logging.getLogger(__name__)
LOOK: Final = 1.0  # s between two looks
BACKOFF: Final = (1.0, 2.0, 5.0, 10.0)  # s after trouble
TELL_AGAIN: Final = 30.0  # s between two messages about one trouble
LAST: Final = 5.0  # s that what is under way has at the end


class Trouble:
    """What keeps the outbox from being sent, as operators hear of it; how long to wait."""

    def __init__(self) -> None:
        self.failures = 0  # ever
        self._tries = 0
        self._tell_at = 0.0  # monotonic

    def again(self, error: Exception) -> float:
        """A try has failed; seconds until the next one. One alone may be two that met, and is not told."""
        if self._tries and time.monotonic() >= self._tell_at:
            logger.error("changes of the organisation wait, nothing is lost, tried again all the time: %s", error)
            self._tell_at = time.monotonic() + TELL_AGAIN
        self._tries += 1
        self.failures += 1
        return BACKOFF[min(self._tries, len(BACKOFF)) - 1]

    def over(self) -> float:
        """A try has succeeded; seconds until the next look."""
        if self._tries:
            logger.warning("changes of the organisation are sent again: all that waited is in the log")
            self._tries, self._tell_at = 0, 0.0
        return LOOK


class Sending:
    """The outbox of these settings' store into this log, until it is cancelled."""

    def __init__(self, log: Log, settings: Settings) -> None:
        self._log = log
        self._settings = settings
        self._trouble = Trouble()
        self._records: Records | None = None
        self._sender: Sender | None = None
        self._backlog: Backlog | None = None  # as last seen: nobody has looked yet, or there is no store
        self._sending: asyncio.Future[float] | None = None

    async def run(self) -> None:
        """Looks once a second, in a thread; after trouble less often."""
        try:
            while True:
                self._sending = asyncio.ensure_future(asyncio.to_thread(self.look))
                await asyncio.sleep(await asyncio.shield(self._sending))
        finally:
            if self._sending is not None:
                await asyncio.wait([self._sending], timeout=LAST)
            await asyncio.to_thread(self.close)

    def look(self) -> float:
        """Sends what waits; seconds until the next look. Blocks."""
        if self._settings.records is None and not records_file(self._settings).exists():
            return LOOK
        from sqlalchemy.exc import SQLAlchemyError

        from agents.records.database import RecordsError, RecordsUnavailable

        try:
            sender = self._sender or self._open()
            self._backlog = sender.backlog(now_ms())  # first: whether or not it can be sent, it is known to wait
            if self._backlog.number:
                sender.send(now_ms)
                self._backlog = sender.backlog(now_ms())
        except (RecordsError, RecordsUnavailable, SQLAlchemyError, LogError, RecoverableError, SettingError) as error:
            return self._trouble.again(error)
        return self._trouble.over()

    def gauges(self, now: int) -> dict[str, float]:
        """What operators are told, by metric; nothing where there is no store. `now`: ms since 1970 UTC.

        While the store cannot be asked, what was last seen to wait grows older.
        """
        found = {} if self._backlog is None else {names.OUTBOX_WAITING.name: float(self._backlog.number)}
        if self._backlog is not None:
            since = self._backlog.since
            found[names.OUTBOX_AGE.name] = 0.0 if since is None else max(0, now - since) / 1000
        if found or self._trouble.failures:
            found[names.OUTBOX_FAILURES.name] = float(self._trouble.failures)
        return found

    def _open(self) -> Sender:
        from agents.records.opening import records_of
        from agents.records.outbox import Sender

        if self._records is None:
            self._records = records_of(self._settings)
        partitions = self._log.topics()[PEOPLE_EVENTS].partitions
        limits = limits_in_force(self._log, self._settings)
        self._sender = Sender(self._records, self._log, partitions, limits, uuid4().hex)
        return self._sender

    def close(self) -> None:
        """Lets go of lease and store."""
        if self._records is None:
            return
        with suppress(Exception):  # a store that does not answer lets the lease run out by itself
            if self._sender is not None:
                self._sender.release()
        self._records.close()


def records_file(settings: Settings) -> Path:
    """Where the store is when no setting names one."""
    return settings.data / "records.sqlite"


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
