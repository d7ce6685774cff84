"""Of what was published, the latest per key: records in, a batch for the views out. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from agents.views.port import UnitView
from schemas.event import ID
from schemas.measures import clean_text
from stream.topics import SCORE_UPDATES, TEMPLATES, UNIT_UPDATES


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
    unreadable: int


class UnitHead(msgspec.Struct, gc=False):
    """What lists and boards need of a unit's update; everything else in it is passed over unread."""

    unit: str
    as_of: str
    newest: str | None
    members: list[str]


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Time as the log tells it, in ms."""

    at: int


def conflate(records: Iterable[Published]) -> Latest:
    """The latest of each key, of records in the order of the log. Whoever looks at a value checks the rest of it."""
    units: dict[str, UnitView | None] = {}
    employees: dict[str, bytes | None] = {}
    templates: dict[str, bytes] = {}
    unreadable = 0
    for record in records:
        try:
            key = (record.key or b"").decode()
            if record.topic == SCORE_UPDATES:
                employees[_employee(key)] = record.value
            elif record.topic == UNIT_UPDATES:
                units[_clean(key)] = None if record.value is None else unit_view(key, record.value)
            elif record.topic == TEMPLATES and record.value is not None:
                templates.setdefault(_clean(key), record.value)  # the first of a number stays
        except (msgspec.MsgspecError, UnicodeDecodeError):
            unreadable += 1
    return Latest(units, employees, templates, unreadable)


def unit_view(unit: str, value: bytes) -> UnitView:
    """A unit's update as the views keep it; msgspec.MsgspecError when it is none, or another unit's."""
    head = _heads.decode(value)
    if head.unit != unit:
        raise msgspec.ValidationError(f"unit: {head.unit!r} is not the record's key {unit!r}")
    return UnitView(value, head.as_of, head.newest, tuple(sorted(set(head.members))))


def tick_at(value: bytes | None) -> int | None:
    """The instant of a tick in ms, None when it is none."""
    try:
        return None if value is None else _ticks.decode(value).at
    except msgspec.MsgspecError:
        return None


def _employee(key: str) -> str:
    if not ID.fullmatch(key):
        raise msgspec.ValidationError(f"key {key!r} is no employee id")
    return key


def _clean(key: str) -> str:
    if not clean_text(key):
        raise msgspec.ValidationError(f"key {key!r} is not 1 to 128 characters without control characters")
    return key


_heads: Final = msgspec.json.Decoder(UnitHead)
_ticks: Final = msgspec.json.Decoder(Tick)
