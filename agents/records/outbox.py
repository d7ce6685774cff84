"""What waits in the outbox is appended to the log, and marked after that: at least once, and the log counts it once.

Who dies between the two has it appended again, with the same id, which the log counts as a duplicate. Rows go in the
order of their instants, those of one instant in the order in which they were written; what is of tomorrow is refused
by the log today, so it waits. Of several processes one sends at a time, by a lease; two at once would do no harm: each
sends what comes before a row before it, and what was said twice counts where it stood first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, insert, select, update

from agents import failpoints
from agents.records.database import Records
from agents.records.tables import leases, outbox
from agents.transport.log import Log, Outgoing, partition_for
from schemas.instants import HOUR
from stream.pipeline import Limits

BATCH: Final = 500
LEASE: Final = "outbox"
LEASE_MS: Final = 60_000


class _Said(msgspec.Struct):
    corrects: str | None = None


_decoder: Final = msgspec.json.Decoder(_Said)


class Backlog(NamedTuple):
    """How many records are due and not in the log, and since when the oldest of them is (ms; None without any)."""

    number: int = 0
    since: int | None = None


class Sender:
    """Sends for one process, `holder`. `limits`: what the log takes as late."""

    def __init__(self, records: Records, log: Log, partitions: int, limits: Limits, holder: str) -> None:
        self._records = records
        self._log = log
        self._partitions = partitions
        self._limits = limits
        self._holder = holder

    def send(self, clock: Callable[[], int]) -> int:
        """Sends all that is due, where nobody else does; how many records. Raises what store and log raise."""
        sent = 0
        while self.backlog(clock()).number:
            if not self.take_lease(clock()):
                break
            sent += self._batch(clock())
        return sent

    def backlog(self, now: int) -> Backlog:
        """What waits. A look that writes nothing: there is nothing to do nearly always."""
        since = case((outbox.c.due_at > outbox.c.made_at, outbox.c.due_at), else_=outbox.c.made_at)
        with self._records.reading() as connection:
            return Backlog(*connection.execute(select(func.count(), func.min(since)).where(*_due(now))).one())

    def _batch(self, now: int) -> int:
        with self._records.reading() as connection:
            rows = connection.execute(_waiting(now).limit(BATCH)).all()
        if rows:
            self._log.append([self._outgoing(row, now) for row in rows])
            failpoints.reach("after-outbox-append")
            self._mark([row.number for row in rows], now)
        return len(rows)

    def _outgoing(self, row: Any, now: int) -> Outgoing:
        partition = partition_for(row.key, self._partitions)
        return Outgoing(row.topic, partition, self._log_time(row.due_at, row.value, now), row.key, row.value)

    def _log_time(self, at: int, value: bytes, now: int) -> int:
        """Now; of what the log would take as late by now its own time, as of every history that is imported."""
        if not at:
            return now
        limits = self._limits
        limit = limits.late if _decoder.decode(value).corrects is None else limits.correction
        return now if now - at <= limit - HOUR else at

    def _mark(self, numbers: Sequence[int], now: int) -> None:
        def mark(connection: Connection) -> None:
            connection.execute(update(outbox).where(outbox.c.number.in_(numbers)).values(sent_at=now))

        self._records.write(mark)

    def take_lease(self, now: int) -> bool:
        """Whether this process sends from here on: nobody else does, or who did is silent."""

        def take(connection: Connection) -> bool:
            found = connection.execute(select(leases).where(leases.c.name == LEASE)).first()
            if found is not None and found.holder != self._holder and found.ends > now:
                return False
            connection.execute(delete(leases).where(leases.c.name == LEASE))
            lease = {"name": LEASE, "holder": self._holder, "ends": now + LEASE_MS}
            connection.execute(insert(leases), [lease])
            return True

        return self._records.write(take)

    def release(self) -> None:
        """Others need not wait until the lease is over."""

        def give(connection: Connection) -> None:
            connection.execute(delete(leases).where(leases.c.name == LEASE, leases.c.holder == self._holder))

        self._records.write(give)


def _waiting(now: int) -> Select[Any]:
    return select(outbox).where(*_due(now)).order_by(outbox.c.due_at, outbox.c.number)


def _due(now: int) -> tuple[ColumnElement[bool], ...]:
    return outbox.c.sent_at.is_(None), outbox.c.due_at <= now


def waiting(connection: Connection) -> int:
    """How many records have not been sent, those that are not due yet included."""
    return connection.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one()
