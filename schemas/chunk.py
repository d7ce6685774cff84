"""Whole chunks in one pass of msgspec, exactly as `decode_one` would have it record by record.

Only what is sure to be valid is accepted here; every other record goes to `decode_one`, which says why it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter, itemgetter
from typing import Final, Protocol, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from schemas.columns import EventGroups
from schemas.event import ID, INSPECTION, MAX_BYTES, SKEW, Event, Rejection, Row, decode_one, is_too_deep
from schemas.gathering import Gathering, Numbers, Slice
from schemas.instant_columns import instants
from schemas.memo import Memo
from schemas.packed import column
from schemas.unreadable import UNREADABLE


class _Wire(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An event as msgspec reads it."""

    event_id: str
    type: str
    employee_id: str
    occurred_at: int | str
    source: str
    measures: msgspec.Raw
    dims: msgspec.Raw = msgspec.Raw(b"{}")
    corrects: str | UnsetType = UNSET


class _Loose(_Wire, gc=False, forbid_unknown_fields=False):
    """The same with fields that nobody knows, which are ignored."""


Text = TypeVar("Text", bound=Hashable)

_SLICE: Final = 1_000  # records decoded at once: what was just decoded is still in the processor's cache
_OFFSET: Final = attrgetter("offset")
_FIRST: Final = itemgetter(0)
_LAST: Final = itemgetter(-1)
_OPEN: Final = set(b"{")
_CLOSED: Final = set(b"}")
_decoder: Final = msgspec.json.Decoder(_Wire)
_loose: Final = msgspec.json.Decoder(_Loose)
_ids: Final = re.compile(r"(?:[A-Za-z0-9_.:-]{1,64}\n)*")


def decode_chunk(rows: Sequence[Row], memo: Memo) -> tuple[list[Event], list[tuple[Row, Rejection]]]:
    """The valid events of a chunk in log order, and the refused records with their reasons."""
    groups, refused = decode_groups([rows], memo)
    return sorted(groups.events(), key=_OFFSET), refused


def decode_groups(pieces: Iterable[Sequence[Row]], memo: Memo) -> tuple[EventGroups, list[tuple[Row, Rejection]]]:
    """The valid events of a chunk by employee, in log order, and the refused records.

    The chunk may come in pieces, each decoded as it comes, so that its records need not be in memory together.
    """
    gathering = Gathering(memo)
    refused = _decode(pieces, memo, gathering)
    return gathering.groups(), refused


def valid_ids(rows: Sequence[Row], memo: Memo) -> tuple[list[tuple[int, str]], list[tuple[Row, Rejection]]]:
    """For who wants to know no more: offset and id of each valid event, in no order, and the refused records."""
    ids = _Ids()
    refused = _decode([rows], memo, ids)
    return ids.found, refused


class _Sink(Protocol):
    """Takes what is valid."""

    def add(self, events: Slice) -> None:
        """Events as columns."""

    def add_event(self, event: Event) -> None:
        """One event."""


class _Ids:
    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def add(self, events: Slice) -> None:
        self.found.extend(zip(events.offsets, events.ids, strict=True))

    def add_event(self, event: Event) -> None:
        self.found.append((event.offset, event.event_id))


def _decode(pieces: Iterable[Sequence[Row]], memo: Memo, sink: _Sink) -> list[tuple[Row, Rejection]]:
    memo.trim()
    unsure: list[Row] = []
    for rows in pieces:
        for begin in range(0, len(rows), _SLICE):
            unsure.extend(_gather(rows[begin : begin + _SLICE], memo, sink))
    refused: list[tuple[Row, Rejection]] = []
    for record in sorted(unsure, key=_FIRST):  # in log order
        row = Row(*record)
        found = decode_one(row.value, row.key, memo.topic, row.timestamp, memo.in_partition)
        if isinstance(found, Rejection):
            refused.append((row, found))
        else:
            found.offset = row.offset
            sink.add_event(found)
    return refused


def _gather(rows: Sequence[Row], memo: Memo, sink: _Sink) -> list[Row]:
    """Gathers the records that are sure to be valid; the others."""
    wires = _wires([row[3] for row in rows])
    unsure: list[Row] = []
    if not all(wires):
        unsure = [row for row, wire in zip(rows, wires, strict=True) if wire is None]
        rows = list(compress(rows, wires))
        wires = list(compress(wires, wires))
    return unsure + _gather_wires(rows, cast("list[_Wire]", wires), memo, sink) if rows else unsure


def _wires(values: Sequence[bytes | None]) -> Sequence[_Wire | None]:
    """Every record as msgspec reads it, None where it does not.

    The joined text is read in one call only when each record begins with `{` and ends with `}` and holds no line
    break: `}` line break `{` is a syntax error inside any JSON value, so each line is exactly one whole value.
    """
    if all(values) and max(map(len, known := cast("list[bytes]", values))) <= MAX_BYTES:
        joined = b"\n".join(known)
        alone = joined.count(b"\n") == len(known) - 1
        if alone and set(map(_FIRST, known)) == _OPEN and set(map(_LAST, known)) == _CLOSED:
            try:
                wires = _decoder.decode_lines(joined)
            except UNREADABLE:
                wires = []
            if len(wires) == len(values) and _valid_ids(wires):
                return wires
    return [_wire(value) for value in values]


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
    except UNREADABLE:
        return None
    return wire if ID.fullmatch(wire.event_id) is not None else None


def _gather_wires(rows: Sequence[Row], wires: Sequence[_Wire], memo: Memo, sink: _Sink) -> list[Row]:
    """Column by column, the hottest lines of the product: every loop here is one of the interpreter's own.

    What a memo does not know or a rule does not allow is left out, and told.
    """
    offsets, stamps, keys, _, _ = zip(*rows, strict=True)
    ids, types, employees, raw_times, texts, raw_measures, raw_dims, corrects = zip(*map(astuple, wires), strict=True)
    people = _known(memo.keys, memo.key, keys)
    times = _times(memo, raw_times)
    sources = _known(memo.sources, memo.source, texts)
    measures = _known(memo.measures, memo.measured, list(map(bytes, raw_measures)))
    kinds = _kinds(memo, types, list(map(bytes, raw_dims)))
    if not (
        all(people)
        and times.all()
        and all(sources)
        and all(measures)
        and all(kinds)
        and corrects.count(UNSET) == len(corrects)
        and b"\n".join(keys) == "\n".join(employees).encode()  # known keys hold no line break
        and (not memo.inspections or memo.no_inspections.isdisjoint(measures) or INSPECTION not in types)
        and min(stamps) >= 0  # as far as 64 bits can tell a difference: before 1970 each is looked at alone
        and bool((times - (logged := column(stamps))).max() <= SKEW)
    ):
        sure = [
            bool(person and at and source and measured and kind)
            and memo.employees[person] == employee
            and corrected is UNSET
            and at - stamp <= SKEW
            and (text != INSPECTION or measured not in memo.no_inspections)
            for person, at, source, measured, kind, employee, corrected, stamp, text in zip(
                people, times.tolist(), sources, measures, kinds, employees, corrects, stamps, types, strict=True
            )
        ]
        if not all(sure):
            valid = list(compress(rows, sure))
            unsure = [row for row, fine in zip(rows, sure, strict=True) if not fine]
            return unsure + _gather_wires(valid, list(compress(wires, sure)), memo, sink) if valid else unsure
        logged = column(stamps)
    sink.add(Slice(people, ids, times, kinds, measures, sources, offsets, logged))
    return []


def _times(memo: Memo, raw: Sequence[str | int]) -> Numbers:
    """occurred_at of each event in ms; 0 where it is refused."""
    times = instants(raw)
    if not times.all():
        known, find = memo.times.get, memo.time
        return column([at or known(text) or find(text) or 0 for at, text in zip(times.tolist(), raw, strict=True)])
    return times


def _kinds(memo: Memo, types: Sequence[str], dims: Sequence[bytes]) -> list[int]:
    """The number of each kind of events; None stands in the list where there is none."""
    known = memo.kinds.get(types[0])
    if known is not None and types.count(types[0]) == len(types):
        found = list(map(known.get, dims))
    else:
        found = [(memo.kinds.get(text) or {}).get(raw) for text, raw in zip(types, dims, strict=True)]
    if not all(found):
        found = [
            number or (memo.kinds.get(text) or {}).get(raw) or memo.kind(text, raw)
            for number, text, raw in zip(found, types, dims, strict=True)
        ]
    return cast("list[int]", found)


def _known(memo: Mapping[Text, int], find: Callable[[Text], int | None], texts: Sequence[Text]) -> list[int]:
    """What a memo knows of each text, else what `find` makes of it; None stands in the list where that is nothing."""
    found = list(map(memo.get, texts))
    if not all(found):
        found = [known or memo.get(text) or find(text) for known, text in zip(found, texts, strict=True)]
    return cast("list[int]", found)
