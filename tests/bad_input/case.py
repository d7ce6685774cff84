"""A case is one record of the log under a name; unless it says otherwise, all but one thing about it is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from agents.transport.murmur2 import partition_for

PARTITIONS: Final = 4
EMPLOYEE: Final = "E0261"
HOME: Final = 3  # murmur2(b"E0261") modulo 4, checked in test_golden.py
NOW: Final = 1_772_439_300_000  # 2026-03-02T08:15:00Z, the log time of a case
TOPIC: Final = "business-events"

GOOD: Final[Mapping[str, object]] = {
    "event_id": "po-8845-1",
    "type": "business.purchase",
    "employee_id": EMPLOYEE,
    "occurred_at": NOW,
    "source": "erp",
    "measures": {"amount": 12.5},
    "dims": {"line": "L03"},
}
INSPECTION: Final[Mapping[str, object]] = {
    **GOOD,
    "type": "qc.inspection",
    "measures": {"inspected": 10, "accepted": 9, "reworked": 1, "scrapped": 1},
}


class Case(NamedTuple):
    """A record: `value` and `key` byte for byte, `timestamp` (log time) in ms."""

    name: str
    value: bytes | None
    key: bytes | None = EMPLOYEE.encode()
    topic: str = TOPIC
    timestamp: int = NOW
    partition: int = HOME


def encode(fields: Mapping[str, object]) -> bytes:
    """The fields as JSON; lone surrogates leave as escapes, as a careless sender writes them."""
    return json.dumps(fields, ensure_ascii=True).encode()


def spliced(field: str, text: bytes, fields: Mapping[str, object] = GOOD) -> bytes:
    """The good event with one field's value replaced by raw JSON text, valid or not."""
    marker = "\u0001splice"
    return encode({**fields, field: marker}).replace(encode_text(marker), text)


def encode_text(text: str) -> bytes:
    """A text as a JSON string in ASCII."""
    return json.dumps(text).encode()


def without(field: str) -> dict[str, object]:
    """The good event without one field."""
    return {name: value for name, value in GOOD.items() if name != field}


def of_employee(name: str, employee: str) -> Case:
    """The good event of another employee, with that key and in that key's partition."""
    key = employee.encode("utf-8", "surrogatepass")
    return Case(name, encode({**GOOD, "employee_id": employee}), key=key, partition=partition_for(key, PARTITIONS))
