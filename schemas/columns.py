"""A chunk's valid events by employee, packed: what a chunk repeats stands once, in its tables.

Millions of small objects are what costs; a packed employee is a text and some bytes until their events are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final

import msgspec

from schemas.event import Event
from schemas.measures import Dims, Measures
from schemas.packed import WIDTH, number_at, pack, unpack

_PLACES, _TIMES, _DIGESTS = range(3)
_COLUMNS: Final = 3
_DIGEST: Final = attrgetter("digest")

Packed = tuple[str, bytes]
"""One employee's events in log order: their ids, each with a line break behind it, and three columns of numbers: which
places of the chunk they have, occurred_at, content digests."""


class Kind(msgspec.Struct, gc=False, frozen=True, eq=False):
    """Type and dims of an event, shared between events. `digest` stands for them, `content` is their part of it."""

    type: str
    dims: Dims
    digest: int
    content: int


class Tables(msgspec.Struct, gc=False):
    """What a chunk's events share, by place: the order in which they were decoded, which is mostly that of the log."""

    kinds: Sequence[int]  # digests
    measures: Sequence[Measures]
    sources: Sequence[str]
    offsets: bytes  # packed: few are looked at
    stamps: bytes  # log time in ms, packed
    corrects: Mapping[int, str]  # by offset: the id of the event that this one corrects
    delay: int  # the largest log time - occurred_at, in ms, or more
    shapes: Mapping[int, Kind]  # the kinds by digest


class EventColumns:
    """One employee's events, one in each place of every column, in log order."""

    __slots__ = ("_ids", "_numbers", "_places", "_size", "_text", "kinds", "measures", "tables", "times")

    def __init__(self, packed: Packed, tables: Tables) -> None:
        self._text, self._numbers = packed
        self._size = len(self._numbers) // _COLUMNS
        self._ids: Sequence[str] | None = None
        self._places = unpack(self._column(_PLACES))
        self.tables = tables
        self.times = unpack(self._column(_TIMES))  # occurred_at in ms
        self.kinds = list(map(tables.kinds.__getitem__, self._places))
        self.measures = list(map(tables.measures.__getitem__, self._places))

    def __len__(self) -> int:
        return len(self.times)

    def _column(self, number: int) -> bytes:
        return self._numbers[number * self._size : (number + 1) * self._size]

    @property
    def ids(self) -> Sequence[str]:
        """The events' ids."""
        if self._ids is None:
            self._ids = self._text.split("\n")[:-1]
        return self._ids

    def offset(self, place: int) -> int:
        """Where an event is in the log; they ascend."""
        return number_at(self.tables.offsets, self._places[place])

    def stamp(self, place: int) -> int:
        """An event's log time in ms."""
        return number_at(self.tables.stamps, self._places[place])

    def identities(self, begin: int, end: int) -> tuple[str, bytes, bytes]:
        """Ids (each with a line break), times and content digests from one place to another, packed."""
        if end - begin == len(self.times):
            return self._text, self._column(_TIMES), self._column(_DIGESTS)
        part = slice(begin * WIDTH, end * WIDTH)
        text = "\n".join([*self.ids[begin:end], ""])
        return text, self._column(_TIMES)[part], self._column(_DIGESTS)[part]

    def newest(self, begin: int, end: int) -> dict[str, int]:
        """The last occurred_at by source from one place to another, where times ascend."""
        places, times = self._places, self.times
        if end - begin < len(times):
            places, times = places[begin:end], times[begin:end]
        return dict(zip(map(self.tables.sources.__getitem__, places), times, strict=True))

    def event(self, place: int, employee_id: str) -> Event:
        """One event as a whole."""
        tables, offset = self.tables, self.offset(place)
        kind = tables.shapes[self.kinds[place]]
        return Event(
            self.ids[place], kind.type, employee_id, self.times[place], tables.sources[self._places[place]],
            self.measures[place], kind.dims, tables.corrects.get(offset),
            number_at(self._numbers, len(self.times) * _DIGESTS + place), kind.digest, offset, self.stamp(place),
        )  # fmt: skip


class EventGroups(msgspec.Struct, gc=False):
    """A chunk's events by employee."""

    tables: Tables
    packed: Mapping[str, Packed]

    def __iter__(self) -> Iterator[tuple[str, EventColumns]]:
        tables = self.tables
        return ((employee_id, EventColumns(packed, tables)) for employee_id, packed in self.packed.items())

    def events(self) -> Iterator[Event]:
        """All events, by employee."""
        for employee_id, own in self:
            for place in range(len(own)):
                yield own.event(place, employee_id)


class Gathering:
    """Events in any order, to be packed by employee and in log order at the end."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ids: list[str] = []
        self.times: list[int] = []
        self.digests: list[int] = []
        self.kinds: list[Kind] = []
        self.measures: list[Measures] = []
        self.sources: list[str] = []
        self.offsets: list[int] = []
        self.stamps: list[int] = []
        self.corrects: dict[int, str] = {}  # by offset
        self.delay = 0
        self._in_order = True
        self._shapes: dict[int, Kind] = {}

    def add(self, event: Event) -> None:
        """One event more."""
        self._in_order = self._in_order and (not self.offsets or event.offset > self.offsets[-1])
        if event.corrects is not None:
            self.corrects[event.offset] = event.corrects
        self.delay = max(self.delay, event.timestamp - event.occurred_at)
        shape = self._shapes.get(event.kind)
        if shape is None:
            shape = self._shapes[event.kind] = Kind(event.type, event.dims, event.kind, 0)
        self.names.append(event.employee_id)
        self.ids.append(event.event_id)
        self.times.append(event.occurred_at)
        self.digests.append(event.digest)
        self.kinds.append(shape)
        self.measures.append(event.measures)
        self.sources.append(event.source)
        self.offsets.append(event.offset)
        self.stamps.append(event.timestamp)

    def groups(self) -> EventGroups:
        """What was gathered, packed by employee."""
        packed: dict[str, Packed] = {}
        for name, places in self._places().items():
            pick: Any = itemgetter(*places) if len(places) > 1 else _only(places[0])
            numbers = pack((*places, *pick(self.times), *pick(self.digests)))
            packed[name] = ("\n".join((*pick(self.ids), "")), numbers)
        shapes = {kind.digest: kind for kind in dict.fromkeys(self.kinds)}
        tables = Tables(
            list(map(_DIGEST, self.kinds)), self.measures, self.sources, pack(self.offsets), pack(self.stamps),
            self.corrects, self.delay, shapes,
        )  # fmt: skip
        return EventGroups(tables, packed)

    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            own = places.get(name)
            if own is None:
                places[name] = [place]
            else:
                own.append(place)
        if not self._in_order:
            for own in places.values():
                own.sort(key=self.offsets.__getitem__)
        return places


def _only(place: int) -> Any:
    return lambda column: (column[place],)


def columns_of(events: Iterable[Event]) -> EventColumns:
    """Events of one employee, in log order and at least one, as columns."""
    gathering = Gathering()
    for event in events:
        gathering.add(event)
    return next(own for _, own in gathering.groups())
