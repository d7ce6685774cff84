"""A shift's times are those of the clock on the wall: read and compared as local minutes, whatever a zone does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.instants import HOUR
from stream.alert_reader import ID_PATTERN, ID_REMEDY
from stream.fields import Field
from stream.readers import read_duration, read_label, read_matching
from stream.yaml_tree import Listing, Mapping, Scalar

DAY_MINUTES: Final = 1440
MAX_SHIFTS: Final = 24
MAX_EARLY: Final = 6 * HOUR
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_SHIFT: Final = ("start", "end", "breaks")
_SHIFT_REMEDY: Final = 'write {start: "06:00", end: "14:00"}'
_BREAK_REMEDY: Final = 'write - {start: "10:00", end: "10:15"}'


class LocalSpan(NamedTuple):
    """From one minute to another, both since midnight of the shift's date."""

    start: int
    end: int


class LocalShift(NamedTuple):
    """A shift on any date, its breaks in order of time; `end` and breaks may lie on the next day."""

    id: str
    start: int
    end: int
    breaks: tuple[LocalSpan, ...]


def read_shifts(field: Field) -> dict[str, LocalShift]:
    """One to 24 shifts by id."""
    remedy = f"write shifts by id, such as early: and below it {_SHIFT_REMEDY[6:]}"
    if not isinstance(field.node, Mapping):
        field.fail("is missing" if field.node is None else "is not a mapping", remedy)
        return {}
    shifts = {}
    for name, place in field.entries():
        if re.fullmatch(ID_PATTERN, name) is None:
            place.fail(f"{name[:80]!r} is no id of a shift", ID_REMEDY)
        shifts[name] = _shift(name, place)
    if not 1 <= len(field.node.entries) <= MAX_SHIFTS:
        field.fail(f"has {len(field.node.entries)} shifts", f"write one to {MAX_SHIFTS}")
    return shifts


def _shift(name: str, field: Field) -> LocalShift:
    fields = field.fields(_SHIFT, _SHIFT_REMEDY)
    if fields is None:
        return LocalShift(name, 0, 1, ())
    start, end = _times(field, fields["start"], fields["end"], _SHIFT_REMEDY)
    if end <= start:
        end += DAY_MINUTES
    breaks: tuple[LocalSpan, ...] = ()
    if fields["breaks"].present and field.findings.is_clean(field.path):
        breaks = _breaks(fields["breaks"], start, end)
    return LocalShift(name, start, end, breaks)


def _times(field: Field, first: Field, last: Field, remedy: str) -> LocalSpan:
    start, end = read_time(first), read_time(last)
    if start == end and field.findings.is_clean(first.path, last.path):
        last.fail("is the start, too", f"{remedy}; an end before the start is on the next day")
    return LocalSpan(start, end)


def read_time(field: Field) -> int:
    """Minutes since midnight of a local time; 0 after an error."""
    text = read_matching(field, _TIME, 'write a local time "HH:MM" from "00:00" to "23:59"')
    return int(text[:2]) * 60 + int(text[3:]) if text else 0


def _breaks(field: Field, start: int, end: int) -> tuple[LocalSpan, ...]:
    """Those of a shift from `start` to `end`, in order of time."""
    found: list[tuple[LocalSpan, Field]] = []
    for item in items_or_none(field, _BREAK_REMEDY):
        fields = item.fields(("start", "end"), _BREAK_REMEDY)
        if fields is None:
            continue
        begins, ends = _times(item, fields["start"], fields["end"], _BREAK_REMEDY)
        if not item.findings.is_clean(item.path):
            continue
        begins += DAY_MINUTES if begins < start else 0
        while ends <= begins:
            ends += DAY_MINUTES
        if ends > end:
            item.fail("is not within the shift", f"keep it between {clock(start)} and {clock(end)}")
        found.append((LocalSpan(begins, ends), item))
    found.sort(key=lambda one: one[0])
    for (before, _), (span, item) in pairwise(found):
        if span.start < before.end:
            item.fail(f"begins before another break ends, at {clock(before.end)}", "write them one after the other")
    return tuple(span for span, _ in found)


def clock(minute: int) -> str:
    """A local time as people write it."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def check_order(field: Field, shifts: Sequence[LocalShift]) -> None:
    """Within one day's list nothing begins before what is before it has ended."""
    ordered = sorted(shifts, key=lambda shift: (shift.start, shift.end))
    for before, shift in pairwise(ordered):
        if shift.start < before.end:
            said = f"{shift.id} begins at {clock(shift.start)}, before {before.id} ends at {clock(before.end)}"
            field.fail(said, "put shifts on one day that follow each other, or shorten one")


def items_or_none(field: Field, remedy: str) -> list[Field]:
    """The fields of a list, which may be empty; anything else is noted as an error."""
    if isinstance(field.node, Listing) and not field.node.items:
        return []
    return field.items(remedy)


def read_units(field: Field) -> frozenset[str] | None:
    """The units that a calendar names; None for everyone."""
    remedy = "write everyone, or a list of units such as [L01, L02]"
    if isinstance(field.node, Scalar):
        if field.node.text != "everyone":
            field.fail("is neither a list of units nor everyone", remedy)
        return None
    units: set[str] = set()
    for item in field.items(remedy):
        unit = read_label(item, "the id of a unit")
        if unit in units:
            item.fail("stands there twice", "keep one of them")
        units.add(unit)
    return frozenset(units)


def read_early(field: Field) -> int:
    """How long before its start a shift may begin to count, in ms."""
    remedy = "write how long before its start work may count for a shift, from 0m to 6h"
    if isinstance(field.node, Scalar) and field.node.text == "0m":
        return 0
    early = read_duration(field, remedy)
    if early > MAX_EARLY:
        field.fail("is more than 6h", remedy)
    return early
