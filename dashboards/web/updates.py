"""A published update is checked whole when it arrives, kept as its bytes, and decoded again when somebody looks.

Most employees of a company are on no screen at a given moment, and bytes take a third of the room of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import msgspec

from schemas.instants import parse_rfc3339
from schemas.rows import NO_DATA, ScoreRow, UnitRow
from schemas.unreadable import UNREADABLE
from schemas.updates import ScoreUpdate, UnitUpdate

Row = ScoreRow | UnitRow
Subject = tuple[str, str]
Key = tuple[str, str, str]
T = TypeVar("T")


class Known:
    """The latest update of somebody. `value` is the JSON text as it came; times in ms, `newest` None for no event."""

    __slots__ = ("as_of", "newest", "value")

    def __init__(self, value: bytes, update: ScoreUpdate | UnitUpdate) -> None:
        self.value = value
        self.as_of = _instant("as_of", update.as_of)
        self.newest = None if update.newest is None else _instant("newest", update.newest)


class KnownEmployee(Known):
    """An employee's latest update."""

    __slots__ = ()

    def update(self) -> ScoreUpdate:
        """All of it."""
        return _scores.decode(self.value)


class KnownUnit(Known):
    """A unit's latest update; `members` by id, `people` as many as are behind its numbers, those below it included."""

    __slots__ = ("members", "people")

    def __init__(self, value: bytes, update: UnitUpdate) -> None:
        super().__init__(value, update)
        self.members = tuple(sorted(update.members))
        self.people = len(update.members) + sum(part.people for part in update.parts)

    def update(self) -> UnitUpdate:
        """All of it."""
        return _units.decode(self.value)


def decode_scores(employee: str, value: bytes) -> KnownEmployee:
    """An employee's update; msgspec.MsgspecError when it is not of the published shape or somebody else's."""
    update = _scores.decode(value)
    _same("employee_id", update.employee_id, employee)
    return KnownEmployee(value, update)


def decode_unit(unit: str, value: bytes) -> KnownUnit:
    """A unit's update; msgspec.MsgspecError when it is not of the published shape or another unit's."""
    update = _units.decode(value)
    _same("unit", update.unit, unit)
    return KnownUnit(value, update)


def readable(decode: Callable[[str, bytes], T], key: str, value: bytes | None) -> T | None:
    """The update, None when there is none, or none that can be read."""
    try:
        return None if value is None else decode(key, value)
    except UNREADABLE:
        return None


def subject(row: Row) -> Subject:
    """What is measured, in whatever window: template and indicator."""
    return (row.template, row.indicator)


def key(row: Row) -> Key:
    """What is measured, whatever the version: template, indicator, window."""
    return (row.template, row.indicator, row.window)


def is_empty(rows: Iterable[Row]) -> bool:
    """Whether no window holds anything: then the newest event may be as old as an assignment, which is no work."""
    return all(row.status == NO_DATA for row in rows)


def is_total(row: Row) -> bool:
    """Whether it is a score over indicators (`@total`, `@performance`, ...)."""
    return row.indicator.startswith("@")


def _same(field: str, found: str, expected: str) -> None:
    if found != expected:
        raise msgspec.ValidationError(f"{field}: {found!r} is not the record's key {expected!r}")


def _instant(field: str, text: str) -> int:
    at = parse_rfc3339(text)
    if at is None:
        raise msgspec.ValidationError(f"{field}: {text!r} is not RFC 3339 with zone")
    return at


_scores: Final = msgspec.json.Decoder(ScoreUpdate)
_units: Final = msgspec.json.Decoder(UnitUpdate)
