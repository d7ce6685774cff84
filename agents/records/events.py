"""A change of an assignment is a `people.assignment` in the log: its id is made once, and what it says is what holds.
A change of units is the whole tree of units in the log: the last one holds.

Of equal instants the later in the log counts, so whatever was done - added, corrected, removed - the event says what
holds from its instant on now. The log would refuse some of it as late, so what is said after the fact

- is a correction (`corrects` names the instant): those count for 400 days, and the log's time stays the true one;
- has a source of its own, named after the instant: no source has a newer event then, which it could be too far behind.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from agents.records.rows import FOREVER, Assignment, Change, Organisation, Span, assignment_at, by_first, until
from schemas.instants import format_rfc3339
from stream.topics import ORGANISATION, PEOPLE_EVENTS, TEMPLATES
from stream.unit_tree import Place, UnitTree, write_tree
from stream.unit_tree import Unit as TreeUnit

SOURCE: Final = "records"
AT_ONCE: Final = 0  # due; before everything else that waits
_encoder: Final = msgspec.json.Encoder()


def messages(
    new: Organisation, changes: Sequence[Change], now: int, removed: Iterable[tuple[str, int]] = ()
) -> list[dict[str, Any]]:
    """Rows of the outbox for what became of assignments, in the order of their instants.

    `removed`: employee and instant of each assignment that is gone. What was said there in its place holds in the log
    until the next one, whatever becomes of the assignment before: it is said anew with that.
    """
    touched = {change.key for change in changes if change.table == "assignments"}
    if not touched:
        return []
    histories = by_first(new.assignments)
    touched |= set(_reached(histories, touched, removed))
    return list(_messages(histories, sorted(touched, key=lambda key: key[::-1]), now))


def _reached(
    histories: dict[str, list[Assignment]], touched: Collection[Any], removed: Iterable[tuple[str, int]]
) -> Iterator[tuple[str, int]]:
    """Where nothing begins any more, and what holds began or ended to hold at a touched instant."""
    instants: dict[str, list[int]] = {}
    for employee, at in touched:
        instants.setdefault(employee, []).append(at)
    for employee, at in removed:
        holds = assignment_at(histories.get(employee, ()), at)
        since = -FOREVER if holds is None else holds.begins
        if any(since <= instant <= at for instant in instants.get(employee, ())):
            yield employee, at


def is_of_units(changes: Sequence[Change]) -> bool:
    """Whether the log has to be told the tree of units; whether boards name people is nothing to it."""
    return any(change.table == "unit_spans" or _is_of_kind(change) for change in changes)


def _is_of_kind(change: Change) -> bool:
    if change.table != "units":
        return False
    was, became = ((None if row is None else row[:2]) for row in change[2:])
    return was != became


def tree_message(new: Organisation, number: int) -> dict[str, Any]:
    """All units over all time (stream/unit_tree.py); their names are those that they have last."""
    value = write_tree(tree_of(new).units, number)
    return {"topic": TEMPLATES, "key": ORGANISATION.encode(), "value": value, "due_at": AT_ONCE, "made_at": number}


def tree_of(organisation: Organisation) -> UnitTree:
    """The units of an organisation, as the log has them."""
    spans = by_first(organisation.unit_spans)
    units = {
        unit.id: TreeUnit(unit.kind, {"zh": own[-1].name_zh, "en": own[-1].name_en}, _places(own))
        for unit in organisation.units.values()
        if (own := spans.get(unit.id))
    }
    edges = {edge for unit in units.values() for place in unit.places for edge in (place.begins, place.ends)}
    return UnitTree(units, tuple(sorted(edges - {FOREVER})))


def _places(spans: Sequence[Span]) -> tuple[Place, ...]:
    return tuple(Place(span.parent, span.begins, until(span.ends)) for span in spans)


def _messages(histories: dict[str, list[Assignment]], touched: Sequence[Any], now: int) -> Iterator[dict[str, Any]]:
    for employee, at in touched:
        holds = assignment_at(histories.get(employee, ()), at)
        yield {
            "topic": PEOPLE_EVENTS,
            "key": employee.encode(),
            "value": _encoder.encode(_event(employee, at, holds, now)),
            "due_at": at,
            "made_at": now,
        }


def _event(employee: str, at: int, holds: Assignment | None, now: int) -> dict[str, object]:
    """Random bits make the id unique, also where a store goes on from a copy of itself."""
    here = holds is not None and holds.unit is not None
    event: dict[str, object] = {
        "event_id": f"assignment:{at}:{secrets.token_hex(8)}",
        "type": "people.assignment",
        "employee_id": employee,
        "occurred_at": format_rfc3339(at),
        "source": SOURCE,
        "measures": {},
        "dims": {"role": holds.role, "unit": holds.unit} if here and holds else {},
    }
    return event if at >= now else {**event, "source": f"{SOURCE}:{format_rfc3339(at)}", "corrects": f"assignment:{at}"}
