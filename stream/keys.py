"""Keys of the state and its changelog: the first byte says what a value is."""

from __future__ import annotations

from typing import Final

EMPLOYEE: Final = b"e"  # + employee id: the state
IDENTITIES: Final = b"i"  # + employee id, 0, lane, hour, number: a block of sealed identities
ALERTED: Final = b"a"  # + employee id: that somebody has an open alert
REVIEWED: Final = b"r"  # + alert id, 0, who: what somebody found of an alert
STIRRED: Final = b"s"  # + employee id: that their share is to be looked at when the minute closes
TOLD: Final = b"g"  # + employee id, in the units' home: what units have told somebody
HOLDING: Final = b"h"  # + employee id: when the first of somebody's held records becomes late


def employee_key(employee_id: str) -> bytes:
    """Of an employee's state."""
    return EMPLOYEE + employee_id.encode()


def holding_key(employee_id: str) -> bytes:
    """Of the mark that an employee has held records; its value is an instant."""
    return HOLDING + employee_id.encode()


def alerted_key(employee_id: str) -> bytes:
    """Of the mark that an employee has an open alert."""
    return ALERTED + employee_id.encode()


def stirred_key(employee_id: str) -> bytes:
    """Of the mark that somebody's share is to be looked at."""
    return STIRRED + employee_id.encode()


def told_key(employee_id: str) -> bytes:
    """Of what units have told somebody."""
    return TOLD + employee_id.encode()


def review_key(alert_id: str, by: str) -> bytes:
    """Of what somebody found of an alert."""
    return REVIEWED + alert_id.encode() + b"\0" + by.encode()


def instant_value(at: int) -> bytes:
    """An instant in ms as a value."""
    return at.to_bytes(8, "big")


def instant_of(raw: bytes) -> int:
    """The instant in a value, 0 in an empty one."""
    return int.from_bytes(raw, "big")


def lane_prefix(employee_id: str, lane: int) -> bytes:
    """Of all blocks of a lane; ids hold no zero byte."""
    return IDENTITIES + employee_id.encode() + bytes((0, lane))


def hour_prefix(employee_id: str, lane: int, hour: int) -> bytes:
    """Of the blocks of an hour (occurred_at // HOUR) in a lane."""
    return lane_prefix(employee_id, lane) + hour.to_bytes(4, "big")


def block_key(employee_id: str, lane: int, hour: int, number: int) -> bytes:
    """Of one block."""
    return hour_prefix(employee_id, lane, hour) + number.to_bytes(4, "big")


def hour_of(key: bytes) -> int:
    """The hour in a block's key."""
    return int.from_bytes(key[-8:-4], "big")
