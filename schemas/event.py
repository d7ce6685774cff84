"""An event is what the contract's section 2 says and nothing else; every refusal has one reason.

`decode_one` is the law, record by record, on the standard library's JSON. `decode_chunk` is the same for
whole chunks in one pass of msgspec: it accepts only what `decode_one` accepts, with the same result, and hands
every record that it is not sure of to `decode_one`.
"""

from __future__ import annotations

import json
import re
from bisect import insort
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import UNSET, UnsetType

from schemas.instants import FIRST, LAST, MINUTE, parse_rfc3339
from schemas.measures import NO_DIMS, Dims, Measures, clean_text, content_digest, digest, dims_of, measures_of

MAX_BYTES: Final = 65_536
MAX_DEPTH: Final = 64
SKEW: Final = 15 * MINUTE
ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
TYPE: Final = re.compile(r"(business|qc|people)\.[a-z0-9_.]+")
TOPIC_OF: Final = {"business": "business-events", "qc": "qc-events", "people": "people-events"}
INPUT_TOPICS: Final = ("business-events", "qc-events", "people-events")
INSPECTION: Final = "qc.inspection"
_MEMO: Final = 20_000  # distinct texts kept per memo; beyond that it starts anew


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


class _Wire(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The same slots as Event, as msgspec reads them; turned into an Event in place."""

    event_id: str
    type: str
    employee_id: str
    occurred_at: int | str
    source: str
    measures: msgspec.Raw
    dims: msgspec.Raw = msgspec.Raw(b"{}")
    corrects: str | UnsetType = UNSET
    digest: int = msgspec.field(default=0, name=" digest")
    kind: int = msgspec.field(default=0, name=" kind")
    offset: int = msgspec.field(default=0, name=" offset")
    timestamp: int = msgspec.field(default=0, name=" timestamp")


class _Loose(_Wire, gc=False, forbid_unknown_fields=False):
    """The same with fields that nobody knows, which are ignored."""


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


Slots = dict[bytes | None, tuple[str | None, list[Event], Callable[[Event], None]]]  # by key: id, events, their append
InPartition = Callable[[bytes], bool]

_SLICE: Final = 500  # records decoded at once: what was just decoded is still in the processor's cache
_OFFSET: Final = attrgetter("offset")
_FIRST: Final = itemgetter(0)
_LAST: Final = itemgetter(-1)
_OPENING, _CLOSING = b"{}"
_decoder: Final = msgspec.json.Decoder(_Wire)
_loose: Final = msgspec.json.Decoder(_Loose)
_raw_decoder: Final = msgspec.json.Decoder()
_ids: Final = re.compile(r"(?:[A-Za-z0-9_.:-]{1,64}\n)*")
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SECONDS: Final = {f"{second:02d}": second * 1000 for second in range(60)}


class Memo:
    """What chunks repeat, parsed once: minutes, sources, types, measures, dims, keys. Bounded."""

    def __init__(self, topic: str, in_partition: InPartition) -> None:
        self.topic = topic
        self.in_partition = in_partition
        self.times: dict[str | int, int] = {}
        self.minutes: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.types: dict[str, int] = {}
        self.measures: dict[bytes, Measures] = {}
        self.dims: dict[bytes, Dims] = {b"{}": NO_DIMS}
        self.keys: dict[bytes | None, str] = {}

    def time(self, raw: str | int) -> int | None:
        """A new occurred_at in ms, None when it is none or out of range. Its minute is remembered, and itself."""
        at = self._by_minute(raw) if isinstance(raw, str) else raw
        if at is None or not FIRST <= at <= LAST:
            return None
        _bound(self.times)[raw] = at
        return at

    def _by_minute(self, text: str) -> int | None:
        second = _SECONDS.get(text[17:19])
        if second is None:
            return parse_rfc3339(text)
        minute = text[:17] + text[19:]
        base = self.minutes.get(minute)
        if base is None:
            at = parse_rfc3339(text)
            if at is None:
                return None
            base = _bound(self.minutes)[minute] = at - second
        return base + second

    def source(self, text: str) -> int | None:
        """The digest of a new source, None when it is not clean."""
        if not clean_text(text):
            return None
        found: int = _bound(self.sources).setdefault(text, digest("source", text))
        return found

    def type(self, text: str) -> int | None:
        """The digest of a new type, None when it does not belong in this topic."""
        match = TYPE.fullmatch(text)
        if match is None or TOPIC_OF[match[1]] != self.topic:
            return None
        found: int = _bound(self.types).setdefault(text, content_digest("type", text))
        return found

    def key(self, key: bytes | None) -> str | None:
        """The employee id of a new key, None when it is none or in another partition."""
        if key is None or not key.isascii() or ID.fullmatch(key.decode()) is None or not self.in_partition(key):
            return None
        found: str = _bound(self.keys, 10).setdefault(key, key.decode())
        return found

    def measured(self, raw: bytes) -> Measures | None:
        """New measures from their JSON text, None when anything is wrong with them."""
        values = _mapping(raw)
        found = measures_of(values) if values is not None else ""
        return None if isinstance(found, str) else _bound(self.measures).setdefault(raw, found)

    def dimensions(self, raw: bytes) -> Dims | None:
        """New dims from their JSON text, None when anything is wrong with them."""
        values = _mapping(raw)
        found = dims_of(values) if values is not None else ""
        return None if isinstance(found, str) else _bound(self.dims).setdefault(raw, found)


def decode_chunk(rows: Sequence[Row], memo: Memo) -> tuple[list[Event], list[tuple[Row, Rejection]]]:
    """The valid events of a chunk in log order, and the refused records with their reasons."""
    groups, refused = decode_groups(rows, memo)
    return sorted((event for group in groups.values() for event in group), key=_OFFSET), refused


def decode_groups(rows: Sequence[Row], memo: Memo) -> tuple[dict[str, list[Event]], list[tuple[Row, Rejection]]]:
    """The valid events of a chunk by employee, each group in log order, and the refused records."""
    slots: Slots = {}
    unsure: list[Row] = []
    for begin in range(0, len(rows), _SLICE):
        part = rows[begin : begin + _SLICE]
        unsure.extend(_turn(part, _wires(part), memo, slots))
    groups = {employee_id: group for employee_id, group, _ in slots.values() if group and employee_id}
    refused: list[tuple[Row, Rejection]] = []
    for record in unsure:
        row = Row(*record)
        found = decode_one(row.value, row.key, memo.topic, row.timestamp, memo.in_partition)
        if isinstance(found, Rejection):
            refused.append((row, found))
        else:
            found.offset = row.offset
            insort(groups.setdefault(found.employee_id, []), found, key=_OFFSET)
    return groups, refused


def _wires(rows: Sequence[Row]) -> Sequence[_Wire | None]:
    """Every record as msgspec reads it, None where it does not.

    The joined text is read in one call only when each record begins with `{` and ends with `}` and holds no line
    break: `}` line break `{` is a syntax error inside any JSON value, so each line is exactly one whole value.
    """
    values = [row[3] for row in rows]
    if None not in values and _framed(cast("list[bytes]", values)):
        joined = b"\n".join(cast("list[bytes]", values))
        if joined.count(b"\n") == len(values) - 1:
            try:
                wires = _decoder.decode_lines(joined)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                wires = []
            if len(wires) == len(values) and _valid_ids(wires):
                return wires
    return [_wire(value) for value in values]


def _framed(values: list[bytes]) -> bool:
    """Every value is an object at first sight, and none is too large."""
    if not all(values) or max(map(len, values)) > MAX_BYTES:
        return False
    return set(map(_FIRST, values)) == {_OPENING} and set(map(_LAST, values)) == {_CLOSING}


def _valid_ids(wires: Sequence[_Wire]) -> bool:
    text = "\n".join([wire.event_id for wire in wires]) + "\n"
    return text.count("\n") == len(wires) and _ids.fullmatch(text) is not None


def _wire(value: bytes | None) -> _Wire | None:
    """One record. msgspec skips what is in unknown fields without a look: its text and depth are looked at here."""
    if value is None or len(value) > MAX_BYTES or is_too_deep(value):
        return None
    try:
        value.decode()
        wire = _loose.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return wire if ID.fullmatch(wire.event_id) is not None else None


def _turn(rows: Sequence[Row], wires: Sequence[_Wire | None], memo: Memo, slots: Slots) -> list[Row]:
    """Turns wires into Events in place and puts them into their employee's slot; the rows not sure to be valid.

    The hottest loop of the product: lookups are local, and memos are asked before functions are called.
    """
    times, sources, types = memo.times, memo.sources, memo.types
    measures, dims = memo.measures, memo.dims
    unsure: list[Row] = []
    wire: Any  # a _Wire on its way to be an Event
    for row, wire in zip(rows, wires, strict=True):
        offset, stamp, key, _, _ = row
        slot = slots.get(key)
        if slot is None:
            own: list[Event] = []
            slot = slots[key] = (memo.keys.get(key) or memo.key(key), own, own.append)
        if wire is None or slot[0] != wire.employee_id:
            unsure.append(row)
            continue
        at = wire.occurred_at
        at = times.get(at) or memo.time(at)
        text = wire.source
        source = sources.get(text) or memo.source(text)
        text = wire.type
        kind = types.get(text) or memo.type(text)
        raw = bytes(wire.measures)
        measured = measures.get(raw) or memo.measured(raw)
        raw = bytes(wire.dims)
        dim = dims.get(raw) or memo.dimensions(raw)
        if not (at and source and kind and measured and dim) or at - stamp > SKEW:
            unsure.append(row)
            continue
        content = measured.digest ^ dim.content ^ source ^ kind
        corrects = wire.corrects
        if corrects is UNSET:
            if not measured.inspection and text == INSPECTION:
                unsure.append(row)
                continue
            wire.digest = content
            wire.corrects = None
        else:
            if ID.fullmatch(corrects) is None:
                unsure.append(row)
                continue
            wire.digest = content ^ content_digest("corrects", corrects)
        wire.kind = dim.digest ^ kind
        wire.occurred_at = at
        wire.measures = measured
        wire.dims = dim
        wire.offset = offset
        wire.timestamp = stamp
        slot[2](wire)
    return unsure


def _bound(memo: dict[Any, Any], times: int = 1) -> dict[Any, Any]:
    if len(memo) >= _MEMO * times:
        memo.clear()
    return memo


def _mapping(raw: bytes) -> dict[str, object] | None:
    try:
        found = _raw_decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def decode_one(
    value: bytes | None, key: bytes | None, topic: str, timestamp: int, in_partition: InPartition
) -> Event | Rejection:
    """One record by the letter of the contract: the event, or the first reason that holds against it.

    `in_partition` tells whether a key belongs to the record's partition.
    """
    if value is not None and len(value) > MAX_BYTES:
        return Rejection("too_large", f"{len(value)} bytes, at most {MAX_BYTES} are allowed")
    parsed = _parse(value)
    if isinstance(parsed, Rejection):
        return parsed
    found = _shape(parsed) or _identifiers(parsed)
    if found is not None:
        return found
    at = _instant(parsed["occurred_at"])
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


def _parse(value: bytes | None) -> dict[str, Any] | Rejection:
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


def _instant(raw: str | int | float) -> int | None:
    at = parse_rfc3339(raw) if isinstance(raw, str) else raw
    return at if isinstance(at, int) and FIRST <= at <= LAST else None


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
