"""Whose events a sender may send: the matrix is asked person by person, about where they work when it happened.

People events say who works where, so they take a right of their own. Who may send all that is in a batch is asked once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from agents.access.matrix import Right
from agents.access.viewer import Rules, Subject, Viewer
from agents.cli.routing import event_time
from agents.transport.log import Outgoing
from schemas.event import TOPIC_OF
from schemas.instants import format_rfc3339
from stream.topics import INPUTS


class _Type(msgspec.Struct, gc=False):
    type: str


_type: Final = msgspec.json.Decoder(_Type).decode
PEOPLE: Final = TOPIC_OF["people"]
EVERYBODY: Final = Subject()


class Sender:
    """Of one batch. `refused`: of whom it had events that stayed out, by employee, each with why."""

    def __init__(self, rules: Rules, viewer: Viewer) -> None:
        self._rules = rules
        self._viewer = viewer
        self.refused: dict[str, str] = {}

    def may_not(self, records: Sequence[Outgoing]) -> Mapping[int, str]:
        """Which records the sender may not send, by their place, each with the field, its value and why."""
        free = {topic for topic in INPUTS if self._why(topic, EVERYBODY, self._rules.at) is None}
        return {} if free.issuperset({record.topic for record in records}) else dict(self._found(records, free))

    def _found(self, records: Sequence[Outgoing], free: set[str]) -> Iterator[tuple[int, str]]:
        for place, record in enumerate(records):
            if record.topic in free or record.key is None:
                continue
            who, at = record.key.decode(), event_time(record.value or b"")
            why = self._why(record.topic, Subject("employee", who), self._rules.at if at is None else at)
            if why is not None:
                self.refused.setdefault(who, why)
                field = _kind(record) if record.topic == PEOPLE else _where(who, at)
                yield place, f"{field} takes the right {right_to(record.topic)!r} to them: {why}"

    def _why(self, topic: str, subject: Subject, at: int) -> str | None:
        """Why this sender may send no such event of somebody; None when they may."""
        decision = replace(self._rules, at=at).decide(self._viewer, right_to(topic), subject)
        return None if decision.allowed else decision.why


def right_to(topic: str) -> Right:
    """What it takes to send events of a topic."""
    return "send-people" if topic == PEOPLE else "send-events"


def _kind(record: Outgoing) -> str:
    return f"type: {_type(record.value or b'{}').type!r}"


def _where(who: str, at: int | None) -> str:
    unit = "" if at is None else f", as of occurred_at {format_rfc3339(at)},"
    return f"employee_id: {who!r}{unit}"
