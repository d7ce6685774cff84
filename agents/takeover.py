"""A partition is taken over in one order: nobody else writes it any more, its state is whole, what waits is applied.

Only then does it count as this worker's. Whatever ends a takeover midway leaves local state that the next one goes on
with.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock
from typing import Final, cast

from agents.metrics import Metrics
from agents.partition import Partition
from agents.recovery import Progress, restore
from agents.rules import rulebook
from agents.store import Store
from agents.transport.errors import LogReplaced, RecoverableError
from agents.transport.log import Log
from schemas.event import INPUT_TOPICS, Row
from stream.meta import Meta
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.topics import CHANGELOG, COMMANDS, PEOPLE_EVENTS, TEMPLATES, TICKS

_AT_ONCE: Final = 4
_CHUNK: Final = 10_000
_COUNTED: Final = (*INPUT_TOPICS, COMMANDS, TICKS)  # topics whose offsets the state holds


class Interrupted(Exception):
    """The partitions are wanted elsewhere: the takeover is of no more use."""


class Takeover:
    """Takes over partitions of one log, with local state in `folder`."""

    def __init__(
        self, log: Log, folder: Path, count: int, limits: Limits, metrics: Metrics, progress: Progress | None
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._folder = folder
        self._count = count
        self._limits = limits
        self._progress = progress
        self._restored: dict[int, int] = {}
        self._lock = Lock()
        self.ids = log.topic_ids((*_COUNTED, CHANGELOG))

    def take(
        self, numbers: Sequence[int], rules: Rulebook, into: MutableMapping[int, Partition], interrupted: Event
    ) -> None:
        """Some at a time; each is `into` the mapping once it is whole. Interrupted, or what went wrong with one."""
        if not numbers:
            return
        self._restored.clear()
        if self._progress is not None:
            self._progress(0, 0)
        with ThreadPoolExecutor(min(_AT_ONCE, len(numbers)), thread_name_prefix="takeover") as threads:
            under_way = {n: threads.submit(self._one, n, rules, interrupted) for n in numbers}
        errors: list[BaseException] = []
        for number, future in under_way.items():
            if (error := future.exception()) is None:
                into[number] = future.result()
            else:
                errors.append(error)
        if errors:
            raise min(errors, key=lambda error: isinstance(error, Interrupted))

    def _one(self, number: int, rules: Rulebook, interrupted: Event) -> Partition:
        _heed(interrupted)
        self._log.own(number)

        def restored(done: int, _: int) -> None:
            self._tell(number, done)
            _heed(interrupted)

        store = restore(self._log, self._folder / "state" / str(number), number, restored)
        try:
            return self._whole(number, store, self._as_of_now(rules))
        except BaseException:
            with contextlib.suppress(RecoverableError):
                store.close()
            raise

    def _as_of_now(self, rules: Rulebook) -> Rulebook:
        """The rules that the owner before may have known: read before it could write no more, they may lack some."""
        places = [(TEMPLATES, number) for number in range(len(rules.ends))]
        ends = self._log.ends(places)
        return rules if [ends[place] for place in places] == rules.ends else rulebook(self._log)

    def _whole(self, number: int, store: Store, rules: Rulebook) -> Partition:
        partition = Partition(number, self._count, store, self._log, rules, self._limits, self._demand_same_log)
        # Assignments that wait are applied before the events that they place: nothing needs restating.
        # Up to what is there now: more comes all the time.
        end = self._log.end(PEOPLE_EVENTS, number)
        while (start := partition.meta.applied.get(PEOPLE_EVENTS, 0)) < end:
            if not (rows := self._log.read(PEOPLE_EVENTS, number, start, _CHUNK)):
                break
            began = time.perf_counter()
            partition.read_on(PEOPLE_EVENTS, cast("list[Row]", rows))
            self._metrics.chunk(PEOPLE_EVENTS, len(rows), time.perf_counter() - began)
        return partition

    def _demand_same_log(self, number: int, meta: Meta) -> None:
        """Offsets are of one topic only. One that was made anew, or has lost records, must not be taken for the old."""
        for topic, known in meta.topics.items():
            if self.ids.get(topic, known) != known:
                raise LogReplaced(
                    f"topic {topic} was made anew: the state of partition {number} is of the one before, whose records "
                    "are not there any more. Give the log its data back, or begin anew with all topics removed"
                )
        ends = self._log.ends([(topic, number) for topic in _COUNTED])
        for topic in _COUNTED:
            if meta.applied.get(topic, 0) > ends[topic, number]:
                raise LogReplaced(
                    f"{topic}/{number} ends at {ends[topic, number]}, and {meta.applied[topic]} records of it are "
                    "scored: the log has lost what it had. Give it its data back, or begin anew with all topics removed"
                )
        meta.topics = {topic: self.ids[topic] for topic in _COUNTED if topic in self.ids}

    def demand_same_topics(self) -> None:
        """LogReplaced when a topic is gone, or another one under its name, since this was made."""
        found = self._log.topic_ids(self.ids)
        for topic, known in self.ids.items():
            if found.get(topic) != known:
                raise LogReplaced(f"topic {topic} was removed under this worker: give the log its data back")

    def _tell(self, number: int, done: int) -> None:
        if self._progress is not None:
            with self._lock:
                self._restored[number] = done
                self._progress(sum(self._restored.values()), 0)

    def local(self) -> set[int]:
        """The partitions whose state lies here."""
        folder = self._folder / "state"
        return {int(path.name) for path in folder.iterdir() if path.name.isdigit()} if folder.is_dir() else set()


def _heed(interrupted: Event) -> None:
    if interrupted.is_set():
        raise Interrupted
