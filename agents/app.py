"""The Faust application: one agent that hands chunks to the scoring work, and the hooks of the transport.

Faust brings chunks and calls at start and stop; where reading begins and what is committed is the state's to say.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from threading import Event
from typing import Any, Final

import faust

from agents import failpoints
from agents.alerting import Alerting
from agents.closer import Closer
from agents.decoder import Decoder
from agents.health import Health
from agents.learner import Learner
from agents.limits import limits_to_work_by
from agents.loop_delay import LoopDelay
from agents.metrics import Metrics, Snapshot
from agents.pace import BACKLOG
from agents.records.sending import Sending
from agents.recovery import Progress
from agents.scoring import Scoring, wall_clock
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.errors import RecoverableError, TransportFailed
from agents.transport.hooks import Hooks
from agents.transport.log import TopicPartition
from agents.transport.opening import demand_same, faust_options, open_log, remember
from agents.tuning import tune_collector
from agents.unit_alerts import UnitAlerts
from agents.views.opening import writer_of
from agents.views.projection import Projection
from stream import metric_names as names
from stream.topics import INPUTS, TICKS, TOPICS

logger: Final = logging.getLogger(__name__)
BEAT: Final = 0.02  # s between looks at what time alone does
SHOW: Final = 0.01  # s between two slices of score updates
WATCH: Final = 0.2  # s between looks whether Faust still runs
IDLE: Final = 60.0  # s of red health, in a loop that runs, after which a life ends
FIGURES: Final = 10.0  # s between two rounds of units' figures
LESSONS: Final = 60.0  # s between looks whether it is time to learn, or to write results
SNAPSHOT: Final = 1.0  # s between metric snapshots
PUT_OFF: Final = 6  # times that a backlog may put housekeeping off
STATE_SIZE: Final = 10.0  # s between looks at the disk
SOURCES: Final = (*INPUTS, TICKS)
NAMES: Final = tuple(topic.name for topic in TOPICS)


class Worker:
    """One life of a worker, in the running loop: `start`, `wait` until it fails or is told to stop, `stop`.

    The folder's lock is the caller's (agents/lives.py).
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.settings = settings
        self.metrics = Metrics(settings.metric_series, settings.metric_people)
        self._progress = progress
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._interrupt = Event()
        self._takeover: asyncio.Future[bool] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._sizes: dict[int, float] = {}
        self._delay = LoopDelay()
        self._free: dict[str, float] = {}  # by metric: nothing until somebody has looked
        self.views: Projection | None = None
        self._decoder = Decoder(settings.broker, settings.decoder or 0, settings.access)
        self._learner = Learner(settings.broker, settings.access)
        self._closer = Closer(settings)
        self._sending: Sending | None = None

    async def start(self) -> None:
        """Restores the state, begins to read."""
        settings = self.settings
        failpoints.arm(settings.fail_points)
        options = await asyncio.to_thread(self._open)
        tune_collector()
        self.app = _application(options, settings)
        self.app.transport.serve(self._hooks(), chunk_records=settings.chunk_records)
        self.app.agent(_source(self.app), name="scoring")(self._score)
        self._tasks = [self._spawn(self._watch), self._spawn(self._delay.run)]
        await self._begin()
        works = (self._beats, self._updates, self._pools, self._figures, self._snapshots, self._housekeeping)
        self._tasks += [self._spawn(work) for work in (*works, self._lessons, self._results)]
        self._sending = Sending(self.log, settings)
        self._tasks.append(self._spawn(self._sending.run))
        if (views := writer_of(settings)) is not None:
            self.views = Projection(self.log, views, lambda: self.scoring.partitions)
            self._tasks.append(self._spawn(self.views.run))

    async def _begin(self) -> None:
        """Until it reads, or has failed: Faust's own start waits for a recovery that may never be."""
        starting = asyncio.ensure_future(self.app.start())
        await asyncio.wait([starting, self._failed], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            if self.log.shared:
                await asyncio.wait([self._reading, self._failed], return_when=asyncio.FIRST_COMPLETED)
        else:
            starting.cancel()
            await asyncio.wait([starting])

    def _open(self) -> Mapping[str, Any]:
        """The log, the state where all of it is this worker's, Faust's options. Blocks: imports alone take a second."""
        settings = self.settings
        self.log = open_log(settings.broker, NAMES, access=settings.access)
        # First: before topics are made that were there and are gone, and before an empty broker is asked for more.
        demand_same(self.log, settings.data)
        if settings.decoder:
            self._decoder.warm(self.log, settings.chunk_records)
        ensure_topics(self.log, settings)
        remember(self.log, settings.data, NAMES)
        limits = limits_to_work_by(self.log, settings)
        self._late = limits.late
        self.scoring = Scoring(self.log, settings.data, limits, self.metrics, settings.cached_employees, self._progress)
        if not self.log.shared:
            self.scoring.take_over(range(self.scoring.count))
            self.scoring.resume()
        return faust_options(self.log, settings.data)

    def _hooks(self) -> Hooks:
        scoring = self.scoring

        async def starts(places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
            return await asyncio.to_thread(scoring.start_offsets, places)

        async def assigned(numbers: Collection[int]) -> bool:
            self._interrupt = Event()
            work = asyncio.get_running_loop().run_in_executor(None, scoring.take_over, numbers, self._interrupt)
            self._takeover = asyncio.ensure_future(work)
            return await asyncio.shield(self._takeover)

        async def revoked() -> None:
            scoring.resting = True
            await self._end_takeover()
            if not self._failed.done():
                await scoring.rest()

        hooks = Hooks(starts, self._commit, assigned, revoked, self._resumed, self._fail, scoring.local)
        if self.settings.decoder:
            return replace(hooks, reader=self._decoder.read, worth=self._decoder.worth, ends=lambda: scoring.ends)
        return hooks

    async def _end_takeover(self) -> None:
        """A takeover cannot be called back, only asked to end early."""
        self._interrupt.set()
        if self._takeover is not None:
            await asyncio.wait([self._takeover])

    def _resumed(self) -> None:
        self.scoring.resume()
        if not self._reading.done():
            self._reading.set_result(None)

    async def _watch(self) -> None:
        """Faust ends by itself and says nothing, and membership in a group may look alive and bring nothing."""
        idle = 0
        while not self.app.crashed:
            await asyncio.sleep(WATCH)
            idle = idle + 1 if self.log.shared and self._reading.done() and self.health().red else 0
            if idle * WATCH > IDLE:
                raise TransportFailed(
                    f"nothing was committed for a minute and more, with {self.health().lag} records to do"
                )
        raise TransportFailed(f"reading ended: {self.app.crash_reason!r}") from self.app.crash_reason

    async def wait(self) -> None:
        """Returns when `stop` was called; raises what made the worker fail."""
        await asyncio.shield(self._failed)  # who no longer waits must not make it look failed

    async def stop(self) -> None:
        """Applies what is under way, commits, lets go of stores and log, however far the start came."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            self._decoder.end()
            if hasattr(self, "app"):
                await self._hand_over()
                await self.app.stop()
            if self.views is not None:
                await self.views.finish()
        finally:
            self._decoder.close()
            if hasattr(self, "scoring"):
                self.scoring.resting = True  # stores that are closed are not asked any more
                await self.scoring.settled()
                await asyncio.to_thread(self.scoring.close)
            if hasattr(self, "log"):
                self.log.close()
            if not self._failed.done():
                self._failed.set_result(None)

    async def _hand_over(self) -> None:
        """Commits what is applied before the partitions go: the others begin at once, and repeat nothing."""
        if self.log.shared:
            self.scoring.resting = True
            await self._end_takeover()
            if not self._failed.done():
                await self.scoring.rest()
                self.app.transport.leave = True

    def _spawn(self, work: Callable[[], Any]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work())
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception())

    def _fail(self, error: BaseException | None) -> None:
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _score(self, chunks: Any) -> None:
        """The agent: every chunk is applied whole; what a record cannot explain stops the worker, never skips it."""
        async for event in chunks.events():
            message = event.message
            if self._failed.done():
                continue
            try:
                if message.generation_id == self.app.consumer_generation_id:  # else of before a rebalance: read again
                    span = (message.headers or {}).get("span")
                    await self.scoring.handle(message.topic, message.partition, message.value, span)
            except Exception as error:
                logger.error("chunk of %s/%d was not applied: %s", message.topic, message.partition, error)
                self._fail(error)
            await asyncio.sleep(0)

    async def _commit(self) -> None:
        """Faust's commit, also the one at the end: nothing that a failed worker holds is committed."""
        if not self._failed.done() and self.scoring.has_work():
            await self.scoring.commit()

    async def _beats(self) -> None:
        committed = 0
        while True:
            await self.scoring.beat(self.settings.commit_interval)
            if self.views is not None and committed != self.scoring.flush.transactions:
                committed = self.scoring.flush.transactions
                self.views.wake()
            await asyncio.sleep(BEAT)

    async def _updates(self) -> None:
        """Also while a commit is written."""
        while True:
            self.scoring.show()
            await asyncio.sleep(SHOW)

    async def _pools(self) -> None:
        while True:
            await self.scoring.pool()
            await asyncio.sleep(BEAT)

    async def _figures(self) -> None:
        """Unit by unit, where the units' home is; a backlog has the processor first."""
        while True:
            units, last = self.scoring.units, True
            if units is None:
                self.metrics.figures.forget()
            elif units.whole and not self.scoring.pace.late:
                last = await units.count(self.metrics.figures, self.scoring.rules, self.scoring.now)
            await asyncio.sleep(FIGURES if last else BEAT)

    async def _lessons(self) -> None:
        """Once a day, where the units' home is; a backlog has the processor first."""
        while True:
            if self.scoring.units is not None and not self.scoring.pace.backlog:
                await self._learner.look(self.scoring.rules, wall_clock())
            await asyncio.sleep(LESSONS)

    async def _results(self) -> None:
        """Likewise: final results of windows that closed."""
        while True:
            await asyncio.sleep(LESSONS)
            if self.scoring.units is not None and not self.scoring.pace.backlog:
                await self._closer.look(self.scoring.rules, wall_clock(), self._late)

    async def _snapshots(self) -> None:
        while True:
            self.metrics.snapshot = self._snapshot()
            units = self.scoring.units
            async with nullcontext() if units is None else units.turn:
                self._show_alerts()
            await asyncio.sleep(SNAPSHOT)

    async def _housekeeping(self) -> None:
        """Compaction, retention and the size of the state, in a thread beside the work."""
        put_off, busy = 0, False
        while True:
            # A backlog, and the commit after it, have the processor first, but not for ever: the changelog grows.
            was, busy = busy, self.scoring.pace.backlog or self.scoring.uncommitted() > BACKLOG
            put_off = put_off + 1 if (busy or was) and put_off < PUT_OFF else 0
            if not put_off:
                await asyncio.to_thread(self._keep_house)
            await asyncio.sleep(STATE_SIZE)

    def _keep_house(self) -> None:
        try:
            units = self.scoring.units
            if units is None or not any(units.alerts.minutes.behind(self.scoring.ends)):  # older shares count, too
                self.log.compact(min_dirty=0.5)
            self.log.retain(wall_clock())
            self.scoring.demand_same_topics()
        except RecoverableError as error:
            logger.warning("housekeeping waits for better times: %s", error)
        self._free = {names.DISK_FREE.name: float(shutil.disk_usage(self.settings.data).free)}
        self._sizes = {number: float(p.store.size()) for number, p in list(self.scoring.partitions.items())}

    def health(self) -> Health:
        """How it stands. What is applied and not committed still lags: it would be read again after a crash."""
        age = (wall_clock() - self.scoring.flush.committed_at) / 1000
        return Health(age, self.scoring.uncommitted(), self.metrics.last_failure)

    def _show_alerts(self) -> None:
        scoring, alerts = self.scoring, self.metrics.alerts
        personal = [partition.alerting for partition in list(scoring.partitions.values())]
        sources: list[Alerting | UnitAlerts] = [*personal]
        if scoring.units is not None:
            sources.append(scoring.units.alerts)
        now = wall_clock()
        alerts.know({*self.metrics.figures.units, *scoring.told_units()}, scoring.rules)
        for source in sources:
            news, source.news = source.news, []
            alerts.take(news, now)
        alerts.reviewed(alerting.reviews.counts for alerting in personal)
        alerts.show((row for source in sources for row in source.open.values()), now)

    def _snapshot(self) -> Snapshot:
        partitions = list(self.scoring.partitions.values())  # a takeover changes them, in a thread
        outcomes: dict[str, int] = {}
        for partition in partitions:
            for outcome, number in partition.meta.outcomes.items():
                outcomes[outcome] = outcomes.get(outcome, 0) + number
        held = outcomes.get("held", 0)
        return Snapshot(
            outcomes,
            self.scoring.lag(),
            {
                names.COMMIT_TIME.name: self.scoring.flush.committed_at / 1000,
                names.HELD.name: held,
                names.LOOP_BLOCKED.name: self._delay.longest(),
                **self._free,
                names.TICK_TIME.name: max((p.meta.now for p in partitions), default=0) / 1000,
                names.EVENT_TIME.name: max((p.meta.last for p in partitions), default=0) / 1000,
                **({} if self.views is None else self.views.state.gauges()),
                **({} if self._sending is None else self._sending.gauges(wall_clock())),
            },
            {
                names.EMPLOYEES_CACHED.name: {p.number: len(p.persons) for p in partitions},
                names.OWED.name: {p.number: len(p.owed) for p in partitions},
                names.STATE_BYTES.name: self._sizes,
            },
        )


def _application(options: Mapping[str, Any], settings: Settings) -> faust.App:
    return faust.App(
        "scorestream",
        **options,
        datadir=str(settings.data / "faust"),
        web_enabled=False,
        web_tables_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_commit_interval=3600.0,  # commits are the beat's; Faust calls for one only at the end
        stream_buffer_maxsize=2,  # a message is a whole chunk
        store="memory://",
        autodiscover=False,
    )


def _source(app: faust.App) -> Any:
    return app.topic(*SOURCES, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
