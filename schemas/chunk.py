"""Whole chunks in one pass of msgspec, exactly as `decode_one` would have it record by record.

Only what is sure to be valid is accepted here; every other record goes to `decode_one`, which says why it is refused.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, UnsetType

from schemas.event import ID, INSPECTION, MAX_BYTES, SKEW, Event, Rejection, Row, decode_one, is_too_deep
from schemas.measures import content_digest
from schemas.memo import Memo


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


Slots = dict[bytes | None, tuple[str | None, list[Event], Callable[[Event], None]]]  # by key: id, events, their append

_SLICE: Final = 500  # records decoded at once: what was just decoded is still in the processor's cache
_OFFSET: Final = attrgetter("offset")
_FIRST: Final = itemgetter(0)
_LAST: Final = itemgetter(-1)
_OPENING, _CLOSING = b"{}"
_decoder: Final = msgspec.json.Decoder(_Wire)
_loose: Final = msgspec.json.Decoder(_Loose)
_ids: Final = re.compile(r"(?:[A-Za-z0-9_.:-]{1,64}\n)*")


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
