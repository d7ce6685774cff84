"""A worker without its shell: partitions, commits and restarts driven by hand, so that a test chooses every order."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from agents.flush import Flush
from agents.oracle.log import LogRecord
from agents.oracle.recompute import Recomputed, recompute
from agents.partition import Partition
from agents.recovery import restore
from agents.restating import adopt
from agents.rules import changed_since, rulebook
from agents.slices import at_once
from agents.ticker import Ticker
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from agents.transport.errors import LogFull
from schemas.event import INPUT_TOPICS, Row
from schemas.rows import ScoreRow, row_fields
from schemas.updates import ScoreUpdate
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.topics import COMMANDS, SCORE_UPDATES, TEMPLATES, TICKS, TOPICS
from tests.oracle.logs import Log

LIMITS: Final = Limits(tail=5)


def new_log(folder: Path, partitions: int) -> EmbeddedLog:
    """A log with all topics."""
    log = EmbeddedLog.open(folder)
    for topic in TOPICS:
        log.create_topic(topic.name, partitions, compacted=topic.compacted, ledger=topic.ledger)
    return log


class Few(Partition):
    """A partition that counts people together (stream/together.py) however few they are, as tests have few."""

    fewest = 1


class Rig:
    """Partitions over a log in `folder`. `wall` is the time of day (ms) for ticks and commits.

    `together`: people are counted together, where they can be.
    """

    def __init__(
        self, folder: Path, partitions: int, wall: int = 0, limits: Limits = LIMITS, *, together: bool = True
    ) -> None:
        self._kind = Few if together else Partition
        self.folder = folder
        self.limits = limits
        self.wall = wall
        if not (folder / "log").exists():
            new_log(folder / "log", partitions).close()
        self.log = EmbeddedLog.open(folder / "log", create=False)
        self._begin()

    @property
    def numbers(self) -> range:
        """Of the partitions."""
        return range(self.log.topics()[TICKS].partitions)

    def _begin(self) -> None:
        self.rules: Rulebook = rulebook(self.log)
        count = len(self.numbers)
        self.partitions = [
            self._kind(n, count, restore(self.log, self._state(n), n), self.log, self.rules, self.limits)
            for n in self.numbers
        ]
        self.flush = Flush(self.log, lambda: self.wall)
        self.ticker = Ticker(self.log, {partition.number: partition for partition in self.partitions})
        self.places = {(topic, n): self._applied(topic, n) for topic in (*INPUT_TOPICS, TICKS) for n in self.numbers}
        self._commit: asyncio.Task[int] | None = None
        for partition in self.partitions:
            partition.wake(None, 1_000)

    def _state(self, number: int) -> Path:
        return self.folder / "state" / str(number)

    def _applied(self, topic: str, number: int) -> int:
        return self.partitions[number].meta.applied.get(topic, 0)

    # What happens

    def append(self, records: Sequence[Outgoing]) -> None:
        """Senders and publishers write to the log."""
        self.log.append(records)

    def write(self, log: Log) -> None:
        """What was sent in a log made by hand and is not in this one yet."""
        self.append([Outgoing(r.topic, r.partition, r.timestamp, r.key, r.value) for r in log.records])
        log.records.clear()

    def feed(self, topic: str, most: int = 10_000) -> None:
        """The next records of a topic, in every partition."""
        for number in self.numbers:
            rows = cast("list[Row]", self.log.read(topic, number, self.places[topic, number], most))
            if rows:
                self.places[topic, number] = rows[-1][0] + 1
                partition = self.partitions[number]
                partition.tick(rows) if topic == TICKS else partition.apply(topic, partition.decoded(topic, rows))

    def repeat(self, topic: str, back: int) -> None:
        """Records come again, as after a rebalance."""
        for number in self.numbers:
            self.places[topic, number] = max(0, self.places[topic, number] - back)

    def refresh(self) -> None:
        """What was published reaches the partitions, once no tick is under way that does not know it."""
        if self.ticker.under_way():
            return
        rules = rulebook(self.log)
        since = changed_since(self.rules, rules)
        if since is not None:
            self.rules = rules
            for partition in self.partitions:
                at_once(adopt(partition, rules, since))

    def tick(self) -> None:
        """Time passes for the partitions that have read everything. Ticks come back as records, some at once too."""
        urgent = self.ticker.urgent(self.wall)
        if urgent and self.ticker.under_way():
            self.feed(TICKS)
        ends = self.log.ends([(topic, n) for topic in (*INPUT_TOPICS, COMMANDS) for n in self.numbers])
        ticks = self.ticker.due(self.wall, ends, self.wall)
        for number, row in self.ticker.write(ticks):
            if urgent:
                self.partitions[number].tick([row])

    def show(self) -> None:
        """Updates are made ahead of the commit, in the time of a second."""
        self.flush._made_at -= 1.0
        self.flush.make_updates(self.partitions)

    async def commit(self, *, updates: bool = True) -> None:
        """A commit, whole; or one with no time for any score update: whoever is owed one stays so."""
        await self.settle()
        if not updates:
            self.flush._made_at = math.inf
        await self.flush(self.partitions, backlog=not updates)

    async def begin_commit(self) -> None:
        """A commit whose writing goes on while other things happen."""
        await self.settle()
        alone = asyncio.Lock()
        self._commit = asyncio.ensure_future(self.flush(self.partitions, alone=alone))
        await asyncio.sleep(0)
        async with alone:
            """Its snapshot is taken."""

    async def settle(self) -> None:
        """Waits for a commit under way."""
        if self._commit is not None:
            await self._commit
            self._commit = None

    async def fail_commit(self) -> None:
        """A commit without room on the disk: nothing of it is written."""
        await self.settle()
        transact = self.log.transact
        self.log.transact = _full  # type: ignore[method-assign, assignment]
        try:
            await self.flush(self.partitions)
        except LogFull:
            pass
        finally:
            self.log.transact = transact  # type: ignore[method-assign]

    async def crash(self, *, unwritten_store: bool = False) -> None:
        """The process ends; what was not committed is gone. Optionally between a transaction and the stores."""
        await self.settle()
        if unwritten_store:
            for partition in self.partitions:
                partition.store.write = _lost  # type: ignore[method-assign, assignment]
            await self.flush(self.partitions)
        self.close_stores()

    def close_stores(self) -> None:
        for partition in self.partitions:
            partition.store.close()

    def restart(self, kind: str = "same") -> None:
        """Begins anew on the same state, on none ("deleted"), or on an earlier copy of it ("older")."""
        state, copy = self.folder / "state", self.folder / "copy"
        if kind == "deleted" or (kind == "older" and copy.exists()):
            shutil.rmtree(state)
        if kind == "older" and copy.exists():
            shutil.copytree(copy, state)
        elif kind == "copied":
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(state, copy)
        self._begin()

    def evict(self) -> None:
        """Nobody stays in memory who does not have to."""
        for partition in self.partitions:
            at_once(partition.evicting(0))

    async def drain(self) -> None:
        """Everything is read and committed."""
        for topic in (*INPUT_TOPICS, TICKS):
            self.feed(topic)
        self.refresh()
        self.tick()
        self.feed(TICKS)
        await self.commit()

    def close(self) -> None:
        self.close_stores()
        self.log.close()

    # What there is

    def records(self) -> Iterator[LogRecord]:
        """The log as the oracle reads it."""
        for topic in (TEMPLATES, *INPUT_TOPICS, TICKS, COMMANDS):
            for number in self.numbers:
                for offset, timestamp, key, value, _ in self.log.read(topic, number, 0, 100_000):
                    yield LogRecord(topic, number, offset, timestamp, key, value)

    def recompute(self, known_at: int | None = None) -> Recomputed:
        """What the oracle makes of the log."""
        limits = self.limits
        return recompute(
            self.records(), partitions=len(self.numbers), known_at=known_at, late_ms=limits.late,
            horizon_ms=limits.horizon, correction_ms=limits.correction, held_ms=limits.held,
        )  # fmt: skip

    def all_updates(self) -> Iterator[ScoreUpdate]:
        """Every score update, per partition in the order of the log."""
        for number in self.numbers:
            for _, _, _, value, _ in self.log.read(SCORE_UPDATES, number, 0, 100_000):
                yield msgspec.json.decode(value or b"", type=ScoreUpdate)

    def updates(self) -> dict[str, ScoreUpdate]:
        """Everybody's latest score update."""
        return {update.employee_id: update for update in self.all_updates()}

    def outcomes(self) -> dict[str, int]:
        """How records ended, over all partitions, by the durable counters."""
        found: dict[str, int] = {}
        for partition in self.partitions:
            for outcome, number in partition.meta.outcomes.items():
                found[outcome] = found.get(outcome, 0) + number
        return {outcome: number for outcome, number in sorted(found.items()) if number}


def plain(rows: Iterable[ScoreRow]) -> list[dict[str, Any]]:
    """Rows as the comparison takes them."""
    return [row_fields(row) for row in rows]


def _full(*_: object) -> list[int]:
    raise LogFull("no room left on the disk")


def _lost(*_: object) -> None:
    """A store that a crash did not let write."""
