"""All that is remembered per employee, to and from bytes.

The value is one byte of format version, eight bytes of `due` (when time alone changes a score; readable without
decoding) and msgpack arrays. Times are ms since 1970 UTC, sums millionths, offsets the next one to apply.
"""

from __future__ import annotations

from typing import Final

import msgspec

from stream.watched import Watched

FORMAT: Final = 3
NEVER: Final = (1 << 63) - 1
BUSINESS, QC, PEOPLE = 0, 1, 2
LANES: Final = 6  # identities: plain ones of the three topics, then corrections of the three topics

Vector = list[int]


class Lane(msgspec.Struct, array_like=True, gc=False):
    """Identities of one topic that are not yet sealed into a cold block, in order of time.

    Packed, as they are nearly never looked at: a line of text and eight bytes (schemas/packed.py) for each.
    """

    ids: str = ""
    times: bytes = b""
    digests: bytes = b""
    latest: int = -1  # largest occurred_at ever registered here
    sealed: int = -1  # largest occurred_at in a cold block
    blocks: int = 0  # cold blocks ever made: the next one's number
    oldest: int = -1  # hour (occurred_at // HOUR) of the oldest cold block kept


class Calendar(msgspec.Struct, array_like=True, gc=False):
    """Sums of the newest calendar window [start, end)."""

    start: int
    end: int
    vector: Vector


class Cells(msgspec.Struct, array_like=True, gc=False):
    """Sums of one group: per grain the panes by number (occurred_at // grain), per calendar kind its window."""

    panes: list[dict[int, Vector]]
    calendars: list[Calendar]


class Segment(msgspec.Struct, array_like=True, gc=False):
    """Sums under one template version in one unit."""

    template: str
    version: int
    unit: str
    groups: list[Cells]


class Assignment(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Role and unit from `at` on, as a people.assignment said; None where it said nothing."""

    at: int
    role: str | None
    unit: str | None


class Held(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Where a record waits in the log until rules apply to it."""

    topic: int
    offset: int
    at: int


class Expired(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A record that was held for too long: late since the tick at `since`, whatever is published afterwards."""

    topic: int
    offset: int
    since: int


class Target(msgspec.Struct, array_like=True, gc=False):
    """A personal target from `at` on: what the plain event said plus corrections, in millionths."""

    at: int
    said: int
    corrected: int


class State(msgspec.Struct, array_like=True, gc=False):
    """One employee. Lists per topic are in the order BUSINESS, QC, PEOPLE."""

    applied: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    newest: int = -1  # largest occurred_at of a scored event: what the sums are pruned by
    measured: int = -1  # the same over business and qc events, unused ones included
    scored: int = 0  # business and qc events
    unused: int = 0
    sources: list[dict[str, int]] = msgspec.field(default_factory=lambda: [{}, {}, {}])
    assignments: list[Assignment] = []
    targets: dict[str, list[Target]] = {}
    held: list[Held] = []
    lanes: list[Lane | None] = msgspec.field(default_factory=lambda: [None] * LANES)
    segments: list[Segment] = []
    expired: list[Expired] = []
    watched: list[Watched] = []


def has_rows(state: State) -> bool:
    """Whether any record of theirs ended held, unused or scored; what is late or rejected makes nobody known."""
    return state.newest >= 0 or state.unused > 0 or bool(state.held)


def has_alert(state: State) -> bool:
    """Whether a rule of theirs has an alert that the data have not ended."""
    return any(ruled.open is not None for watched in state.watched for ruled in watched.rules)


class UnknownFormat(Exception):
    """The stored value was written by another version of the product."""


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(State)


def encode_state(state: State, due: int) -> bytes:
    """The durable value: format byte, due, msgpack."""
    return bytes((FORMAT,)) + due.to_bytes(8, "little") + _encoder.encode(state)


def decode_state(raw: bytes) -> State:
    """The state in a durable value; UnknownFormat when another version wrote it."""
    demand_format(raw[0] if raw else 0)
    return _decoder.decode(raw[9:])


def demand_format(number: int) -> None:
    """UnknownFormat when another version wrote what has this number."""
    if number != FORMAT:
        raise UnknownFormat(
            f"state format {number} is unknown, this version reads {FORMAT}: install the version that wrote it"
        )


def due_of(raw: bytes) -> int:
    """When time alone changes a score of this employee, in ms; NEVER when it does not."""
    return int.from_bytes(raw[1:9], "little")


def assignment_at(assignments: list[Assignment], at: int) -> tuple[str | None, str | None, int, int]:
    """(role, unit, from, until) that hold at `at`; assignments are sorted by time."""
    begins, ends = -NEVER, NEVER
    role = unit = None
    for assignment in assignments:
        if assignment.at > at:
            ends = assignment.at
            break
        role, unit, begins = assignment.role, assignment.unit, assignment.at
    return role, unit, begins, ends


def home_at(state: State, at: int) -> str:
    """The unit that somebody belongs to at an instant; "" without one."""
    return assignment_at(state.assignments, at)[1] or ""


def target_values(state: State, at: int) -> dict[str, float]:
    """The personal targets in force at `at`, in units."""
    found: dict[str, float] = {}
    for name, entries in state.targets.items():
        for entry in entries:
            if entry.at <= at:
                found[name] = (entry.said + entry.corrected) / 1_000_000
    return found
