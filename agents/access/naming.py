"""Whether boards show people by name is a unit's option, effective at once, and the audit log says who changed it.

Below a unit it holds for whatever says nothing else, and where nobody says anything there are no names. It is a row of
the organisation (agents/records): so it is imported and exported with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection

from agents.access.audit import Entry, append, in_turn
from agents.records.database import Records
from agents.records.edits import Edit
from agents.records.organisation import changed, take_turns
from agents.records.rows import INHERIT, Change, Unit

ACTION: Final = "names-set"


def change(records: Records, edit: Edit, *, actor: str, by: str, now: int) -> list[Change]:
    """A change of the organisation (ms since 1970 UTC), with entries where it decides who is named.

    `actor` is who the audit log says it was, `by` the same for the table of changes. Raises OrganisationError.
    """

    def work(connection: Connection) -> list[Change]:
        in_turn(connection)
        take_turns(connection)
        found = changed(connection, edit, by=by, now=now)
        append(connection, entries(found, actor, now))
        return found

    return records.write(work)


def entries(changes: Sequence[Change], actor: str, now: int) -> Iterator[Entry]:
    """What the audit log says where changes decide who is named."""
    for one in changes:
        if one.table == "units":
            was, became = _said(one.was), _said(one.became)
            if was != became:
                detail = {"was": was, "names": became}
                yield Entry(now, actor, ACTION, f"unit:{one.key[0]}", "done", "edit-organisation", "none", detail)


def _said(row: object) -> str:
    """Of a unit that is not there: what holds for one that says nothing."""
    return (isinstance(row, Unit) and row.names) or INHERIT
