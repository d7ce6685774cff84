"""What the store has to say first: how many people, what waits for somebody, what is planned."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from agents.records.appeal_tables import appeals
from agents.records.listing import counted
from agents.records.result_tables import results
from agents.records.results import closed_until
from agents.records.rows import Assignment
from agents.records.tables import assignments, outbox
from schemas.instants import DAY

LATELY: Final = 30 * DAY
MOST: Final = 10  # planned assignments that are told one by one


class Overview(NamedTuple):
    """As of an instant. `closed_until` (ms): None before anything was closed.

    `restated`: results that were restated in the last 30 days. `unsent`: changes that are due and not in the log yet,
    `planned`: those that are not due; `next`: the first assignments that are planned.
    """

    here: int
    left: int
    appeals: int
    overdue: int
    closed_until: int | None
    restated: int
    unsent: int
    planned: int
    next: tuple[Assignment, ...]


def overview(connection: Connection, now: int) -> Overview:
    """All of it, as of `now` (ms)."""

    def count(*where: object) -> int:
        return connection.execute(select(func.count()).where(*where)).scalar_one()  # type: ignore[arg-type]

    here, left = counted(connection, now)
    is_open, waits = appeals.c.state == "open", outbox.c.sent_at.is_(None)
    own = assignments
    planned = select(*(own.c[name] for name in Assignment._fields)).where(own.c.begins > now)
    soon = connection.execute(planned.order_by(own.c.begins, own.c.employee).limit(MOST))
    return Overview(
        here,
        left,
        count(is_open),
        count(is_open, appeals.c.due_at < now),
        closed_until(connection),
        count(results.c.number > 0, results.c.computed_at > now - LATELY),
        count(waits, outbox.c.due_at <= now),
        count(waits, outbox.c.due_at > now),
        tuple(Assignment._make(row) for row in soon),
    )
