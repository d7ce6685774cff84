"""Of what was published, the latest per key: records in, a batch for the views out. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from agents.views.port import AlertView, UnitView
from schemas.alerts import CLEARED
from schemas.event import ID
from schemas.instants import parse_rfc3339
from schemas.measures import clean_text
from schemas.unreadable import UNREADABLE
from stream.topics import ALERTS, SCORE_UPDATES, TEMPLATES, UNIT_UPDATES, is_template


class Published(NamedTuple):
    """A record of an output topic. `timestamp` in ms; a `value` of None takes the key away."""

    topic: str
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Latest(NamedTuple):
    """What records leave when only the latest of each key counts; `unreadable` ones left nothing."""

    units: Mapping[str, UnitView | None]
    employees: Mapping[str, bytes | None]
    templates: Mapping[str, bytes]
    alerts: Mapping[str, AlertView | None]
    unreadable: int


class PartHead(msgspec.Struct, gc=False):
    """A unit that belongs to another one."""

    people: int


class UnitHead(msgspec.Struct, gc=False):
    """What lists and boards need of a unit's update; everything else in it is passed over unread."""

    unit: str
    as_of: str
    newest: str | None
    members: list[str]
    parts: list[PartHead] = []


class AlertHead(msgspec.Struct, gc=False):
    """What decides whether anybody sees an alert, and where."""

    alert_id: str
    unit: str
    state: str
    raised_at: str
    employee_id: str = ""
    notify: bool | None = None


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Time as the log tells it, in ms."""

    at: int


def conflate(records: Iterable[Published]) -> Latest:
    """The latest of each key, of records in the order of the log. Whoever looks at a value checks the rest of it."""
    units: dict[str, UnitView | None] = {}
    employees: dict[str, bytes | None] = {}
    templates: dict[str, bytes] = {}
    alerts: dict[str, AlertView | None] = {}
    unreadable = 0
    for record in records:
        try:
            key = (record.key or b"").decode()
            if record.topic == SCORE_UPDATES:
                employees[_id(key)] = record.value
            elif record.topic == UNIT_UPDATES:
                units[_clean(key)] = None if record.value is None else unit_view(key, record.value)
            elif record.topic == TEMPLATES and record.value is not None and is_template(key):
                templates.setdefault(_clean(key), record.value)  # the first of a number stays
            elif record.topic == ALERTS:
                alerts[_id(key)] = None if record.value is None else alert_view(key, record.value)
        except UNREADABLE:
            unreadable += 1
    return Latest(units, employees, templates, alerts, unreadable)


def unit_view(unit: str, value: bytes) -> UnitView:
    """A unit's update as the views keep it; msgspec.MsgspecError when it is none, or another unit's."""
    head = _heads.decode(value)
    if head.unit != unit:
        raise msgspec.ValidationError(f"unit: {head.unit!r} is not the record's key {unit!r}")
    members = tuple(sorted(set(head.members)))
    return UnitView(value, head.as_of, head.newest, members, len(members) + sum(part.people for part in head.parts))


def alert_view(alert_id: str, value: bytes) -> AlertView | None:
    """An alert as the views keep it; None for one that is over, that nobody is told of, or that no tick has seen yet.

    msgspec.MsgspecError when it is none, or another one's.
    """
    head = _alerts.decode(value)
    raised = parse_rfc3339(head.raised_at)
    if head.alert_id != alert_id or raised is None:
        raise msgspec.ValidationError(f"alert {head.alert_id!r}, raised at {head.raised_at!r}, under key {alert_id!r}")
    shown = head.state != CLEARED and head.notify is True
    return AlertView(value, head.unit, head.employee_id, raised) if shown else None


def tick_at(value: bytes | None) -> int | None:
    """The instant of a tick in ms, None when it is none."""
    try:
        return None if value is None else _ticks.decode(value).at
    except UNREADABLE:
        return None


def _id(key: str) -> str:
    if not ID.fullmatch(key):
        raise msgspec.ValidationError(f"key {key!r} is no id of an employee or alert")
    return key


def _clean(key: str) -> str:
    if not clean_text(key):
        raise msgspec.ValidationError(f"key {key!r} is not 1 to 128 characters without control characters")
    return key


_heads: Final = msgspec.json.Decoder(UnitHead)
_alerts: Final = msgspec.json.Decoder(AlertHead)
_ticks: Final = msgspec.json.Decoder(Tick)
