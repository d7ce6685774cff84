"""What people and time do with a unit's own alert, by the table for people's. All that is known of it is its row."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.alerts import CLEARED, FIRING, SHELVED, AlertCommand, AlertRow
from schemas.instants import parse_rfc3339
from stream.chosen import rfc3339
from stream.lifecycle import FOLD, SHELF_OVER, SHELVE, TABLE, Refused, not_open, objection


def obey_unit(row: AlertRow | None, command: AlertCommand, at: int) -> AlertRow | Refused:
    """Does to an open alert of a unit (None: it is not) what somebody wants, as of `at` (ms); or why not."""
    if row is None:
        return not_open(command.alert_id)
    if command.action == FOLD:
        return Refused(f"alert {row.alert_id} is a unit's own: nothing stands for it")
    refused = objection(row.alert_id, row.state, row.by, row.changed_at, command, at)
    if refused:
        return Refused(refused)
    state, moment = TABLE[row.state, command.action], rfc3339(at)
    until = rfc3339(command.until) if command.action == SHELVE and command.until is not None else None
    return replace(
        row, state=state, changed_at=moment, cleared_at=moment if state == CLEARED else None, by=command.by,
        reason=command.reason, until=until,
    )  # fmt: skip


def advance_unit(row: AlertRow, at: int, escalation: int) -> AlertRow | None:
    """What time alone does with an open alert of a unit by the end of a minute (ms); None: nothing.

    `escalation`: how long it waits for an acknowledgement, in ms; 0: for ever.
    """
    moment = rfc3339(max(at, _instant(row.changed_at)))  # what people do comes between two minutes
    if row.state == SHELVED and _instant(row.until or "") <= at:
        return replace(row, state=FIRING, changed_at=moment, by="", reason=SHELF_OVER, until=None)
    waits = escalation > 0 and row.state == FIRING and row.escalated_at is None
    if waits and at >= _instant(row.changed_at) + escalation:
        return replace(row, changed_at=moment, escalated_at=moment)
    return None


def _instant(text: str) -> int:
    return parse_rfc3339(text) or 0
