"""What was said of alerts, and what has to be taken back: a past that is counted anew has its own alerts.

Rows leave through the partition's outputs. What is out is read back from the log only when somebody's past changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import msgspec
from msgspec.structs import replace

from agents.transport.log import Log, Outgoing, records
from schemas.alerts import CLEARED, WITHDRAWN, AlertRow
from schemas.instants import format_rfc3339, parse_rfc3339
from schemas.unreadable import UNREADABLE
from stream.state import State
from stream.topics import ALERTS
from stream.watched import NONE, Open, Ruled, Watched

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(AlertRow)


def alert_record(partition: int, row: AlertRow) -> Outgoing:
    """One change of an alert, as a record."""
    changed = parse_rfc3339(row.changed_at) or 0
    return Outgoing(ALERTS, partition, changed, row.alert_id.encode(), _encoder.encode(row))


def alert_of(value: bytes | None) -> AlertRow | None:
    """The row in a record; None where it is none."""
    try:
        return _decoder.decode(value or b"")
    except UNREADABLE:
        return None


def said(
    log: Log, partition: int, waiting: Iterable[Outgoing], employees: Collection[str]
) -> dict[str, dict[str, AlertRow]]:
    """The latest row of each alert of some employees, by employee and id: what is out, then what is about to leave."""
    found: dict[str, dict[str, AlertRow]] = {}
    out = (record.value for record in records(log, ALERTS, partition))
    for value in chain(out, (record.value for record in waiting if record.topic == ALERTS)):
        row = alert_of(value)
        if row is not None and isinstance(row.employee_id, str) and row.employee_id in employees:
            found.setdefault(row.employee_id, {})[row.alert_id] = row
    return found


def latest_of(log: Log, partition: int) -> dict[str, AlertRow]:
    """The last word on every alert of one partition, by id."""
    rows = (alert_of(record.value) for record in records(log, ALERTS, partition))
    return {row.alert_id: row for row in rows if row is not None}


def latest_alerts(log: Log) -> dict[str, AlertRow]:
    """The last word on every alert, by id, in the order in which they were first heard of."""
    found: dict[str, AlertRow] = {}
    for number in range(log.topics()[ALERTS].partitions):
        found |= latest_of(log, number)
    return found


def put_right(
    before: Mapping[str, AlertRow], now: Sequence[AlertRow], kept: Collection[str], at: int
) -> Iterator[AlertRow]:
    """What is to be said of one employee so that `now`, all that follows from the log, is what was said last.

    `at` is the log time (ms) up to which the log is applied. What people did with an alert stays, and so do those that
    are `kept`, by id: a unit's decisions.
    """
    latest = {row.alert_id: row for row in now}
    for name, row in before.items():
        done = row.reason == WITHDRAWN or (row.cleared_at is not None and not row.first_event)
        if not done and name not in latest and name not in kept:
            moment = format_rfc3339(at)
            yield replace(row, state=CLEARED, changed_at=moment, cleared_at=moment, by="", reason=WITHDRAWN)
    for name, row in latest.items():
        known = before.get(name)
        if known is None or known.reason == WITHDRAWN:
            yield row
        elif (handled := _handled(row, known)) != known:
            yield handled


def _handled(row: AlertRow, known: AlertRow) -> AlertRow:
    """A row with what people and time did with the alert, as it is known; what the data have ended stays so."""
    if row.cleared_at is not None or (known.cleared_at is not None and not known.by and not known.reason):
        return row
    return replace(
        row, state=known.state, changed_at=known.changed_at, cleared_at=known.cleared_at, by=known.by,
        reason=known.reason, until=known.until, escalated_at=known.escalated_at, notify=known.notify,
        folded_into=known.folded_into,
    )  # fmt: skip


def keep_decided(old: State, new: State) -> set[str]:
    """What ticks and units have decided stays in the new state, whatever it counts. The ids of what is open of it."""
    kept: set[str] = set()
    known = {(w.template, w.version, w.group): w for w in new.watched}
    for before in old.watched:
        decided = [(place, was) for place, was in enumerate(before.rules) if _is_decided(was)]
        if not decided:
            continue
        key = (before.template, before.version, before.group)
        if key not in known:
            known[key] = Watched(*key, [Ruled() for _ in before.rules])
            new.watched.append(known[key])
        for place, was in decided:
            kept_on = known[key].rules[place]
            kept_on.open, kept_on.begun, kept_on.held = was.open, was.begun, was.held
            if was.open is not None:
                kept.add(was.open.alert_id)
    return kept


def _is_decided(ruled: Ruled) -> bool:
    """Whether something stands in it that no record has raised."""
    return not ruled.open.first if ruled.open is not None else ruled.begun != NONE and not ruled.first


def keep_handling(old: State, new: State) -> None:
    """What people and time did with alerts that are still open under the new state."""
    handled = {alert.alert_id: alert for alert in _open(old)}
    for alert in _open(new):
        done = handled.get(alert.alert_id)
        if done is not None:
            alert.state, alert.changed_at, alert.by, alert.reason = (
                done.state, done.changed_at, done.by, done.reason
            )  # fmt: skip
            alert.until, alert.escalated_at, alert.notify = done.until, done.escalated_at, done.notify
            alert.folded_into = done.folded_into


def _open(state: State) -> Iterator[Open]:
    for watched in state.watched:
        yield from (ruled.open for ruled in watched.rules if ruled.open is not None)
