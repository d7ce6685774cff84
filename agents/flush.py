"""Nothing is committed that is not durable: changelog, outputs and offsets in one transaction, then the store.

A snapshot has values, outputs and offsets of one instant: nobody changes partitions while it is taken, slice by slice.
While it is written, chunks go on.
A failure leaves everything as it was, to be tried again or, after a restart, to be read again from the log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from agents import restating
from agents.failpoints import reach
from agents.outbox import score_update as outgoing_update
from agents.owed import Made
from agents.partition import Partition
from agents.slices import Slices, cancelled_before, cancelled_within, whole
from agents.store import Position
from agents.transport.log import Log, LogBusy, LogFull, Outgoing, Part
from agents.unit_pool import UNITS_HOME
from stream.held import expiry
from stream.keys import (
    ALERTED,
    HOLDING,
    IDENTITIES,
    REVIEWED,
    STIRRED,
    TOLD,
    alerted_key,
    employee_key,
    holding_key,
    instant_value,
)
from stream.meta import KEY, encode_meta
from stream.score import next_change
from stream.state import encode_state, has_alert, has_rows
from stream.topics import CHANGELOG, SCORE_UPDATES
from stream.update import score_update

ALONE: Final = nullcontext()
_MARKS: Final = (IDENTITIES, HOLDING, ALERTED, REVIEWED, STIRRED, TOLD)
SLICE: Final = 32  # states
SEEN: Final = 4_096  # keys that are written
UPDATE_BUDGET: Final = 0.05  # s at once for making updates, so that the loop goes on; the rest stays owed
UPDATE_SHARE: Final = 0.5  # of the time for making updates between commits, while the worker keeps up
BACKLOG_SHARE: Final = 0.016  # of the time while there is a backlog


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One partition at one instant, as it will be on disk."""

    partition: Partition
    changes: list[tuple[bytes, bytes | None]]
    outputs: list[Outgoing]
    offsets: dict[tuple[str, int], int]
    dirty: list[str]
    emitted: list[str]


class Flush:
    """Commits partitions. One commit runs at a time; a caller during a commit gets the next one."""

    def __init__(self, log: Log, clock: Callable[[], int]) -> None:
        self.log = log
        self.clock = clock
        self.extra: list[Outgoing] = []  # outputs of agents that have no state of their own
        self.committed_at = clock()
        self.transactions = 0
        self._lock = asyncio.Lock()
        self._broken: BaseException | None = None  # what ended the last try: nobody knows what of it is there
        self._made_at = time.perf_counter()
        self._served = -1  # the partition whose updates were made last
        log.before_commit(partial(reach, "inside-transaction"))

    async def __call__(
        self,
        partitions: Iterable[Partition],
        *,
        backlog: bool = False,
        alone: AbstractAsyncContextManager[object] = ALONE,
    ) -> int:
        """Commits what changed; the number of states written. `alone`: in it nobody else changes partitions.

        A try that failed otherwise than for want of room may be there, or the half of it: whoever is next is told the
        same. Only the next life, which reads what is there, may write again.
        """
        async with self._lock:
            self._demand_whole()
            async with alone:
                self._demand_whole()  # who was alone before may have failed midway
                now, partitions = self.clock(), list(partitions)
                for partition in partitions:  # before anything is taken out of any of them: this may fail
                    await whole(restating.settle(partition))
                if backlog:
                    self.make_updates(partitions, BACKLOG_SHARE)
                else:
                    self._make_updates(partitions, UPDATE_BUDGET)
                await asyncio.sleep(0)
                snapshots: list[Snapshot] = []
                cancelled = await cancelled_within(whole(self._snapshots(partitions, now, snapshots)))
                extra, self.extra = self.extra, []
            transactions = self.transactions
            if snapshots or extra:
                writing = asyncio.get_running_loop().run_in_executor(None, self._write, snapshots, extra, now)
                cancelled |= await cancelled_before(writing)
                if (error := writing.exception()) is not None:
                    sent = self.transactions > transactions
                    if not sent and not isinstance(error, LogFull | LogBusy):
                        self._broken = error
                    self._put_back(snapshots, extra, sent=sent)
                    raise error
                cancelled |= await cancelled_within(whole(self._written(snapshots)))
            if cancelled:
                raise asyncio.CancelledError
            self.committed_at = self.clock()
            return sum(len(snapshot.dirty) for snapshot in snapshots)

    def _demand_whole(self) -> None:
        if self._broken is not None:
            raise self._broken

    def give_up(self, error: BaseException) -> None:
        """Something was begun and not ended: whoever is next is told so, and nothing is written any more."""
        self._broken = self._broken or error

    def make_updates(self, partitions: Collection[Partition], share: float = UPDATE_SHARE) -> None:
        """Score updates of who is owed one, in a share of the time since the last were made; the rest waits.

        They leave with the next commit. Whoever changes before it is owed another one, which takes the place of this.
        """
        self._make_updates(partitions, min(UPDATE_BUDGET, (time.perf_counter() - self._made_at) * share))

    def _make_updates(self, partitions: Collection[Partition], budget: float) -> None:
        """In about `budget` seconds, of which every partition gets a part."""
        self._made_at = began = time.perf_counter()
        waiting = [partition for partition in partitions if partition.owed]
        waiting.sort(key=lambda partition: (partition.number <= self._served, partition.number))
        for count, partition in enumerate(waiting):
            left = budget - (time.perf_counter() - began)
            if left <= 0:
                break
            self._make(partition, left / (len(waiting) - count))
            self._served = partition.number  # who got nothing is first the next time

    def _make(self, partition: Partition, budget: float) -> None:
        """Of one partition; at least one."""
        now, until = self.clock(), time.perf_counter() + budget
        for order in partition.owed.turn():
            made: dict[str, Made] = {}
            for employee_id in order:
                if employee_id in partition.unsettled:  # of a past that is about to be counted anew
                    continue
                person = partition.person(employee_id)
                as_of = max(partition.meta.now, person.state.newest)
                shown = as_of >= 0 and (has_rows(person.state) or person.state.expired)
                update = None
                if shown:
                    score = score_update(person, as_of)
                    partition.units.add(score.unit)
                    update = outgoing_update(partition.number, now, score)
                due = next_change(person, as_of, partition.meta.now)
                partition.due.schedule(employee_id, due)
                made[employee_id] = Made(update, encode_state(person.state, due))
                if time.perf_counter() >= until:
                    break
            partition.owed.give(made)
            if time.perf_counter() >= until:
                return

    def _snapshots(self, partitions: Iterable[Partition], now: int, made: list[Snapshot]) -> Slices:
        """Of those that have something to commit."""
        for partition in partitions:
            snapshot = yield from self._snapshot(partition, now)
            if snapshot is not None:
                made.append(snapshot)

    def _snapshot(self, partition: Partition, now: int) -> Generator[Any, Any, Snapshot | None]:
        committed = {(topic, partition.number): offset for topic, offset in partition.meta.applied.items()}
        made = partition.owed.take()
        partition.dirty.update(dict.fromkeys(made))  # their due changes
        if not (partition.dirty or partition.outputs or partition.changes) and committed == partition.saved:
            return None
        dirty = list(partition.dirty)
        changes = [*partition.changes, *partition.alerting.reviews.take_out()]
        yield from partition.shares.marking(changes)
        for begin in range(0, len(dirty), SLICE):
            changes.extend(self._values(partition, dirty[begin : begin + SLICE], made))
            yield
        partition.meta.committed_at = now
        if not partition.owed:
            partition.meta.shown = partition.meta.rules
        changes.append((KEY, encode_meta(partition.meta)))
        outputs = [*partition.outputs, *(each.update for each in made.values() if each.update is not None)]
        partition.flushing, partition.sending = dict(changes), outputs
        partition.dirty, partition.changes, partition.outputs = {}, [], []
        return Snapshot(partition, changes, outputs, committed, dirty, list(made))

    def _values(
        self, partition: Partition, dirty: Iterable[str], made: Mapping[str, Made]
    ) -> Iterable[tuple[bytes, bytes | None]]:
        for employee_id in dirty:
            person = partition.person(employee_id)
            if employee_id in partition.owed:  # it has changed since
                value = encode_state(person.state, 0)
            elif employee_id in made:
                value = made[employee_id].state
            else:
                now = partition.meta.now
                due = next_change(person, max(now, person.state.newest), now)
                partition.due.schedule(employee_id, due)
                value = encode_state(person.state, due)
            yield employee_key(employee_id), value
            if has_alert(person.state) != (employee_id in partition.alerted):
                partition.alerted ^= {employee_id}
                yield alerted_key(employee_id), b"" if employee_id in partition.alerted else None
            late_at = expiry(person, partition.limits.held)
            if late_at is not None:
                partition.holding[employee_id] = late_at
                yield holding_key(employee_id), instant_value(late_at)
            elif partition.holding.pop(employee_id, None) is not None:
                yield holding_key(employee_id), None

    def _write(self, snapshots: list[Snapshot], extra: list[Outgoing], now: int) -> None:
        """In a thread: the transaction, then the stores. Fail points stand where a crash would hurt most."""
        reach("before-transaction")
        given = self.log.transact(_parts(snapshots, extra, now))
        self.transactions += 1
        reach("after-transaction")
        for snapshot, offsets in zip(snapshots, given, strict=False):
            reach("before-store")
            behind = offsets[len(snapshot.changes) - 1] + 1
            snapshot.partition.store.write(snapshot.changes, Position(self.log.log_id, behind))
        reach("after-store")

    def _put_back(self, snapshots: list[Snapshot], extra: list[Outgoing], *, sent: bool) -> None:
        """After a failure all is due again; outputs are not when the transaction that failed later has `sent` them."""
        if not sent:
            self.extra = [*extra, *self.extra]
        for snapshot in snapshots:
            partition = snapshot.partition
            partition.dirty.update(dict.fromkeys(snapshot.dirty))
            partition.owed.soon.update(dict.fromkeys(snapshot.emitted))
            changes = [change for change in snapshot.changes if change[0][:1] in _MARKS]
            partition.changes = [*changes, *partition.changes]
            if not sent:
                partition.outputs = [*(o for o in snapshot.outputs if o.topic != SCORE_UPDATES), *partition.outputs]
            partition.flushing, partition.sending = {}, []

    def _written(self, snapshots: list[Snapshot]) -> Slices:
        for snapshot in snapshots:
            snapshot.partition.flushing, snapshot.partition.sending = {}, []
            snapshot.partition.saved = snapshot.offsets
        for snapshot in snapshots:
            for begin in range(0, len(snapshot.changes), SEEN):
                part = snapshot.changes[begin : begin + SEEN]
                snapshot.partition.identities.written(key for key, _ in part if key[:1] == IDENTITIES)
                yield


def _parts(snapshots: Iterable[Snapshot], extra: Sequence[Outgoing], now: int) -> list[Part]:
    """What each partition's owner commits: changelog first, its last record the meta, then outputs; and offsets."""
    parts = []
    for snapshot in snapshots:
        number = snapshot.partition.number
        changelog = [Outgoing(CHANGELOG, number, now, key, value) for key, value in snapshot.changes]
        also = extra if number == UNITS_HOME else ()
        parts.append(Part(number, [*changelog, *snapshot.outputs, *also], snapshot.offsets))
    if extra and all(part.partition != UNITS_HOME for part in parts):
        parts.append(Part(UNITS_HOME, extra, {}))
    return parts
