"""The scoring agent's work, whatever carries its records: chunks to partitions, commits, ticks, unit pools.

Faust calls `handle`, `commit` and `start_offsets` (agents/app.py); nothing here knows Faust.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, cast

from agents.failpoints import reach
from agents.flush import Flush
from agents.metrics import Metrics
from agents.partition import Partition
from agents.recovery import Progress, restore
from agents.rules import changed_since, rulebook
from agents.store import Store
from agents.ticker import Ticker
from agents.transport.errors import LogBusy, LogFull, RecoverableError
from agents.transport.log import Log
from agents.unit_pool import UnitPool
from schemas.event import INPUT_TOPICS, Row
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.topics import PEOPLE_EVENTS, SCORE_UPDATES, TEMPLATES, TICKS

logger: Final = logging.getLogger(__name__)
BACKLOG_COMMIT: Final = 10.0  # seconds between commits while there is a backlog: fewer, larger writes
TELL_AGAIN: Final = 30.0  # s between two messages about one trouble
WAKE: Final = 2_000  # stored employees looked at per step after a start


def wall_clock() -> int:
    """Milliseconds since 1970 UTC. It stamps commits and ticks; no decision reads it."""
    return time.time_ns() // 1_000_000


class Scoring:
    """All partitions of one worker. `open` reads rules and restores stores; it blocks and may take a while."""

    def __init__(
        self, log: Log, partitions: Sequence[Partition], rules: Rulebook, metrics: Metrics, cached: int
    ) -> None:
        self.log = log
        self.partitions = {partition.number: partition for partition in partitions}
        self.rules = rules
        self.metrics = metrics
        self.cached = max(1, cached // len(self.partitions))
        self.flush = Flush(log, wall_clock)
        self.ticker = Ticker(log, partitions)
        self.units = UnitPool(log)
        self.backlog = False
        self._waking: dict[int, bytes | None] = dict.fromkeys(self.partitions)
        self._committed = time.monotonic()
        self._tell_at = 0.0

    @classmethod
    def open(
        cls,
        log: Log,
        folder: Path,
        limits: Limits,
        metrics: Metrics,
        cached: int,
        progress: Progress | None = None,
    ) -> Scoring:
        """Everything as the last commit left it."""
        count = log.topics()[INPUT_TOPICS[0]].partitions
        ends = [log.end(TEMPLATES, number) for number in range(count)]  # before: what comes later is read again
        rules = rulebook(log)
        stores: list[Store] = []
        try:
            for number in range(count):
                store = restore(log, folder / "state" / str(number), number, progress)
                stores.append(store)  # what is open must be known when the next one fails
            partitions = [Partition(number, count, store, log, rules, limits) for number, store in enumerate(stores)]
            for partition, end in zip(partitions, ends, strict=True):
                partition.meta.applied[TEMPLATES] = end
            found = cls(log, partitions, rules, metrics, cached)
            found._people_first()
            reach("after-people")
        except BaseException:
            _close(stores)
            raise
        return found

    def _people_first(self) -> None:
        """Assignments that wait in the log are applied before the events that they place: nothing needs restating."""
        for number, partition in self.partitions.items():
            while rows := self.log.read(PEOPLE_EVENTS, number, partition.meta.applied.get(PEOPLE_EVENTS, 0), 10_000):
                self.handle(PEOPLE_EVENTS, number, cast("list[Row]", rows))

    def start_offset(self, topic: str, partition: int) -> int:
        """Where reading begins: what the state has applied, for what it applies; the rest from the beginning."""
        if topic in (*INPUT_TOPICS, TICKS, TEMPLATES):
            return max(self.partitions[partition].meta.applied.get(topic, 0), self.log.start(topic, partition))
        return self.log.start(topic, partition)

    def handle(self, topic: str, partition: int, rows: Sequence[Row]) -> None:
        """Applies a chunk of a topic. Blocks for the chunk's length: some tens of milliseconds."""
        began = time.perf_counter()
        if topic in INPUT_TOPICS:
            self.partitions[partition].apply(topic, rows)
            reach("after-chunk")
            self.metrics.chunk(topic, rows, time.perf_counter() - began)
        elif topic == TICKS:
            self.partitions[partition].tick(rows)
        elif topic == TEMPLATES:
            self.refresh_rules()
            self.partitions[partition].meta.applied[TEMPLATES] = rows[-1][0] + 1
        elif topic == SCORE_UPDATES:
            self.units.take(partition, rows)

    def refresh_rules(self) -> None:
        """Takes over what was published; restates and releases where it reaches into the past."""
        new = rulebook(self.log)
        since = changed_since(self.rules, new)
        if since is not None:
            self.rules = new
            for partition in self.partitions.values():
                partition.adopt(new, since)
            reach("rules-adopted")

    def lag(self) -> dict[tuple[str, int], int]:
        """Records not applied yet, per input topic and partition."""
        bounds = self.log.bounds()
        return {
            (topic, number): max(0, bounds[topic, number][1] - partition.meta.applied.get(topic, 0))
            for number, partition in self.partitions.items()
            for topic in (*INPUT_TOPICS, TICKS)
        }

    def uncommitted(self) -> int:
        """Records of the input topics that no commit holds yet."""
        bounds = self.log.bounds()
        return sum(
            max(0, bounds[topic, number][1] - partition.saved.get((topic, number), 0))
            for number, partition in self.partitions.items()
            for topic in INPUT_TOPICS
        )

    async def beat(self, interval: float) -> None:
        """One round of what time alone does: commit when due, ticks, unit updates, waking stored employees."""
        lag = sum(self.lag().values())
        self.backlog = lag > 5_000
        since = time.monotonic() - self._committed
        if since >= (BACKLOG_COMMIT if self.backlog else interval):
            await self.commit()
        await self._tick(wall_clock())
        self._wake()

    async def _tick(self, now: int) -> None:
        """Ticks that find no room are no loss: the next second has its own."""
        urgent = self.ticker.urgent(now)
        if urgent:
            self.refresh_rules()
        ticks = self.ticker.due(now)
        if not ticks:
            return
        try:
            if urgent:
                self.ticker.write(ticks)
            else:
                await asyncio.get_running_loop().run_in_executor(None, self.log.append, ticks)
            reach("after-ticks")
        except (LogFull, LogBusy) as error:
            self._put_off(error)

    def has_work(self) -> bool:
        """Whether anything waits for a commit."""
        return any(p.dirty or p.owed or p.outputs or p.changes for p in self.partitions.values())

    async def commit(self) -> None:
        """Commits everything applied so far. A disk without room is waited for; nothing is lost meanwhile."""
        now = max((partition.meta.now for partition in self.partitions.values()), default=0)
        self.flush.extra.extend(self.units.changed(self.rules, max(now, 0), wall_clock()))
        began, transactions = time.perf_counter(), self.flush.transactions
        try:
            written = await self.flush(self.partitions.values(), backlog=self.backlog)
        except (LogFull, LogBusy) as error:
            self._put_off(error)
            self._committed = time.monotonic()
            return
        self._committed = time.monotonic()
        if self.flush.transactions > transactions:
            self._goes_on()
        self.metrics.committed(written, time.perf_counter() - began)
        for partition in self.partitions.values():
            partition.evict(self.cached)

    def _put_off(self, error: RecoverableError) -> None:
        """The log takes nothing at the moment. It is said once, and again while it lasts."""
        if time.monotonic() >= self._tell_at:
            logger.error("commit put off, nothing is lost, tried again all the time: %s", error)
            self._tell_at = time.monotonic() + TELL_AGAIN
        self.metrics.commit_failed(str(error))

    def _goes_on(self) -> None:
        if self.metrics.last_failure:
            logger.warning("the log takes commits again: all that was put off is in it")
            self.metrics.last_failure = ""
            self._tell_at = 0.0

    def _wake(self) -> None:
        """After a start, a slice at a time: who is stored learns when time changes their scores."""
        for number, start in list(self._waking.items()):
            following = self.partitions[number].wake(start, WAKE)
            if following is None:
                del self._waking[number]
            else:
                self._waking[number] = following
            return

    def close(self) -> None:
        """Lets go of the stores. A store that cannot even be closed is read anew, or built anew, at the next start."""
        _close(partition.store for partition in self.partitions.values())


def _close(stores: Iterable[Store]) -> None:
    for store in stores:
        try:
            store.close()
        except RecoverableError as error:
            logger.warning("local state was not closed well: %s", error)
