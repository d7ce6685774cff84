"""The newest scored instant is of an event that counts: a newer one that waits, in the same chunk, does not move it."""

from __future__ import annotations

import json

from schemas.event import Event, decode_one
from schemas.gathering import columns_of
from stream.person import Person
from stream.pipeline import Limits, step
from stream.rulebook import Rulebook
from stream.state import PEOPLE, QC, State
from stream.tally import Tally
from stream.template import load_published

NOON = 1_772_452_800_000
TEMPLATE = """\
template: line
version: 1
effective_from: 2000-01-01T00:00:00Z
timezone: UTC
applies_to: {roles: [operator]}
indicators:
  - {id: pieces, from: qc.inspection, value: inspected, target: 1, windows: [day]}
"""


def _event(topic: str, number: int, at: int, **fields: object) -> Event:
    whole = {"event_id": f"i-{number}", "employee_id": "E1", "source": "aoi", "occurred_at": at, **fields}
    event = decode_one(json.dumps(whole).encode(), b"E1", topic, at, lambda key: True)
    assert isinstance(event, Event)
    event.offset = number
    return event


def _post(number: int, at: int, role: str) -> Event:
    return _event("people-events", number, at, type="people.assignment", measures={}, dims={"role": role})


def _inspection(number: int, at: int) -> Event:
    return _event("qc-events", number, at, type="qc.inspection", measures={"inspected": 1, "accepted": 1})


def test_a_newer_event_that_waits_is_not_the_newest_scored() -> None:
    """Also when the events before it were counted on the straight path."""
    person = Person("E1", State(), Rulebook([load_published(TEMPLATE)]))
    posts, work = Tally(), Tally()
    assigned = columns_of([_post(0, NOON - 1000, "operator"), _post(1, NOON + 5, "guest")])
    inspected = columns_of([_inspection(n, NOON + 2 * n) for n in range(5)])
    step(person, assigned, PEOPLE, Limits(), _nothing, posts)
    step(person, inspected, QC, Limits(), _nothing, work)
    assert (3, 2) == (work.scored, work.held)
    assert NOON + 4 == work.last
    assert NOON + 4 == person.state.measured
    assert NOON + 5 == person.state.newest  # the assignment


def _nothing(employee_id: str, lane: int, hour: int) -> tuple[()]:
    return ()
