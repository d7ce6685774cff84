"""An employee's events as columns: looking at one costs the same, however many there are."""

from __future__ import annotations

import json
import time

from schemas.chunk import decode_groups
from schemas.columns import EventColumns
from schemas.event import Row
from schemas.memo import Memo

NOON = 1_772_452_800_000


def _own(count: int) -> EventColumns:
    """That many inspections of one person, each sent twice."""
    rows = []
    for number in range(count):
        fields = {"event_id": f"i-{number}", "type": "qc.inspection", "employee_id": "E1", "source": "aoi"}
        value = json.dumps({**fields, "occurred_at": NOON + number, "measures": {"inspected": 1, "accepted": 1}})
        rows += [Row(2 * number + copy, NOON + number, b"E1", value.encode(), None) for copy in (0, 1)]
    groups, _ = decode_groups([rows], Memo("qc-events", lambda key: True))
    return next(own for _, own in groups)


def _seconds(own: EventColumns) -> float:
    began = time.thread_time()
    events = list(own.events("E1"))
    assert list(range(2 * len(own))) == [event.offset for event in events]
    assert [f"i-{number // 2}" for number in range(2 * len(own))] == [event.event_id for event in events]
    return (time.thread_time() - began) / len(own)


def test_many_events_of_one_person_cost_no_more_each() -> None:
    """Neither their ids nor their copies are looked through for each of them."""
    few, many = _own(300), _own(9_000)
    assert min(_seconds(many) for _ in range(3)) < 5 * min(_seconds(few) for _ in range(3))
