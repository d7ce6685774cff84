"""Late, then duplicate or conflict: decided from earlier records of the same topic and employee only.

Feed the records of a topic partition in offset order; topics may come in any order among each other.
"""

from typing import NamedTuple

from agents.oracle.event import Rejected
from agents.oracle.log import Event


class Limits(NamedTuple):
    """How far back an event may lie, in ms: behind log time, behind its source's newest, and both for a correction."""

    late: int
    horizon: int
    correction: int


class Admission:
    """The memory that decides: the newest T per (topic, employee, source), and the identities seen."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._newest: dict[tuple[str, str, str], int] = {}
        self._identities: dict[tuple[str, str, str, int], Event] = {}

    def outcome(self, event: Event, log_time: int) -> str | None:
        """ "late" or "duplicate", None when the event is new; raises Rejected for a conflict."""
        if self._is_late(event, log_time):
            return "late"
        identity = (event.topic, event.employee, event.event_id, event.at)
        first = self._identities.get(identity)
        if first is not None and not self._is_forgotten(first):
            if first.content != event.content:
                raise Rejected("conflict")
            return "duplicate"
        self._identities[identity] = event
        stream = (event.topic, event.employee, event.source)
        self._newest[stream] = max(event.at, self._newest.get(stream, event.at))
        return None

    def _is_late(self, event: Event, log_time: int) -> bool:
        behind_log = self._limits.late if event.corrects is None else self._limits.correction
        newest = self._newest.get((event.topic, event.employee, event.source), event.at)
        return log_time - event.at > behind_log or event.at < newest - self._reach(event)

    def _is_forgotten(self, first: Event) -> bool:
        # Another source may lag far behind: what its records meet is forgotten by the first record's own source.
        newest = self._newest[first.topic, first.employee, first.source]
        return first.at < newest - self._reach(first)

    def _reach(self, event: Event) -> int:
        return self._limits.horizon if event.corrects is None else self._limits.correction
