"""What the pipeline has to say besides the state: outcomes, late and conflicting records, identities to put away."""

from __future__ import annotations

import msgspec

from schemas.alerts import AlertRow
from schemas.event import Event
from stream.dedupe import Sealed


class Forget(msgspec.Struct, frozen=True, gc=False):
    """Cold blocks of an employee's lane with an hour below `before` are no longer needed."""

    employee_id: str
    lane: int
    before: int


class Tally:
    """Counts by outcome (contract, section 2); `held` falls when records are released."""

    __slots__ = (
        *("scored", "unused", "held", "duplicate", "late", "last"),
        *("conflicts", "late_events", "kept", "sealed", "forget", "release", "restate", "waiting", "alerts"),
    )

    def __init__(self) -> None:
        self.scored = self.unused = self.held = self.duplicate = self.late = 0
        self.last = -1  # newest occurred_at of a scored event
        self.kept: list[Event] | None = None  # a replay sets a list and gets every registered event
        self.conflicts: list[Event] = []
        self.late_events: list[Event] = []
        self.sealed: list[Sealed] = []
        self.forget: list[Forget] = []
        self.alerts: list[AlertRow] = []  # what was raised or cleared, in order
        self.waiting: set[str] = set()  # employees of whom a record is held
        self.release: set[str] = set()  # employees whose held records may count by now
        self.restate: set[str] = set()  # employees whose earlier events now count elsewhere
