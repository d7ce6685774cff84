"""A chunk's valid events by employee, as columns: what a chunk repeats stands once, in its tables.

Millions of small objects are what costs; events become objects only where one needs a closer look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec
import numpy as np

from schemas.event import Event
from schemas.measures import Dims, Measures
from schemas.packed import WIDTH, column, number_at


class Kind(msgspec.Struct, gc=False, frozen=True, eq=False):
    """Type and dims of an event, shared between events. `digest` stands for them, `content` is their part of it."""

    type: str
    dims: Dims
    digest: int
    content: int


class Tables(NamedTuple):
    """What a chunk's events share: its columns hold numbers of these."""

    kinds: Sequence[Kind]
    measures: Sequence[Measures]
    sources: Sequence[str]


class Copy(NamedTuple):
    """A record that says the same as the employee's event before it, in every word that counts."""

    owner: int  # whose, by number
    place: int  # of that event, among the employee's
    offset: int
    stamp: int


class Packed(msgspec.Struct, gc=False, array_like=True):
    """A chunk's events by employee and, of one employee, in log order; copies left out. One packed number an event.

    The columns are of 8 bytes (schemas/packed.py), those that hold numbers of a table of 4.
    """

    names: Sequence[str]  # employees
    bounds: Sequence[int]  # the place of each one's first event; one more at the end
    text: str  # the events' ids, each with a line break behind it
    breaks: Sequence[int]  # as bounds, in the text
    first: Sequence[int]  # the offset of each one's first record
    after: Sequence[int]  # the offset behind each one's last record
    times: bytes  # occurred_at in ms
    digests: bytes  # of the whole content
    kinds: bytes
    measures: bytes
    sources: bytes
    offsets: bytes
    stamps: bytes  # log time in ms
    disorderly: Sequence[int]  # employees (by number) with an event that is not newer than their one before
    copies: Sequence[Copy]  # in this order
    corrects: Mapping[int, str]  # by offset: the id of the event that this one corrects
    delay: int  # the largest log time - occurred_at, in ms


class EventGroups:
    """A chunk's events by employee."""

    def __init__(self, packed: Packed, tables: Tables) -> None:
        self.packed = packed
        self.tables = tables

    # What a chunk on its way to another process never needs is made on first use, or by `unpack`.

    def unpack(self) -> None:
        """Makes the columns now: in a thread, say, while a loop has other things to do."""
        _ = self.times, self.kinds, self.measures, self.sources

    @cached_property
    def times(self) -> list[int]:
        """occurred_at of each event, in ms."""
        times: list[int] = np.frombuffer(self.packed.times, np.int64).tolist()
        return times

    @cached_property
    def kinds(self) -> list[int]:
        """The digest of each event's kind."""
        digests = column([kind.digest for kind in self.tables.kinds])
        kinds: list[int] = digests[np.frombuffer(self.packed.kinds, np.int32)].tolist()
        return kinds

    @cached_property
    def measures(self) -> list[Measures]:
        """The measures of each event."""
        return list(map(self.tables.measures.__getitem__, np.frombuffer(self.packed.measures, np.int32).tolist()))

    @cached_property
    def sources(self) -> list[int]:
        """The number of each event's source."""
        sources: list[int] = np.frombuffer(self.packed.sources, np.int32).tolist()
        return sources

    @cached_property
    def shapes(self) -> dict[int, Kind]:
        """Kinds by digest."""
        return {kind.digest: kind for kind in self.tables.kinds}

    @cached_property
    def disorderly(self) -> frozenset[int]:
        """Employees (by number) with an event that is not newer than their one before."""
        return frozenset(self.packed.disorderly)

    @cached_property
    def corrected(self) -> frozenset[int]:
        """Employees (by number) with a correction."""
        packed = self.packed
        if not packed.corrects:
            return frozenset()
        places = np.isin(np.frombuffer(packed.offsets, np.int64), list(packed.corrects)).nonzero()[0]
        return frozenset((np.array(packed.bounds).searchsorted(places, "right") - 1).tolist())

    @cached_property
    def ids(self) -> list[str]:
        """The id of each event."""
        return self.packed.text.split("\n")

    @cached_property
    def copies(self) -> dict[int, list[Copy]]:
        """Copies by employee (by number)."""
        found: dict[int, list[Copy]] = {}
        for copy in self.packed.copies:
            found.setdefault(copy.owner, []).append(copy)
        return found

    def __iter__(self) -> Iterator[tuple[str, EventColumns]]:
        return ((name, EventColumns(self, number)) for number, name in enumerate(self.packed.names))

    def events(self) -> Iterator[Event]:
        """All events, copies too, by employee."""
        for employee_id, own in self:
            yield from own.events(employee_id)


class EventColumns:
    """One employee's events, one in each place of every column, in log order."""

    __slots__ = ("_begin", "_groups", "_ids", "_number", "kinds", "measures", "times")

    def __init__(self, groups: EventGroups, number: int) -> None:
        begin, end = groups.packed.bounds[number : number + 2]
        self._groups = groups
        self._number = number
        self._begin = begin
        self._ids: Sequence[str] | None = None
        self.times = groups.times[begin:end]
        self.kinds = groups.kinds[begin:end]
        self.measures = groups.measures[begin:end]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def first(self) -> int:
        """The offset of the first record."""
        return self._groups.packed.first[self._number]

    @property
    def after(self) -> int:
        """The offset behind the last record."""
        return self._groups.packed.after[self._number]

    @property
    def delay(self) -> int:
        """No event is logged later than so many ms after it occurred."""
        return self._groups.packed.delay

    @property
    def orderly(self) -> bool:
        """Whether each event is newer than the one before, and none is a correction."""
        groups = self._groups
        return self._number not in groups.disorderly and self._number not in groups.corrected

    def shape(self, kind: int) -> Kind:
        """Type and dims of a kind, by its digest."""
        return self._groups.shapes[kind]

    def corrects(self, place: int) -> bool:
        """Whether an event is a correction."""
        corrects = self._groups.packed.corrects
        return bool(corrects) and self.offset(place) in corrects

    def copies(self) -> Sequence[Copy]:
        """Records that repeat one of the events, in log order."""
        return self._groups.copies.get(self._number, ())

    def offset(self, place: int) -> int:
        """Where an event is in the log; they ascend."""
        return number_at(self._groups.packed.offsets, self._begin + place)

    def stamp(self, place: int) -> int:
        """An event's log time in ms."""
        return number_at(self._groups.packed.stamps, self._begin + place)

    @property
    def _text(self) -> str:
        packed, number = self._groups.packed, self._number
        return packed.text[packed.breaks[number] : packed.breaks[number + 1]]

    @property
    def ids(self) -> Sequence[str]:
        """The events' ids."""
        if self._ids is None:
            self._ids = self._text.split("\n")[:-1]
        return self._ids

    def identities(self, begin: int, end: int) -> tuple[str, bytes, bytes]:
        """Ids (each with a line break), times and content digests from one place to another, packed."""
        packed = self._groups.packed
        text = self._text if end - begin == len(self.times) else "\n".join((*self.ids[begin:end], ""))
        first, last = (self._begin + begin) * WIDTH, (self._begin + end) * WIDTH
        return text, packed.times[first:last], packed.digests[first:last]

    def note_newest(self, newest: dict[str, int], begin: int, end: int) -> None:
        """Notes the last occurred_at by source from one place to another, where times ascend."""
        names = self._groups.tables.sources
        sources = self._groups.sources[self._begin + begin : self._begin + end]
        if sources.count(sources[0]) == len(sources):
            newest[names[sources[0]]] = self.times[end - 1]
        else:
            newest.update(zip(map(names.__getitem__, sources), self.times[begin:end], strict=True))

    def event(self, place: int, employee_id: str) -> Event:
        """One event as a whole."""
        groups, offset = self._groups, self.offset(place)
        packed, tables, at = groups.packed, groups.tables, self._begin + place
        kind = groups.shapes[self.kinds[place]]
        return Event(
            self.ids[place], kind.type, employee_id, self.times[place],
            tables.sources[groups.sources[at]], self.measures[place], kind.dims, packed.corrects.get(offset),
            number_at(packed.digests, at), kind.digest, offset, self.stamp(place),
        )  # fmt: skip

    def copy(self, copy: Copy, employee_id: str) -> Event:
        """A record that repeats an event, as a whole."""
        event = self.event(copy.place, employee_id)
        event.offset, event.timestamp = copy.offset, copy.stamp
        return event

    def events(self, employee_id: str) -> Iterator[Event]:
        """All events in log order, copies too."""
        copies, following = self.copies(), 0
        for place in range(len(self)):
            yield self.event(place, employee_id)
            while following < len(copies) and copies[following].place == place:
                yield self.copy(copies[following], employee_id)
                following += 1
