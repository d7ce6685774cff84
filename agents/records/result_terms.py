"""What those speak of who write results: what a row is about, and how far a run is. Known without the store."""

from __future__ import annotations

from typing import NamedTuple

from stream.closed import Closed, Outcome


class Key(NamedTuple):
    """Which result: of a subject, in a window, of an indicator (or a total)."""

    subject: str
    closed: Closed
    indicator: str


class Known(NamedTuple):
    """The latest row of a result."""

    number: int
    outcome: Outcome


class Row(NamedTuple):
    """A row on its way: `cause` None for one that is written as its window closes."""

    key: Key
    number: int
    outcome: Outcome
    cause: str | None


class Stamp(NamedTuple):
    """Up to which log time records were known, and when it was computed (ms)."""

    known_at: int
    computed_at: int


class Progress(NamedTuple):
    """How far a partition is: windows closed up to `until` (ms), the next offset per topic, and the rules known."""

    until: int
    read: dict[str, int]
    rules: list[str]


class Begun(NamedTuple):
    """What a run begins from; `tree` is the record by which units were pooled, None before the first run."""

    progress: dict[int, Progress]
    tree: bytes | None
