"""Whole chunks in one pass of msgspec, exactly as `decode_one` would have it record by record.

Only what is sure to be valid is accepted here; every other record goes to `decode_one`, which says why it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter, itemgetter, sub, xor
from typing import Final, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from schemas.columns import EventGroups, Gathering
from schemas.event import ID, INSPECTION, MAX_BYTES, SKEW, Event, Rejection, Row, decode_one, is_too_deep
from schemas.memo import Memo


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
Found = TypeVar("Found")

_SLICE: Final = 250  # records decoded at once: what was just decoded is still in the processor's cache
_OFFSET: Final = attrgetter("offset")
_FIELDS: Final = attrgetter(*_Wire.__struct_fields__)
_DIGEST: Final = attrgetter("digest")
_CONTENT: Final = attrgetter("content")
_INSPECTED: Final = attrgetter("inspection")
_FIRST: Final = itemgetter(0)
_LAST: Final = itemgetter(-1)
_OPENING, _CLOSING = b"{}"
_decoder: Final = msgspec.json.Decoder(_Wire)
_loose: Final = msgspec.json.Decoder(_Loose)
_ids: Final = re.compile(r"(?:[A-Za-z0-9_.:-]{1,64}\n)*")


def decode_chunk(rows: Sequence[Row], memo: Memo) -> tuple[list[Event], list[tuple[Row, Rejection]]]:
    """The valid events of a chunk in log order, and the refused records with their reasons."""
    groups, refused = decode_groups([rows], memo)
    return sorted(groups.events(), key=_OFFSET), refused


def decode_groups(pieces: Iterable[Sequence[Row]], memo: Memo) -> tuple[EventGroups, list[tuple[Row, Rejection]]]:
    """The valid events of a chunk by employee, in log order, and the refused records.

    The chunk may come in pieces, each decoded as it comes: what was just read is still in the processor's cache.
    """
    gathering = Gathering()
    unsure: list[Row] = []
    for rows in pieces:
        for begin in range(0, len(rows), _SLICE):
            unsure.extend(_gather(rows[begin : begin + _SLICE], memo, gathering))
    refused: list[tuple[Row, Rejection]] = []
    for record in sorted(unsure, key=_FIRST):  # in log order
        row = Row(*record)
        found = decode_one(row.value, row.key, memo.topic, row.timestamp, memo.in_partition)
        if isinstance(found, Rejection):
            refused.append((row, found))
        else:
            found.offset = row.offset
            gathering.add(found)
    return gathering.groups(), refused


def _gather(rows: Sequence[Row], memo: Memo, gathering: Gathering) -> list[Row]:
    """Gathers the records that are sure to be valid; the others."""
    wires = _wires([row[3] for row in rows])
    unsure: list[Row] = []
    if not all(wires):
        unsure = [row for row, wire in zip(rows, wires, strict=True) if wire is None]
        rows = list(compress(rows, wires))
        wires = list(compress(wires, wires))
    return unsure + _gather_wires(rows, cast("list[_Wire]", wires), memo, gathering) if rows else unsure


def _wires(values: Sequence[bytes | None]) -> Sequence[_Wire | None]:
    """Every record as msgspec reads it, None where it does not.

    The joined text is read in one call only when each record begins with `{` and ends with `}` and holds no line
    break: `}` line break `{` is a syntax error inside any JSON value, so each line is exactly one whole value.
    """
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


def _gather_wires(rows: Sequence[Row], wires: Sequence[_Wire], memo: Memo, gathering: Gathering) -> list[Row]:
    """Column by column, the hottest lines of the product: every loop here is one of the interpreter's own.

    What a memo does not know or a rule does not allow is left out, and told.
    """
    offsets, stamps, keys, _, _ = zip(*rows, strict=True)
    ids, types, employees, raw_times, sources, raw_measures, raw_dims, corrects = zip(*map(_FIELDS, wires), strict=True)
    names = _known(memo.keys, memo.key, keys)
    times = _known(memo.times, memo.time, raw_times)
    marks = _known(memo.sources, memo.source, sources)
    measures = _known(memo.measures, memo.measured, list(map(bytes, raw_measures)))
    kinds = _known(memo.kinds, memo.kind, list(zip(types, map(bytes, raw_dims), strict=True)))
    if not (
        all(times)
        and all(marks)
        and all(measures)
        and all(kinds)
        and tuple(names) == employees
        and corrects.count(UNSET) == len(corrects)
        and min(map(sub, stamps, times)) >= -SKEW
        and (not memo.inspections or all(map(_INSPECTED, measures)))
    ):
        sure = [
            bool(at and mark and measured and kind)
            and name == employee
            and corrected is UNSET
            and at - stamp <= SKEW
            and (measured.inspection or kind.type != INSPECTION)
            for at, mark, measured, kind, name, employee, corrected, stamp in zip(
                times, marks, measures, kinds, names, employees, corrects, stamps, strict=True
            )
        ]
        if not all(sure):
            valid = list(compress(rows, sure))
            unsure = [row for row, fine in zip(rows, sure, strict=True) if not fine]
            return unsure + _gather_wires(valid, list(compress(wires, sure)), memo, gathering) if valid else unsure
    digests = map(xor, map(xor, map(_DIGEST, measures), marks), map(_CONTENT, kinds))
    gathering.names += names
    gathering.times += times
    gathering.ids += ids
    gathering.digests += digests
    gathering.kinds += kinds
    gathering.measures += measures
    gathering.sources += sources
    gathering.offsets += offsets
    gathering.stamps += stamps
    gathering.delay = max(gathering.delay, max(map(sub, stamps, times)))
    return []


def _known(memo: Mapping[Text, Found], find: Callable[[Text], Found | None], texts: Sequence[Text]) -> list[Found]:
    """What a memo knows of each text, else what `find` makes of it; None stands in the list where that is nothing."""
    found = list(map(memo.get, texts))
    if not all(found):
        found = [known or memo.get(text) or find(text) for known, text in zip(found, texts, strict=True)]
    return cast("list[Found]", found)
