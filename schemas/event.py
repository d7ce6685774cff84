"""An event is what the contract's section 2 says and nothing else; every refusal has one reason.

`decode_one` is the law, record by record, on the standard library's JSON; schemas/chunk.py does the same for chunks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import msgspec

from schemas.instants import MINUTE, instant_of
from schemas.measures import Dims, Measures, clean_text, content_digest, digest, dims_of, measures_of

MAX_BYTES: Final = 65_536
MAX_DEPTH: Final = 64
SKEW: Final = 15 * MINUTE
ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
TYPE: Final = re.compile(r"(business|qc|people)\.[a-z0-9_.]+")
TOPIC_OF: Final = {"business": "business-events", "qc": "qc-events", "people": "people-events"}
INPUT_TOPICS: Final = ("business-events", "qc-events", "people-events")
INSPECTION: Final = "qc.inspection"


class Event(msgspec.Struct, gc=False):
    """A valid event. `occurred_at` and `timestamp` (log time) in ms; `digest` stands for the whole content."""

    event_id: str
    type: str
    employee_id: str
    occurred_at: int
    source: str
    measures: Measures
    dims: Dims
    corrects: str | None
    digest: int
    kind: int  # stands for type and dims
    offset: int
    timestamp: int


class Rejection(NamedTuple):
    """Why a record is refused: one of the contract's reasons, and the field and value in words."""

    reason: str
    detail: str


class Row(NamedTuple):
    """A record of the log, as transports give it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: bytes | None


InPartition = Callable[[bytes], bool]

_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def decode_one(
    value: bytes | None, key: bytes | None, topic: str, timestamp: int, in_partition: InPartition
) -> Event | Rejection:
    """One record by the letter of the contract: the event, or the first reason that holds against it.

    `in_partition` tells whether a key belongs to the record's partition.
    """
    if value is not None and len(value) > MAX_BYTES:
        return Rejection("too_large", f"{len(value)} bytes, at most {MAX_BYTES} are allowed")
    parsed = parse_object(value)
    if isinstance(parsed, Rejection):
        return parsed
    found = _shape(parsed) or _identifiers(parsed)
    if found is not None:
        return found
    at = instant_of(parsed["occurred_at"])
    if at is None:
        return Rejection(
            "bad_time", f"occurred_at: {parsed['occurred_at']!r} is not RFC 3339 with zone from 2000 to 2100"
        )
    if at - timestamp > SKEW:
        return Rejection("in_future", f"occurred_at: {at - timestamp} ms after log time, at most {SKEW} are tolerated")
    measured = measures_of(parsed["measures"])
    if isinstance(measured, str):
        return Rejection("bad_measure", measured)
    corrects = parsed.get("corrects")
    if parsed["type"] == INSPECTION and corrects is None and not measured.inspection:
        return Rejection("inconsistent", f"measures: {parsed['measures']!r} break the rules of {INSPECTION}")
    place = _place(parsed, key, topic, in_partition)
    if place is not None:
        return place
    dims = cast("Dims", dims_of(parsed.get("dims", {})))
    kind = content_digest("type", parsed["type"])
    content = measured.digest ^ dims.content ^ digest("source", parsed["source"]) ^ kind
    if corrects is not None:
        content ^= content_digest("corrects", corrects)
    return Event(
        parsed["event_id"], parsed["type"], parsed["employee_id"], at, parsed["source"], measured, dims, corrects,
        content, dims.digest ^ kind, 0, timestamp,
    )  # fmt: skip


def parse_object(value: bytes | None) -> dict[str, Any] | Rejection:
    """A JSON object, strictly: UTF-8, no NaN, not too deep. Of a key that occurs twice the last counts."""
    if value is not None and is_too_deep(value):
        return Rejection("not_json", f"value: arrays and objects are nested deeper than {MAX_DEPTH} levels")
    try:
        parsed = json.loads((value or b"").decode("utf-8"), parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        return Rejection("not_json", f"value is not UTF-8 JSON: {str(error)[:200]}")
    if not isinstance(parsed, dict):
        return Rejection("schema", f"value is a JSON {type(parsed).__name__}, an object is required")
    return parsed


def is_too_deep(value: bytes) -> bool:
    """Whether arrays and objects are nested deeper than MAX_DEPTH; brackets in strings do not count."""
    if value.count(b"{") + value.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.finditer(value):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(bracket[0], 0)
        if depth > MAX_DEPTH:
            return True
    return False


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 400 else float(text)


def _shape(parsed: dict[str, Any]) -> Rejection | None:
    for name in ("event_id", "type", "employee_id", "occurred_at", "source", "measures"):
        if name not in parsed:
            return Rejection("schema", f"{name} is missing")
    for name in ("event_id", "type", "employee_id", "source", "corrects"):
        if name in parsed and not isinstance(parsed[name], str):
            return Rejection("schema", f"{name}: {parsed[name]!r} is not text")
    if isinstance(parsed["occurred_at"], bool) or not isinstance(parsed["occurred_at"], str | int | float):
        return Rejection("schema", f"occurred_at: {parsed['occurred_at']!r} is neither text nor a number")
    if not clean_text(parsed["source"]):
        return Rejection(
            "schema", f"source: {parsed['source']!r} is not 1 to 128 characters without control characters"
        )
    if not isinstance(parsed["measures"], dict):
        return Rejection("schema", f"measures: {parsed['measures']!r} is not an object")
    if not isinstance(parsed.get("dims", {}), dict):
        return Rejection("schema", f"dims: {parsed['dims']!r} is not an object")
    dims = dims_of(parsed.get("dims", {}))
    return Rejection("schema", dims) if isinstance(dims, str) else None


def _identifiers(parsed: dict[str, Any]) -> Rejection | None:
    for name in ("event_id", "employee_id", "corrects"):
        if name in parsed and ID.fullmatch(parsed[name]) is None:
            return Rejection("bad_id", f"{name}: {parsed[name]!r} is not [A-Za-z0-9_.:-]{{1,64}}")
    return None


def _place(parsed: dict[str, Any], key: bytes | None, topic: str, in_partition: InPartition) -> Rejection | None:
    if key is None or key != parsed["employee_id"].encode():
        return Rejection("key_mismatch", f"key {key!r} is not the employee_id {parsed['employee_id']!r}")
    if not in_partition(key):
        return Rejection("key_mismatch", f"key {key!r} belongs to another partition")
    match = TYPE.fullmatch(parsed["type"])
    if match is None:
        return Rejection("unknown_type", f"type: {parsed['type']!r} is not business.*, qc.* or people.*")
    if TOPIC_OF[match[1]] != topic:
        return Rejection("wrong_topic", f"type: {parsed['type']!r} belongs in {TOPIC_OF[match[1]]}, not in {topic}")
    return None
