"""Why a unit's closed result was restated, as far as the store knows: who was restated with it, and what was edited.

Between two runs of closing the organisation may have been edited; people's own results that were restated in the same
run bring others to their units. What events came late stands in the log, which is asked person by person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, exists, select

from agents.records.result_pages import ResultKey
from agents.records.result_tables import result_parts, results
from agents.records.tables import assignments, changes

MOST: Final = 200  # that are told
_row: Final = msgspec.json.Decoder(dict[str, Any])


class Edited(NamedTuple):
    """A row of the organisation that was added, changed or removed: when (ms), by whom, from what to what."""

    made_at: int
    made_by: str
    table: str
    subject: str
    was: Mapping[str, Any] | None
    became: Mapping[str, Any] | None

    @property
    def units(self) -> set[str]:
        """The units that it speaks of."""
        rows = [row for row in (self.was, self.became) if row is not None]
        return {str(row[name]) for row in rows for name in ("unit", "parent") if row.get(name) is not None}


def edits_between(connection: Connection, since: int, until: int, tables: Collection[str]) -> list[Edited]:
    """Edits of these tables made in (since, until], oldest first."""
    c = changes.c
    wanted = select(c.made_at, c.made_by, c.table, c.subject, c.was, c.became)
    wanted = wanted.where(c.made_at > since, c.made_at <= until, c.table.in_(tables)).order_by(c.number)
    return [Edited(*row[:4], *map(decoded, row[4:])) for row in connection.execute(wanted)]


def edits_of(connection: Connection, employee: str) -> list[Edited]:
    """Every edit of somebody's assignments, oldest first."""
    c = changes.c
    wanted = select(c.made_at, c.made_by, c.table, c.subject, c.was, c.became)
    wanted = wanted.where(c.subject == employee, c.table == "assignments").order_by(c.number)
    return [Edited(*row[:4], *map(decoded, row[4:])) for row in connection.execute(wanted)]


def restated_with(connection: Connection, key: ResultKey, units: Collection[str], computed_at: int) -> list[str]:
    """People of these units whose own result in the window was restated in the same run.

    They brought something to them in it, or worked there by then: who was taken away later brings nothing any more.
    """
    r, p, a = results.c, result_parts.c, assignments.c
    window = ("template", "window_kind", "window_start", "window_end")
    brought = exists().where(p.employee == r.subject, p.unit.in_(units), *(p[name] == r[name] for name in window))
    worked = exists().where(a.employee == r.subject, a.unit.in_(units), a.begins < key.window_end)
    wanted = select(r.subject).distinct().where(
        r.subject_kind == "employee", r.number > 0, r.computed_at == computed_at, brought | worked,
        *(r[name] == getattr(key, name) for name in window),
    )  # fmt: skip
    return list(connection.execute(wanted.order_by(r.subject).limit(MOST)).scalars())


def decoded(text: str | None) -> dict[str, Any] | None:
    """A row as `changes` has it."""
    return None if text is None else _row.decode(text)
