"""What chunks repeat, parsed once: times, sources, types, measures, dims, keys. Bounded, and never a decision more.

Each method gives what schemas/event.py would find in the text, None where it would refuse it.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from schemas.columns import Kind
from schemas.event import ID, TOPIC_OF, TYPE, InPartition
from schemas.instants import FIRST, LAST, parse_rfc3339
from schemas.measures import NO_DIMS, Dims, Measures, clean_text, content_digest, digest, dims_of, measures_of
from schemas.unreadable import UNREADABLE

_MEMO: Final = 20_000  # distinct texts kept per memo; beyond that it starts anew
Entry = TypeVar("Entry")

_raw_decoder: Final = msgspec.json.Decoder()


class Memo:
    """What chunks repeat, parsed once: times, sources, types, measures, dims, keys. Bounded.

    Employees, kinds, measures and sources stand in tables, and what is remembered is their number there, from 1 on;
    numbers hold until the next `trim`.
    """

    def __init__(self, topic: str, in_partition: InPartition) -> None:
        self.topic = topic
        self.in_partition = in_partition
        self.inspections = topic == TOPIC_OF["qc"]  # inspections come here
        self.times: dict[str | int, int] = {}
        self.types: dict[str, int] = {}
        self.dims: dict[bytes, Dims] = {b"{}": NO_DIMS}
        self._empty()

    def _empty(self) -> None:
        self.employees: list[str] = [""]
        self.all_kinds: list[Kind] = [Kind("", NO_DIMS, 0, 0)]
        self.all_measures: list[Measures] = [Measures({}, 0, False)]
        self.all_sources: list[str] = [""]
        self.source_digests: list[int] = [0]
        self.keys: dict[bytes | None, int] = {}
        self.kinds: dict[str, dict[bytes, int]] = {}
        self.measures: dict[bytes, int] = {}
        self.sources: dict[str, int] = {}
        self.no_inspections: set[int] = set()  # measures that are against the rules of one

    def trim(self) -> None:
        """Forgets everything when it has become too much."""
        entries = max(len(self.all_kinds), len(self.all_measures), len(self.all_sources))
        if entries > _MEMO or len(self.employees) > 10 * _MEMO:
            self._empty()

    def time(self, raw: str | int) -> int | None:
        """A new occurred_at in ms, None when it is none or out of range."""
        at = parse_rfc3339(raw) if isinstance(raw, str) else raw
        if at is None or not FIRST <= at <= LAST:
            return None
        _bound(self.times)[raw] = at
        return at

    def source(self, text: str) -> int | None:
        """The number of a new source, None when it is not clean."""
        if not clean_text(text):
            return None
        self.source_digests.append(digest("source", text))
        return self.sources.setdefault(text, _added(self.all_sources, text))

    def type(self, text: str) -> int | None:
        """The digest of a new type, None when it does not belong in this topic."""
        match = TYPE.fullmatch(text)
        if match is None or TOPIC_OF[match[1]] != self.topic:
            return None
        found: int = _bound(self.types).setdefault(text, content_digest("type", text))
        return found

    def kind(self, text: str, raw: bytes) -> int | None:
        """The number of a new kind of events, of a type and dims (their JSON text); None when one is refused."""
        mark = self.types.get(text) or self.type(text)
        dims = self.dims.get(raw) or self.dimensions(raw)
        if not mark or not dims:
            return None
        kind = Kind(text, dims, dims.digest ^ mark, dims.content ^ mark)
        return self.kinds.setdefault(text, {}).setdefault(raw, _added(self.all_kinds, kind))

    def key(self, key: bytes | None) -> int | None:
        """The number of the employee of a new key, None when it is none or in another partition."""
        if key is None or not key.isascii() or ID.fullmatch(key.decode()) is None or not self.in_partition(key):
            return None
        return self.employee(key.decode())

    def employee(self, name: str) -> int:
        """The number of an employee, known or not."""
        key = name.encode()
        return self.keys.get(key) or self.keys.setdefault(key, _added(self.employees, name))

    def measured(self, raw: bytes) -> int | None:
        """The number of new measures from their JSON text, None when anything is wrong with them."""
        values = _mapping(raw)
        found = measures_of(values) if values is not None else ""
        if isinstance(found, str):
            return None
        number = self.measures.setdefault(raw, _added(self.all_measures, found))
        if not found.inspection:
            self.no_inspections.add(number)
        return number

    def dimensions(self, raw: bytes) -> Dims | None:
        """New dims from their JSON text, None when anything is wrong with them."""
        values = _mapping(raw)
        found = dims_of(values) if values is not None else ""
        return None if isinstance(found, str) else _bound(self.dims).setdefault(raw, found)


def _added(table: list[Entry], entry: Entry) -> int:
    """The number of an entry at the end of a table."""
    table.append(entry)
    return len(table) - 1


def _bound(memo: dict[Any, Any]) -> dict[Any, Any]:
    if len(memo) >= _MEMO:
        memo.clear()
    return memo


def _mapping(raw: bytes) -> dict[str, object] | None:
    try:
        found = _raw_decoder.decode(raw)
    except UNREADABLE:
        return None
    return found if isinstance(found, dict) else None
