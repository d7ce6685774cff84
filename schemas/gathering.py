"""Valid events in the order of the log become columns by employee (schemas/columns.py): NumPy sorts whole chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, compress
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Copy, EventColumns, EventGroups, Kind, Packed, Tables
from schemas.event import Event
from schemas.memo import Memo
from schemas.packed import column

Numbers = NDArray[np.int64]
_ZERO: Final = np.zeros(1, np.int64)
_FEW: Final = 4  # entries of a table per event, up to which the whole table is looked through
_NOTHING: Final = Packed((), (0,), "", (0,), (), (), b"", b"", b"", b"", b"", b"", b"", (), (), {}, 0)


class Slice(NamedTuple):
    """Some events, a column each; employees, kinds, measures and sources are numbers of the memo's tables."""

    employees: Sequence[int]
    ids: Sequence[str]
    times: Numbers
    kinds: Sequence[int]
    measures: Sequence[int]
    sources: Sequence[int]
    offsets: Sequence[int]
    stamps: Numbers


class Gathering:
    """Slices of a chunk and single events, to be sorted by employee at the end. Numbers are those of one memo."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._slices: list[Slice] = []
        self._singles: list[Event] = []

    def add(self, events: Slice) -> None:
        """Events that follow those before."""
        self._slices.append(events)

    def add_event(self, event: Event) -> None:
        """An event from anywhere in the chunk."""
        self._singles.append(event)

    def groups(self) -> EventGroups:
        """What was gathered, by employee and in log order."""
        if self._singles:
            self._slices.append(self._single_slice())
        if not self._slices:
            return EventGroups(_NOTHING, Tables((), (), ()))
        employees, ids, times, kinds, measures, sources, offsets, stamps = zip(*self._slices, strict=True)
        memo, logged = self._memo, _joined(offsets)
        tables, numbers, digests = _tables(memo, _joined(kinds), _joined(measures), _joined(sources))
        if self._singles:
            digests[-len(self._singles) :] = [event.digest for event in self._singles]
        people = _joined(employees)
        order = np.lexsort((logged, people)) if self._singles else people.argsort(kind="stable")
        columns = [np.concatenate(times), digests, *numbers, logged, np.concatenate(stamps)]
        corrects = {event.offset: event.corrects for event in self._singles if event.corrects is not None}
        packed = _packed(
            memo.employees, people[order], _picked(list(chain.from_iterable(ids)), order),
            [each[order] for each in columns], corrects,
        )  # fmt: skip
        return EventGroups(packed, tables)

    def _single_slice(self) -> Slice:
        """Single events, their kinds and measures at the end of the tables."""
        memo, events = self._memo, self._singles
        employees = [memo.employee(event.employee_id) for event in events]
        kinds = range(len(memo.all_kinds), len(memo.all_kinds) + len(events))
        measures = range(len(memo.all_measures), len(memo.all_measures) + len(events))
        memo.all_kinds.extend(Kind(event.type, event.dims, event.kind, 0) for event in events)
        memo.all_measures.extend(event.measures for event in events)
        sources = [memo.sources.get(event.source) or memo.source(event.source) or 0 for event in events]
        times, stamps = column([e.occurred_at for e in events]), column([e.timestamp for e in events])
        ids, offsets = [event.event_id for event in events], [event.offset for event in events]
        return Slice(employees, ids, times, kinds, measures, sources, offsets, stamps)


def columns_of(events: Iterable[Event]) -> EventColumns:
    """Events of one employee, in log order and at least one, as columns."""
    gathering = Gathering(Memo("", lambda key: True))
    for event in events:
        gathering.add_event(event)
    return next(own for _, own in gathering.groups())


def _packed(
    names: Sequence[str],
    people: Numbers,
    ids: Sequence[str],
    columns: Sequence[NDArray[Any]],
    corrects: Mapping[int, str],
) -> Packed:
    """Columns (times, digests, kinds, measures, sources, offsets, stamps) in their order, people ascending."""
    times, digests, _, _, _, offsets, stamps = columns
    delay = int((stamps - times).max())
    same = people[1:] == people[:-1]  # the employee of the place before
    bounds = _bounds(same)
    first, after = offsets[bounds[:-1]].tolist(), (offsets[bounds[1:] - 1] + 1).tolist()
    gone = [] if corrects else _copies(same, ids, times, digests)
    copies: list[Copy] = []
    if gone:
        kept = np.ones(len(people), bool)
        kept[gone] = False
        before = kept.cumsum()[gone] - 1  # where each copy's original stands without copies
        columns, people, ids = [each[kept] for each in columns], people[kept], list(compress(ids, kept.tolist()))
        times, same = columns[0], people[1:] == people[:-1]
        bounds = _bounds(same)
        owners = _owners(bounds, before)
        rest = (owners, before - bounds[owners], offsets[gone], stamps[gone])
        copies = list(map(Copy, *(each.tolist() for each in rest)))
    letters = np.concatenate((_ZERO, np.fromiter(map(len, ids), np.int64, len(ids)).cumsum()))
    back = (same & (times[1:] <= times[:-1])).nonzero()[0] + 1
    when, contents, kinds, measures, sources, places, logged = (each.tobytes() for each in columns)
    return Packed(
        [names[number] for number in people[bounds[:-1]].tolist()], bounds.tolist(), "\n".join((*ids, "")),
        (letters[bounds] + bounds).tolist(), first, after, when, contents, kinds, measures, sources, places, logged,
        sorted(set(_owners(bounds, back).tolist())) if len(back) else (), copies, corrects, delay,
    )  # fmt: skip


def _bounds(same: NDArray[np.bool_]) -> Numbers:
    """The places where an employee's events begin, and the end; `same` says who goes on, from the second place on."""
    return np.concatenate((_ZERO, (~same).nonzero()[0] + 1, (len(same) + 1,)))


def _owners(bounds: Numbers, places: Numbers) -> Numbers:
    """The employees (by number) of places."""
    return bounds.searchsorted(places, "right") - 1


def _copies(again: NDArray[np.bool_], ids: Sequence[str], times: Numbers, digests: Numbers) -> list[int]:
    """The places that say the same as the ones before."""
    alike = again & (times[1:] == times[:-1]) & (digests[1:] == digests[:-1])
    return [place for place in (alike.nonzero()[0] + 1).tolist() if ids[place] == ids[place - 1]]


def _tables(
    memo: Memo, kinds: Numbers, measures: Numbers, sources: Numbers
) -> tuple[Tables, list[NDArray[np.int32]], Numbers]:
    """The entries that a chunk uses, its columns as numbers of these, and the digest of each event's content."""
    used_kinds, kinds_here = _compact(kinds, len(memo.all_kinds))
    used_measures, measures_here = _compact(measures, len(memo.all_measures))
    used_sources, sources_here = _compact(sources, len(memo.all_sources))
    tables = Tables(
        [memo.all_kinds[number] for number in used_kinds],
        [memo.all_measures[number] for number in used_measures],
        [memo.all_sources[number] for number in used_sources],
    )
    digests = (
        column([kind.content for kind in tables.kinds])[kinds_here]
        ^ column([measured.digest for measured in tables.measures])[measures_here]
        ^ column([memo.source_digests[number] for number in used_sources])[sources_here]
    )
    return tables, [kinds_here, measures_here, sources_here], digests


def _compact(numbers: Numbers, size: int) -> tuple[list[int], NDArray[np.int32]]:
    """The distinct ones of numbers below `size`, and the place of each number among them."""
    if size > _FEW * len(numbers):
        found = numbers.tolist()
        places = dict(zip(dict.fromkeys(found), range(len(found)), strict=False))
        return list(places), np.array([places[number] for number in found], np.int32)
    seen = np.zeros(size, bool)
    seen[numbers] = True
    return seen.nonzero()[0].tolist(), (seen.cumsum(dtype=np.int32) - 1)[numbers]


def _picked(ids: Sequence[str], order: Numbers) -> Sequence[str]:
    return list(map(ids.__getitem__, order.tolist()))


def _joined(columns: Sequence[Sequence[int]]) -> Numbers:
    return column(columns[0] if len(columns) == 1 else list(chain.from_iterable(columns)))
