"""An edit of the organisation in somebody's name: refused when others have changed the same since they looked, and
written in one transaction with its entry in the audit log, which has every row before and after.

An edit is tried first, which changes nothing and says what would become of what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, func, or_, select

from agents.access import naming
from agents.access.audit import Entry, append, in_turn
from agents.records.charts import TABLES
from agents.records.edits import Edit
from agents.records.organisation import changed, edited, read, take_turns
from agents.records.restated import Reached, reached
from agents.records.rows import Change
from agents.records.tables import changes

RIGHT: Final = "edit-organisation"
IMPORT: Final = "import"
ALL: Final = "organisation"  # the subject of what is about more than one
INLINE: Final = 1_000  # rows that an entry has itself; of more it has a digest, and where they are in `changes`


class Subject(NamedTuple):
    """What an edit is about."""

    kind: Literal["unit", "employee"]
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class Seen(NamedTuple):
    """What somebody had before their eyes: the organisation as of its newest change then, and whom they edit.

    Without subjects they looked at all of it.
    """

    number: int
    subjects: tuple[Subject, ...] = ()


class Meanwhile(NamedTuple):
    """A change that somebody else made: when (ms), who, of what; rows as JSON, None where there was or is none."""

    made_at: int
    made_by: str
    table: str
    subject: str
    was: str | None
    became: str | None


class ChangedMeanwhile(Exception):
    """Others have changed what somebody edits since they looked; nothing was changed now."""

    def __init__(self, found: Sequence[Meanwhile]) -> None:
        super().__init__(f"{found[0].made_by} changed {found[0].subject} meanwhile")
        self.found = tuple(found)


class Tried(NamedTuple):
    """What an edit would change, and which closed results it would reach; as of which change of the organisation."""

    number: int
    changes: tuple[Change, ...]
    reached: tuple[Reached, ...]


def newest(connection: Connection) -> int:
    """The number of the newest change of the organisation; 0 before the first."""
    return connection.execute(select(func.max(changes.c.number))).scalar() or 0


def trying(edit: Edit, seen: Seen) -> Callable[[Connection], Tried]:
    """What the edit would do, for `Records.reading`. Raises OrganisationError and ChangedMeanwhile."""

    def work(connection: Connection) -> Tried:
        demand_unchanged(connection, seen)
        now = read(connection)
        new, found = edited(now, edit)
        return Tried(newest(connection), tuple(found), reached(connection, now, new, found))

    return work


def doing(
    edit: Edit, seen: Seen, action: str, actor: str, now: int, detail: Mapping[str, object] = {}
) -> Callable[[Connection], list[Change]]:
    """The edit and its entry, for `Records.write`. Raises OrganisationError and ChangedMeanwhile.

    `action` says what was done, `actor` is whose name it is done in, `detail` what the entry says besides.
    """

    def work(connection: Connection) -> list[Change]:
        in_turn(connection)
        take_turns(connection)
        demand_unchanged(connection, seen)
        about = str(seen.subjects[0]) if seen.subjects else ALL
        return _made(connection, edit, actor, Entry(now, actor, action, about, "done", RIGHT, "none", detail))

    return work


def importing(
    edit: Edit, actor: str, by: str, now: int, detail: Mapping[str, object] = {}
) -> Callable[[Connection], list[Change]]:
    """An edit that states what is so, whatever others did meanwhile, and its entry, for `Records.write`.

    `by` is whom the table of changes names. Raises OrganisationError.
    """

    def work(connection: Connection) -> list[Change]:
        in_turn(connection)
        take_turns(connection)
        return _made(connection, edit, by, Entry(now, actor, IMPORT, ALL, "done", RIGHT, "none", detail))

    return work


def _made(connection: Connection, edit: Edit, by: str, entry: Entry) -> list[Change]:
    """The edit, and an entry that says all rows besides what it says already; none when nothing is another."""
    before = newest(connection)
    found = changed(connection, edit, by=by, now=entry.at)
    if found:
        own = entry._replace(detail={**entry.detail, **_told(found, before + 1, newest(connection))})
        append(connection, [own, *naming.entries(found, entry.actor, entry.at)])
    return found


def demand_unchanged(connection: Connection, seen: Seen) -> None:
    """Goes on when nobody has changed any of it since."""
    since = changes.c.number > seen.number
    own = [changes.c.table.in_(TABLES[one.kind]) & (changes.c.subject == one.id) for one in seen.subjects]
    query = select(*(changes.c[name] for name in Meanwhile._fields)).where(since, *([or_(*own)] if own else []))
    found = [Meanwhile._make(row) for row in connection.execute(query.order_by(changes.c.number))]
    if found:
        raise ChangedMeanwhile(found)


def _told(found: Sequence[Change], first: int, last: int) -> dict[str, object]:
    """All rows before and after; of very many where they are and what they hash to."""
    rows: list[dict[str, Any]] = [
        {"table": one.table, "was": _row(one.was), "became": _row(one.became)} for one in found
    ]
    told: dict[str, object] = {"count": len(rows), "numbers": [first, last]}
    if len(rows) <= INLINE:
        return {**told, "changes": rows}
    return {**told, "sha256": hashlib.sha256(msgspec.json.encode(rows)).hexdigest()}


def _row(row: Any) -> dict[str, Any] | None:
    return None if row is None else row._asdict()
