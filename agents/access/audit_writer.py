"""An answer waits until its audit entry is on disk; what waits at the same time is written in one transaction.

So nothing that somebody has seen, or was refused, is missing after a crash, and a hundred readers cost one commit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from sqlalchemy import Connection

from agents.access.audit import Entry, append, in_turn
from agents.records.database import Records

MOST: Final = 1_000  # entries in a transaction
_Job = tuple[Sequence[Entry], "Future[None]"]


class AuditWriter:
    """One thread that writes; any number of callers that wait."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    async def write(self, *entries: Entry) -> None:
        """Returns when they are on disk; raises RecordsUnavailable when they cannot be written."""
        await asyncio.wrap_future(self._put(entries))

    def write_now(self, *entries: Entry) -> None:
        """As `write`, outside of an event loop."""
        self._put(entries).result()

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._jobs.put(None)
        self._thread.join()

    def _put(self, entries: Sequence[Entry]) -> Future[None]:
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # an asker who goes away does not take the entry along
        self._jobs.put((entries, done))
        return done

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job]
            ended = self._gather(jobs)
            self._write(jobs)
            if ended:
                return

    def _gather(self, jobs: list[_Job]) -> bool:
        """Adds what waits by now; whether the end was among it."""
        while sum(len(entries) for entries, _ in jobs) < MOST:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return False
            if job is None:
                return True
            jobs.append(job)
        return False

    def _write(self, jobs: Sequence[_Job]) -> None:
        def work(connection: Connection) -> None:
            in_turn(connection)
            append(connection, [entry for entries, _ in jobs for entry in entries])

        try:
            self._records.write(work)
        except BaseException as error:  # the askers are told; the next ones may fare better
            for _, done in jobs:
                done.set_exception(error)
        else:
            for _, done in jobs:
                done.set_result(None)
