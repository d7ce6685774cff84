"""What people and time may do with an alert that is raised: one table. What the data say of it is decided elsewhere.

A rule goes on looking whatever people do: an alert that was cleared by hand is raised again only after its condition
was over once, so commands never change which alerts follow from the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from schemas.alerts import ACKNOWLEDGED, CLEARED, FIRING, SHELVED, AlertCommand, AlertRow, UnitVerdict
from schemas.instants import DAY, HOUR, format_rfc3339
from stream.episode import opened, row_of
from stream.person import Person
from stream.rulebook import Version
from stream.standing import Alerted, open_alerts
from stream.state import NEVER, State, assignment_at
from stream.watch_plan import Gap, gaps
from stream.watched import NONE, Open

ACK: Final = "ack"
SHELVE: Final = "shelve"
UNSHELVE: Final = "unshelve"
CLEAR: Final = "clear"
FOLD: Final = "fold"  # the unit agent's: the unit's alert stands for it
ACTIONS: Final = (ACK, SHELVE, UNSHELVE, CLEAR, FOLD)

TABLE: Final[Mapping[tuple[str, str], str]] = {  # (state, action) -> state
    (FIRING, ACK): ACKNOWLEDGED,
    (FIRING, SHELVE): SHELVED,
    (FIRING, CLEAR): CLEARED,
    (ACKNOWLEDGED, SHELVE): SHELVED,
    (ACKNOWLEDGED, CLEAR): CLEARED,
    (SHELVED, ACK): ACKNOWLEDGED,
    (SHELVED, SHELVE): SHELVED,
    (SHELVED, UNSHELVE): FIRING,
    (SHELVED, CLEAR): CLEARED,
    (FIRING, FOLD): FIRING,
    (ACKNOWLEDGED, FOLD): ACKNOWLEDGED,
    (SHELVED, FOLD): SHELVED,
}
ENDED: Final = "its template version is not in force any more"
SHELF_OVER: Final = "the time it was shelved for is over"
TOLD_LATE: Final = HOUR  # an alert that is older at the tick that follows it is an import's: recorded, not told
LONGEST_SHELF: Final = 30 * DAY


class Refused(NamedTuple):
    """Why a command does nothing."""

    why: str


def obey(person: Person, command: AlertCommand, at: int) -> AlertRow | Refused | None:
    """Does to an open alert what somebody wants, as of `at` (ms); the row that says so, or why not.

    None where a unit says again what it has said.
    """
    found = next((each for each in open_alerts(person) if each.alert.alert_id == command.alert_id), None)
    if found is None:
        return not_open(command.alert_id)
    alert = found.alert
    refused = objection(alert.alert_id, alert.state, alert.by, format_rfc3339(alert.changed_at), command, at)
    if refused:
        return Refused(refused)
    alert.state = TABLE[alert.state, command.action]
    if command.action == FOLD:
        if alert.folded_into == command.into:
            return None
        alert.folded_into, alert.changed_at = command.into, max(at, alert.changed_at)
        return _row(person, found, at)
    alert.by, alert.reason, alert.changed_at = command.by, command.reason, at
    alert.until = command.until if command.action == SHELVE and command.until is not None else NONE
    return _row(person, found, at)


def not_open(alert_id: str) -> Refused:
    """Nobody can do anything to it."""
    return Refused(f"alert {alert_id} is not open: it is over, or was never raised")


def objection(alert_id: str, state: str, by: str, since: str, command: AlertCommand, at: int) -> str:
    """Why a command can do nothing to an alert that is in a state, moved there `by` somebody, `since` then; or ""."""
    if command.action not in ACTIONS:
        return f"action {command.action!r} is unknown: {', '.join(ACTIONS)}"
    if not command.by:
        return "nobody is named: `by` is empty"
    if (state, command.action) not in TABLE:
        who = f" by {by}" if by else ""
        return f"alert {alert_id} is {state}{who} since {since}: there is nothing to {command.action}"
    if command.action == SHELVE:
        if command.until is None or command.until <= at:
            return "`until` is not in the future: say for how long it is shelved"
        if command.until > at + LONGEST_SHELF:
            return f"`until` is more than {LONGEST_SHELF // DAY} days away: shelve it for less"
    return ""


def judge(person: Person, verdict: UnitVerdict) -> AlertRow | None:
    """Raises or clears what a unit has to say of a member, as of the verdict's minute; None where nothing changes.

    Each verdict is heard once: one that is no newer than the last is said again.
    """
    version = person.rules.version(verdict.template, verdict.version)
    rules = () if version is None else gaps(version)
    rule = next((r for r in rules if (r.indicator.id, r.id) == (verdict.indicator, verdict.rule)), None)
    ruled = None if version is None or rule is None else person.ruled(version, rule)
    if version is None or rule is None or ruled is None or verdict.at <= ruled.held:
        return None
    ruled.held = verdict.at
    if (ruled.open is not None) == verdict.below:
        return None
    if verdict.below:
        found = (verdict.value, verdict.n, verdict.good, verdict.unit_value)
        record = ("", verdict.at, verdict.at, verdict.unit)
        shift = person.rules.calendars.begins(verdict.unit, verdict.at)
        ruled.open = opened(version, rule, person.id, ruled, found, record, shift)
        return row_of(person.id, version, rule, ruled.open)
    alert, ruled.open = ruled.open, None
    if alert is None or alert.state == CLEARED:
        return None
    alert.by, alert.reason = "", ENDED if verdict.ended else ""
    row = row_of(person.id, version, rule, alert, verdict.at)
    return replace(row, changed_at=format_rfc3339(max(verdict.at, alert.changed_at)))  # it may have escalated meanwhile


def open_rows(person: Person) -> Iterator[AlertRow]:
    """Somebody's open alerts as they stand."""
    for found in open_alerts(person):
        yield _row(person, found, found.alert.changed_at)


def advance(person: Person, at: int) -> Iterator[AlertRow]:
    """What time alone does with somebody's alerts, at a tick (ms)."""
    for found in list(open_alerts(person)):
        alert = found.alert
        changed = False
        if alert.notify is None:
            alert.notify = alert.raised_at >= at - TOLD_LATE
            changed = True
        if not isinstance(found.rule, Gap) and not _in_force(person, found.version, at):  # units tell when a gap ends
            alert.state, alert.by, alert.reason, alert.changed_at = CLEARED, "", ENDED, at
            changed = True
        elif alert.state == SHELVED and alert.until <= at:
            alert.state, alert.by, alert.reason, alert.changed_at, alert.until = FIRING, "", SHELF_OVER, at, NONE
            changed = True
        elif _waits(alert) and at >= alert.changed_at + alert.escalates_after:
            alert.escalated_at = alert.changed_at = at
            changed = True
        if changed:
            yield _row(person, found, at)


def due(state: State) -> int:
    """When time alone next does something with somebody's alerts (ms), NEVER when it does not; versions left out."""
    found = NEVER
    for watched in state.watched:
        for ruled in watched.rules:
            alert = ruled.open
            if alert is not None and alert.state != CLEARED:
                if alert.notify is None:
                    return alert.raised_at
                if alert.state == SHELVED:
                    found = min(found, alert.until)
                elif _waits(alert):
                    found = min(found, alert.changed_at + alert.escalates_after)
    return found


def moves(person: Person, at: int) -> int:
    """When time alone next does something with somebody's alerts after the tick `at` (ms), versions that end too."""
    if not any(open_alerts(person)):
        return NEVER
    role, _, _, until = assignment_at(person.state.assignments, at)
    return min(due(person.state), until, person.rules.regime(role, at).ends)


def _waits(alert: Open) -> bool:
    """Whether it escalates unless somebody acknowledges it."""
    return (
        alert.escalates
        and alert.state == FIRING
        and alert.escalated_at == NONE
        and alert.notify is True
        and not alert.folded_into
    )


def _in_force(person: Person, version: Version, at: int) -> bool:
    return version.begins <= at < version.ends and version in person.versions_at(at)


def _row(person: Person, found: Alerted, at: int) -> AlertRow:
    cleared_at = at if found.alert.state == CLEARED else None
    return row_of(person.id, found.version, found.rule, found.alert, cleared_at)
