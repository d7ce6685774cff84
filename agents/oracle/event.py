"""A record is a valid event or is rejected for one reason: the first that holds, in the order of the checks below."""

import json
import math
import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from agents.oracle.instants import occurred_at
from agents.oracle.log import INPUT_TOPICS, MINUTE, Event, Kind, LogRecord
from agents.oracle.measures import is_consistent, read_measures
from agents.oracle.murmur2 import partition_of

LARGEST_VALUE = 65_536  # bytes
MOST_DIMS = 32
LONGEST_TEXT = 128  # characters
FUTURE_TOLERATED = 15 * MINUTE

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_TYPE = re.compile(r"(qc|business|people)\.[a-z0-9_.]+")


class Rejected(Exception):
    """The record is no valid event; `reason` is one of the contract's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Final = reason


class _Fields(NamedTuple):
    event_id: str
    type: str
    employee_id: str
    source: str
    occurred_at: str | int | float
    corrects: str | None
    measures: dict[str, object]
    dims: tuple[tuple[str, str], ...]


def read_event(record: LogRecord, partitions: int) -> Event:
    """The event of a record of an input topic; raises Rejected with the first reason that holds."""
    fields = _check_schema(_parse(record.value))
    for identifier in (fields.event_id, fields.employee_id, fields.corrects):
        if identifier is not None and not _ID.fullmatch(identifier):
            raise Rejected("bad_id")
    at = occurred_at(fields.occurred_at)
    if at is None:
        raise Rejected("bad_time")
    if at - record.timestamp > FUTURE_TOLERATED:
        raise Rejected("in_future")
    measures = read_measures(fields.measures)
    if measures is None:
        raise Rejected("bad_measure")
    if fields.type == "qc.inspection" and fields.corrects is None and not is_consistent(measures):
        raise Rejected("inconsistent")
    _check_place(record, fields.employee_id, fields.type, partitions)
    kind = _kind(fields.type, fields.dims)
    return Event(
        record.topic, record.partition, record.offset, fields.event_id, fields.employee_id, fields.source, at,
        fields.corrects, kind, tuple(sorted(measures.items())), record.timestamp,
    )  # fmt: skip


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _integer(text: str) -> int | float:
    # Beyond the range of doubles it is a bad measure or time where it is one, and ignored elsewhere: never `not_json`.
    return int(text) if len(text) <= 308 else math.inf


DEEPEST = 64  # levels of nesting; more is not_json
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer)


def _parse(value: bytes | None) -> object:
    if value is None:
        raise Rejected("not_json")
    if len(value) > LARGEST_VALUE:
        raise Rejected("too_large")
    try:
        return read_json(value)
    except ValueError:
        raise Rejected("not_json") from None


def read_json(value: bytes) -> object:
    """What JSON in UTF-8 says; raises ValueError where it is none, or is nested too deep."""
    try:
        parsed: object = _DECODER.decode(value.decode("utf-8"))
    except RecursionError as error:  # far deeper than the limit of nesting, about a thousand levels
        raise ValueError("nested too deep") from error
    if _depth_exceeds(parsed, DEEPEST):
        raise ValueError("nested too deep")
    return parsed


def _depth_exceeds(parsed: object, limit: int) -> bool:
    """Whether arrays and objects are nested in more levels than `limit`."""
    level: list[object] = [parsed] if isinstance(parsed, dict | list) else []
    for _ in range(limit):
        level = [item for holder in level for item in _items(holder)]
    return bool(level)


def _items(holder: object) -> list[object]:
    """The arrays and objects directly in one."""
    inside = holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ()
    return [item for item in inside if isinstance(item, dict | list)]


def _check_schema(raw: object) -> _Fields:
    if not isinstance(raw, dict):
        raise Rejected("schema")
    at = raw.get("occurred_at")
    measures = raw.get("measures")
    if isinstance(at, bool) or not isinstance(at, str | int | float) or not isinstance(measures, dict):
        raise Rejected("schema")
    source = _text(raw.get("source"))
    if not is_plain(source):
        raise Rejected("schema")
    corrects = _text(raw["corrects"]) if "corrects" in raw else None
    dims = _dims(raw["dims"]) if "dims" in raw else ()
    return _Fields(
        _text(raw.get("event_id")), _text(raw.get("type")), _text(raw.get("employee_id")), source, at,
        corrects, measures, dims,
    )  # fmt: skip


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise Rejected("schema")
    return raw


def is_plain(text: str) -> bool:
    """1 to 128 characters, none a control character (Cc) or a lone surrogate (Cs)."""
    return 1 <= len(text) <= LONGEST_TEXT and _is_printable(text)


@lru_cache(maxsize=4096)
def _is_printable(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _dims(raw: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, dict) or len(raw) > MOST_DIMS:
        raise Rejected("schema")
    # A lone surrogate in a dim's name is refused like one in its value: it is no text, no encoding carries it.
    for name, value in raw.items():
        if not isinstance(value, str) or not is_plain(value) or not is_plain(name):
            raise Rejected("schema")
    return tuple(sorted(raw.items()))


@lru_cache(maxsize=65_536)
def _home(employee: str, partitions: int) -> tuple[bytes, int]:
    key = employee.encode()
    return key, partition_of(key, partitions)


def _check_place(record: LogRecord, employee: str, kind: str, partitions: int) -> None:
    if (record.key, record.partition) != _home(employee, partitions):
        raise Rejected("key_mismatch")
    match = _TYPE.fullmatch(kind)
    if match is None:
        raise Rejected("unknown_type")
    if match[1] != INPUT_TOPICS[record.topic]:
        raise Rejected("wrong_topic")


@lru_cache(maxsize=65_536)
def _kind(kind: str, dims: tuple[tuple[str, str], ...]) -> Kind:
    # One object for all events that look alike: a long log holds few kinds.
    return Kind(kind, dims)
