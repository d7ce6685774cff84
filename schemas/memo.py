"""What chunks repeat, parsed once: times, sources, types, measures, dims, keys. Bounded, and never a decision more.

Each method gives what schemas/event.py would find in the text, None where it would refuse it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from schemas.columns import Kind
from schemas.event import ID, TOPIC_OF, TYPE, InPartition
from schemas.instants import FIRST, LAST, parse_rfc3339
from schemas.measures import NO_DIMS, Dims, Measures, clean_text, content_digest, digest, dims_of, measures_of

_MEMO: Final = 20_000  # distinct texts kept per memo; beyond that it starts anew
_raw_decoder: Final = msgspec.json.Decoder()
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
        self.kinds: dict[tuple[str, bytes], Kind] = {}
        self.inspections = topic == TOPIC_OF["qc"]  # inspections come here
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

    def kind(self, type_and_dims: tuple[str, bytes]) -> Kind | None:
        """A new kind of events from type and dims (their JSON text), None when one of them is refused."""
        text, raw = type_and_dims
        mark = self.types.get(text) or self.type(text)
        dims = self.dims.get(raw) or self.dimensions(raw)
        if not mark or not dims:
            return None
        found = Kind(text, dims, dims.digest ^ mark, dims.content ^ mark)
        _bound(self.kinds)[type_and_dims] = found
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
