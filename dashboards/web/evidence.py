"""Questions to the log from pages: few at once, each with a limit of time, in a thread; the log may be absent.

A page shows scores without the log. It is opened for a question and closed after it, and only read. What is long is
asked for in parts, and between two of them nothing is held: who reads slowly, or goes away, is in nobody's way.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from agents.explaining import Explanation, Question, explain, what_is_gone
from agents.meta import read_meta
from agents.query import histories_known_at
from agents.replay import chunks
from agents.told import alert_of
from agents.transport.log import Log, LogError, RecoverableError, partition_for
from dashboards.web.reading import Trends
from schemas.alerts import AlertRow
from schemas.event import INPUT_TOPICS
from schemas.instants import format_rfc3339
from stream.pipeline import Limits
from stream.topics import ALERTS
from stream.update import score_update

AT_ONCE: Final = 2
PATIENCE: Final = 3.0  # s that a question waits for its turn
SECONDS: Final = 20.0  # that a question may take
PART: Final = 1_000  # records of one person that are read at a time, or more
PART_S: Final = 1.0  # s after which a part ends, whatever it has found
_FOREVER: Final = 1 << 62

T = TypeVar("T")
OpenLog = Callable[[], AbstractContextManager[Log]]


class EvidenceAbsent(Exception):
    """There is no log here, or it cannot be read."""


class EvidenceBusy(Exception):
    """Others are being answered; `seconds` later it may go."""

    seconds = 5


class EvidenceSlow(Exception):
    """The log is too long for a page that waits."""


class Answer(NamedTuple):
    """An explanation as of `at` (ms). `begins`: where retention has cut the log within the window (ms)."""

    found: Explanation
    at: int
    partition: int
    begins: int | None


class _Place(NamedTuple):
    """How far a reader has come: the number of an input topic, and the offset there that is read next."""

    topic: int = 0
    offset: int = 0


class Evidence:
    """The log behind the pages. `open_log` opens it for one question; `limits`: what its records were decided by."""

    def __init__(
        self,
        open_log: OpenLog,
        limits: Callable[[Log], Limits],
        *,
        at_once: int = AT_ONCE,
        patience: float = PATIENCE,
        seconds: float = SECONDS,
    ) -> None:
        self._open = open_log
        self._limits = limits
        self._turns = asyncio.Semaphore(at_once)
        self._patience = patience
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="evidence")

    async def explain(self, employee: str, indicator: str, window: str, at: int | None, template: str | None) -> Answer:
        """The score taken apart; `at` in ms, None for the newest scored event.

        Raises agents.explaining.NotExplained, EvidenceAbsent, EvidenceBusy, EvidenceSlow.
        """
        return await self._turn(lambda: self._explain(employee, indicator, window, at, template))

    async def told(self, alert_id: str, employee: str | None = None) -> list[AlertRow]:
        """All that was ever said of an alert, open or over, oldest first; nothing when none ever had this id.

        `employee`: whom it is about, where that is known: then only their partition is read. Raises EvidenceAbsent,
        EvidenceBusy, EvidenceSlow.
        """
        return await self._turn(lambda: self._told(alert_id, employee))

    async def trends(self, employee: str, at: int) -> Trends:
        """The person's trends as they were known and published at `at` (ms); nothing where they had no scores then.

        Raises EvidenceAbsent, EvidenceBusy, EvidenceSlow.
        """
        return await self._turn(lambda: self._trends(employee, at))

    async def events(self, employee: str) -> AsyncGenerator[bytes, None]:
        """Every record of the person in the input topics, one JSON object each, in the order of the log per topic.

        Raises EvidenceAbsent, and EvidenceBusy before the first one: what has begun waits for its turns.
        """
        some, place = await self._turn(lambda: self._records(employee, _Place()))
        while True:
            for record in some:
                yield record
            if place is None:
                return
            some, place = await self._turn(partial(self._records, employee, place), patient=True)

    def close(self) -> None:
        """Takes no more questions."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, work: Callable[[], T], *, patient: bool = False) -> T:
        await self._wait(None if patient else self._patience)
        going = asyncio.get_running_loop().run_in_executor(self._threads, work)
        going.add_done_callback(lambda _: self._turns.release())  # also when nobody waits for it any longer
        return await asyncio.shield(going)

    async def _wait(self, patience: float | None) -> None:
        try:
            await asyncio.wait_for(self._turns.acquire(), patience)
        except TimeoutError:
            raise EvidenceBusy from None

    @contextmanager
    def _reading(self) -> Iterator[Log]:
        """The log, for one question; EvidenceAbsent where it cannot be read."""
        try:
            with self._open() as log:
                yield log
        except (LogError, RecoverableError, sqlite3.Error, OSError) as error:
            raise EvidenceAbsent(str(error)) from error

    def _explain(self, employee: str, indicator: str, window: str, at: int | None, template: str | None) -> Answer:
        demand_time = self._deadline()
        with self._reading() as log:
            instant = max([0, *(meta.last for meta in read_meta(log))]) if at is None else at
            asked = Question(employee, indicator, window, instant, template)
            found = explain(log, self._limits(log), asked, demand_time)
            gone = [first for _, _, first, _ in what_is_gone(log, found, window, instant)]
            partition = partition_for(employee.encode(), log.topics()[INPUT_TOPICS[0]].partitions)
        return Answer(found, instant, partition, max(gone, default=None))

    def _deadline(self) -> Callable[[int], None]:
        ends = time.monotonic() + self._seconds

        def demand_time(_: int) -> None:
            if time.monotonic() > ends:
                raise EvidenceSlow

        return demand_time

    def _told(self, alert_id: str, employee: str | None) -> list[AlertRow]:
        demand_time, found, key = self._deadline(), list[AlertRow](), alert_id.encode()
        with self._reading() as log:
            topics = log.topics()
            home = None if employee is None else partition_for(employee.encode(), topics[INPUT_TOPICS[0]].partitions)
            for number in range(topics[ALERTS].partitions) if home is None else [home]:
                for rows in chunks(log, ALERTS, number, 0, _FOREVER):
                    demand_time(len(rows))
                    found += [one for row in rows if row[2] == key and (one := alert_of(row[3])) is not None]
        return found

    def _trends(self, employee: str, at: int) -> Trends:
        demand_time = self._deadline()
        with self._reading() as log:
            found = histories_known_at(log, at, self._limits(log), employee, demand_time).get(employee)
        return {} if found is None else score_update(found.person, at).trends

    def _records(self, employee: str, place: _Place) -> tuple[list[bytes], _Place | None]:
        """A part of the person's records, and where the next one begins: None at the end of the log."""
        key, found, ends = employee.encode(), list[bytes](), time.monotonic() + PART_S
        with self._reading() as log:
            partition = partition_for(key, log.topics()[INPUT_TOPICS[0]].partitions)
            for number, topic in list(enumerate(INPUT_TOPICS))[place.topic :]:
                begins = place.offset if number == place.topic else 0
                for rows in chunks(log, topic, partition, begins, _FOREVER):
                    found += [_record(topic, partition, row) for row in rows if row[2] == key]
                    if len(found) >= PART or time.monotonic() > ends:
                        return found, _Place(number, rows[-1][0] + 1)
        return found, None


def _record(topic: str, partition: int, row: Any) -> bytes:
    """A record as it is in the log; a value that is no JSON as the text that it was taken for."""
    offset, timestamp, _, value, _ = row
    try:
        event: Any = msgspec.json.decode(value or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError):
        event = (value or b"").decode("utf-8", "replace")
    place = {"topic": topic, "partition": partition, "offset": offset, "logged_at": format_rfc3339(timestamp)}
    return msgspec.json.encode(place | {"event": event})
