"""The scoring agent's work, whatever carries its records: chunks to partitions, commits, ticks, unit pools.

Faust calls `handle`, `commit` and `start_offset`, and says which partitions are this worker's (agents/app.py); nothing
here knows Faust. Who owns a partition is the only one who writes it: the log sees to that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from agents.decoded import DecodedChunk, behind
from agents.failpoints import reach
from agents.flush import Flush
from agents.metrics import Metrics
from agents.pace import Pace
from agents.partition import Partition
from agents.put_off import PutOff
from agents.recovery import Progress
from agents.rules import changed_since, rulebook
from agents.slices import Slices, in_thread, whole
from agents.takeover import Interrupted, Takeover
from agents.ticker import Ticker
from agents.transport.errors import BrokerGone
from agents.transport.hooks import Span
from agents.transport.log import Log, LogBusy, LogFull, Outgoing, RecoverableError, TopicPartition
from agents.unit_pool import UNITS_HOME, UnitPool
from agents.visible import Awaited
from agents.waking import Waking
from schemas.event import INPUT_TOPICS, Row
from stream.keys import TOLD
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.topics import COMMANDS, SCORE_UPDATES, TEMPLATES, TICKS, UNIT_SHARES

logger: Final = logging.getLogger(__name__)
LOOK: Final = 0.1  # s between two looks at where the log ends
FEW: Final = 2_000  # records that are decoded in the loop
NEVER: Final = Event()


def wall_clock() -> int:
    """Milliseconds since 1970 UTC. It stamps commits and ticks; no decision reads it."""
    return time.time_ns() // 1_000_000


class Scoring:
    """The partitions of one worker, none at first. Between `rest` and `resume` nothing is applied.

    A takeover changes `partitions` in a thread: who walks through them while it may be under way takes a copy.
    """

    def __init__(
        self,
        log: Log,
        folder: Path,
        limits: Limits,
        metrics: Metrics,
        cached: int,
        progress: Progress | None = None,
    ) -> None:
        self.log = log
        self.metrics = metrics
        self.cached = cached
        self.count = log.topics()[INPUT_TOPICS[0]].partitions
        self.partitions: dict[int, Partition] = {}
        self.rules = Rulebook([])
        self.flush = Flush(log, wall_clock)
        self.ticker = Ticker(log, self.partitions)
        self.units: UnitPool | None = None
        self.pace = Pace()
        self.resting = True
        self.ends: dict[TopicPartition, int] = {}
        self._takeover = Takeover(log, folder, self.count, limits, metrics, progress)
        self._templates: list[int] = []  # where the templates ended when rules were last read
        self._looked = 0.0  # monotonic; when the log's ends were asked for
        self._asked = 0  # the same by the wall clock, ms
        self._working = asyncio.Lock()
        self._committing = asyncio.Lock()
        self._applying = asyncio.Lock()  # held by whoever changes partitions; in it their states are of one instant
        self._waking = Waking()
        self._put_off = PutOff(metrics)
        self._awaited = Awaited(metrics)

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
        """With all partitions, everything as the last commit left it. Blocks, and may take a while."""
        made = cls(log, folder, limits, metrics, cached, progress)
        try:
            made.take_over(range(made.count))
        except BaseException:
            made.close()
            raise
        made.resume()
        return made

    # Partitions come and go

    def take_over(self, numbers: Collection[int], interrupted: Event = NEVER) -> bool:
        """Lets go of all partitions but these, and takes over those that are new. Blocks, and may take a while.

        False when `interrupted` was set meanwhile: what was taken over by then stays.
        """
        assert self.resting, "partitions come and go only while nothing is applied"
        new = set(numbers) - self.partitions.keys()
        for number in self.partitions.keys() - set(numbers):
            self._let_go(number)
        ends = self._template_ends()  # before: what comes later is read again
        rules = rulebook(self.log)
        try:
            self._takeover.take(sorted(new), rules, self.partitions, interrupted)
        except Interrupted:
            return False
        finally:
            self._waking.begin(new & self.partitions.keys())
        for number in self.partitions.keys() - new:
            self.partitions[number].catch_up(rules)  # a tick that is under way knows the rules of before
        self._adopt(rules, ends)
        home = self.partitions.get(UNITS_HOME)
        if home is not None and self.units is None:
            self.units = UnitPool(self.log, home.meta.handled, home.store.items(TOLD))
        self.ends = self.log.ends(self._places())
        reach("after-people")
        return True

    def local(self) -> set[int]:
        """The partitions whose state lies here already."""
        return self._takeover.local()

    def demand_same_topics(self) -> None:
        """LogReplaced when a topic was made anew while it was read: its offsets mean nothing any more."""
        self._takeover.demand_same_topics()

    def _let_go(self, number: int) -> None:
        partition = self.partitions.pop(number)
        if number == UNITS_HOME:
            self.units = None
        self.log.disown(number)
        self._waking.forget(number)
        self._awaited.forget(number)
        self.ticker.forget(number)
        try:
            partition.store.close()
        except RecoverableError as error:
            logger.warning("local state was not closed well: %s", error)

    async def rest(self) -> None:
        """Applies nothing more until `resume`; what is applied is committed when it returns."""
        self.resting = True
        async with self._working:
            await self.settled()
            if self.has_work():
                await self.commit()

    async def settled(self) -> None:
        """What is under way is applied whole, and committed; with `resting` set nothing begins after it."""
        async with self._applying:
            pass
        async with self._committing:
            pass

    def resume(self) -> None:
        """Goes on with the partitions that it has now."""
        self._looked = 0.0
        self.resting = False

    def start_offsets(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where reading begins, of events and ticks: behind what the state has applied. Blocks."""
        starts = self.log.starts(places)
        return {place: max(starts[place], self.partitions[place[1]].meta.applied.get(place[0], 0)) for place in places}

    # Records

    async def handle(
        self, topic: str, partition: int, rows: Sequence[Row] | DecodedChunk, span: Span | None = None
    ) -> None:
        """Applies a chunk of a topic, which stands for the offsets of `span` (None: for those of its records).

        It is applied whole, also when whoever waits is cancelled. What is not this worker's any more is left alone.
        """
        async with self._changing():
            owned = self.partitions.get(partition)
            if owned is not None and not self.resting:
                await self._apply(owned, topic, rows, span)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        """Nobody else changes partitions meanwhile. What was begun and not ended must never be committed."""
        async with self._applying:
            try:
                yield
            except (LogFull, LogBusy):  # nothing was begun
                raise
            except Exception as error:
                self.flush.give_up(error)
                raise

    async def _apply(self, owned: Partition, topic: str, rows: Sequence[Row] | DecodedChunk, span: Span | None) -> None:
        began = time.perf_counter()
        if topic in INPUT_TOPICS:
            if rows:
                decoded = partial(owned.decoded, topic, rows)
                chunk = decoded() if len(rows) < FEW else await in_thread(decoded)
                if span is not None:
                    await whole(owned.passing(topic, span.begin, chunk.first))
                away = await whole(owned.applying(topic, chunk))
                reach("after-chunk")
                took = time.perf_counter() - began - away
                self.pace.applied(len(chunk), took)
                self.metrics.chunk(topic, len(chunk), took)
                self.metrics.skewed(chunk.skewed)
                self._awaited.begin(owned.number, chunk)
        elif topic == TICKS and not isinstance(rows, DecodedChunk):
            await whole(owned.ticking(rows))
        if span is not None:
            await whole(owned.passing(topic, behind(rows) if rows else span.begin, span.after))

    # Rules

    async def _take_over_rules(self, new: Rulebook, ends: list[int]) -> None:
        changed = changed_since(self.rules, new) is not None
        for partition in list(self.partitions.values()):
            await whole(partition.taking_over(new))
        self._adopt(new, ends)
        if changed:
            reach("rules-adopted")

    def _adopt(self, rules: Rulebook, ends: list[int]) -> None:
        """All partitions know these rules; `ends`: where the templates ended before they were read."""
        self.rules = rules
        for number, partition in self.partitions.items():
            partition.meta.applied[TEMPLATES] = max(ends[number], rules.ends[number])
        self._templates = ends
        self.ends |= {(TEMPLATES, number): end for number, end in enumerate(ends)}  # the last look may be older

    def _template_ends(self) -> list[int]:
        ends = self.log.ends([(TEMPLATES, number) for number in range(self.count)])
        return [ends[TEMPLATES, number] for number in range(self.count)]

    # How far it is

    def lag(self) -> dict[TopicPartition, int]:
        """Records not applied yet, per input topic and partition, as of the last look."""
        return {
            (topic, number): max(0, self.ends.get((topic, number), 0) - partition.meta.applied.get(topic, 0))
            for number, partition in list(self.partitions.items())
            for topic in (*INPUT_TOPICS, TICKS)
        }

    def uncommitted(self) -> int:
        """Records of the input topics that no commit holds yet."""
        return sum(
            max(0, self.ends.get((topic, number), 0) - partition.saved.get((topic, number), 0))
            for number, partition in list(self.partitions.items())
            for topic in INPUT_TOPICS
        )

    # Time

    async def beat(self, interval: float) -> None:
        """One round of what time alone does: commit when due, ticks, waking stored employees."""
        async with self._working:
            if self.resting:
                return
            await self._look()
            await self._look_at_rules()
            self.pace.look(sum(self.lag().values()))
            states = sum(len(partition.dirty) for partition in self.partitions.values())
            if self.pace.due(interval, states, put_off=bool(self.metrics.last_failure)):
                await self.commit()
            await self._read_commands()
            await self._tick(wall_clock())
            async with self._applying:
                self._waking.step(self.partitions)

    async def _read_commands(self) -> None:
        """What people and units want done with alerts, before the tick that follows it comes."""
        for number, partition in list(self.partitions.items()):
            await partition.alerting.read_ahead(partition.meta.applied.get(COMMANDS, 0), self.ends[COMMANDS, number])

    async def _look_at_rules(self) -> None:
        """Takes over what was published; read in a thread, for a broker may be far."""
        ends = [self.ends[TEMPLATES, number] for number in range(self.count)]
        if ends == self._templates:
            return
        if any(end < known for end, known in zip(ends, self._templates, strict=True)):
            # What has run back is another log, or has lost what it had: the next life finds out before it reads on.
            raise BrokerGone(f"{self.log.name}: {TEMPLATES} ended at {self._templates}, and end at {ends} now")
        if self.ticker.under_way():
            return
        rules = await asyncio.to_thread(rulebook, self.log)
        async with self._changing():
            await self._take_over_rules(rules, ends)

    def show(self) -> None:
        """Makes score updates, a slice at a time, for the next commit; a backlog's come with its commits."""
        if not (self.resting or self.pace.late or self._applying.locked()):
            self.flush.make_updates(self.partitions.values())

    async def _look(self) -> None:
        """Where the log ends; asked for in a thread, for a broker may be far."""
        if time.monotonic() - self._looked < LOOK:
            return
        self._looked, self._asked = time.monotonic(), wall_clock()
        self.ends = await asyncio.to_thread(self.log.ends, self._places())

    def _places(self) -> list[TopicPartition]:
        """Everything that is read."""
        places = [(topic, number) for topic in (*INPUT_TOPICS, COMMANDS, TICKS) for number in self.partitions]
        places += [(TEMPLATES, number) for number in range(self.count)]
        if self.units is not None:
            places += [(topic, number) for topic in (SCORE_UPDATES, UNIT_SHARES) for number in range(self.count)]
        return list(dict.fromkeys(places))

    async def _tick(self, now: int) -> None:
        """Ticks that find no room are no loss: the next second has its own."""
        try:
            async with self._changing():  # who is half applied may be due, and not be scheduled yet
                urgent = self.ticker.urgent(now)
                ticks = [] if urgent else self.ticker.due(now, self.ends, self._asked)
            if urgent:
                for only in [[n] for n in self.partitions] if self.ticker.closing(now) else [[*self.partitions]]:
                    async with self._changing():  # chunks do not wait for all partitions
                        if self.ticker.under_way():
                            break
                        if ticks := self.ticker.due(now, self.ends, self._asked, only):
                            await whole(self._decide(ticks))
            elif await in_thread(lambda: self.ticker.write(ticks)):
                reach("after-ticks")
        except (LogFull, LogBusy) as error:
            self._put_off.again(error)

    def _decide(self, ticks: Sequence[Outgoing]) -> Slices:
        """Ticks are written and applied in one go, also when whoever waits is cancelled in between."""
        written: list[tuple[int, Row]] = yield partial(self.ticker.write, ticks)
        if written:
            reach("after-ticks")
        for number, row in written:
            yield from self.partitions[number].ticking([row])

    @property
    def now(self) -> int:
        """The newest tick of this worker's partitions (ms), -1 before any."""
        return max((partition.meta.now for partition in list(self.partitions.values())), default=-1)

    def told_units(self) -> set[str]:
        """The units of everybody whose score was told since the start."""
        return {unit for partition in list(self.partitions.values()) for unit in partition.units}

    async def pool(self) -> None:
        """Reads on what the units' home needs of all partitions, whoever wrote it."""
        if self.units is not None and not self.resting:
            await self.units.read_on(self.ends)

    def has_work(self) -> bool:
        """Whether anything waits for a commit."""
        return any(p.dirty or p.owed or p.owed.made or p.outputs or p.changes for p in self.partitions.values())

    async def commit(self) -> None:
        """Commits everything applied so far. A disk without room is waited for; nothing is lost meanwhile."""
        async with self._committing:
            units, home = self.units, self.partitions.get(UNITS_HOME)
            try:
                if units is not None and home is not None:  # its meta says what is decided
                    await units.leave(self.rules, self.now, wall_clock, self.flush.extra, home)
                began, transactions = time.perf_counter(), self.flush.transactions
                written = await self.flush(self.partitions.values(), backlog=self.pace.late, alone=self._applying)
            except (LogFull, LogBusy) as error:
                self._put_off.again(error)
                self.pace.tried()
                return
            took = time.perf_counter() - began
            self.pace.committed(took)
            if self.flush.transactions > transactions:
                self._put_off.over()
            self.metrics.committed(written, took)
            self._awaited.committed(self.partitions)
            async with self._applying:
                for partition in list(self.partitions.values()):
                    await whole(partition.evicting(max(1, self.cached // len(self.partitions))))

    def close(self) -> None:
        """Lets go of the stores. A store that cannot even be closed is read anew, or built anew, at the next start."""
        for number in list(self.partitions):
            self._let_go(number)
