"""A request with an Idempotency-Key is done once a day: sent again, it gets the answer that it got.

The answers lie in the relational store, so that it does not matter which web process the second one meets.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Final, NamedTuple

from agents.records import idempotency
from agents.records.database import Records, RecordsError, RecordsUnavailable
from dashboards.web.problems import RequestProblem

SWEEP_MS: Final = 600_000  # between two times that old keys are removed
UNDER_WAY_S: Final = 2
log: Final = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A request: who, under which key, and what (its content type and body)."""

    client: str
    key: str
    content: tuple[bytes, ...]

    def digest(self) -> bytes:
        """Stands for what was asked."""
        return hashlib.sha256(b"\n".join(self.content)).digest()


class Repeats:
    """Answers by key. `open_records` is called for the first key; None: this process has no store."""

    def __init__(self, open_records: Callable[[], Records] | None, clock: Callable[[], int]) -> None:
        self._open = open_records
        self._clock = clock
        self._records: Records | None = None
        self._lock = Lock()
        self._swept = 0

    async def once(self, asked: Asked, work: Callable[[], Awaitable[bytes]]) -> tuple[bytes, bool]:
        """The answer of `work`, or of the same request before; and whether it was before. RequestProblem: neither."""
        begun = self._clock()
        before = await asyncio.to_thread(self._begin, asked, begun)
        if before is not None:
            return before, True
        try:
            answer = await work()
        except BaseException:
            await asyncio.to_thread(self._end, asked, begun, None)
            raise
        await asyncio.to_thread(self._end, asked, begun, answer)
        return answer, False

    def close(self) -> None:
        """Lets go of the store."""
        if self._records is not None:
            self._records.close()

    def _begin(self, asked: Asked, now: int) -> bytes | None:
        try:
            records = self._store()
            if now - self._swept > SWEEP_MS:
                self._swept = now
                idempotency.sweep(records, now)
            found = idempotency.begin(records, asked.client, asked.key, asked.digest(), now)
        except idempotency.KeyTaken:
            detail = "it stands for another request of the last 24 hours; give each request a key of its own"
            raise RequestProblem(422, detail, "Idempotency-Key", asked.key) from None
        except idempotency.KeyUnderWay:
            detail = f"the request with this key is under way; ask again in {UNDER_WAY_S} s"
            raise RequestProblem(
                409, detail, "Idempotency-Key", asked.key, headers={"retry-after": str(UNDER_WAY_S)}
            ) from None
        except (RecordsError, RecordsUnavailable) as error:
            log.warning("a request with a key was not taken: %s", error)
            detail = "keys cannot be looked up at the moment; ask again, or without a key: what is there counts once"
            raise RequestProblem(503, detail, headers={"retry-after": "5"}) from error
        return None if found is None else zlib.decompress(found)

    def _end(self, asked: Asked, begun: int, answer: bytes | None) -> None:
        """Notes the answer, or that there was none. What cannot be noted is under way until its lease ends."""
        try:
            if answer is None:
                idempotency.release(self._store(), asked.client, asked.key, begun)
            else:
                idempotency.finish(self._store(), asked.client, asked.key, begun, zlib.compress(answer, 1))
        except (RecordsError, RecordsUnavailable) as error:
            log.warning("the answer to a request with a key is not kept: %s", error)

    def _store(self) -> Records:
        if self._open is None:
            raise RecordsUnavailable("this process has no relational store")
        with self._lock:
            if self._records is None:
                self._records = self._open()
            return self._records
