"""A state that was written before shifts were known is read as one that has seen none."""

from __future__ import annotations

import json

from schemas.alerts import AlertRow
from schemas.chunk import decode_groups
from schemas.event import Row
from schemas.instants import HOUR
from schemas.memo import Memo
from schemas.rows import ScoreRow
from stream.person import Person
from stream.pipeline import Limits, step
from stream.rulebook import Rulebook
from stream.score import score_rows
from stream.state import QC, State, decode_state, encode_state
from stream.tally import Tally
from stream.template import load_published
from tests.oracle.logs import NOON, YIELD, template
from tests.stream.test_calendars import SIMPLE, calendars_of

RULES = "[{id: silent, stale: 15m}, {id: shift, naive: 0.8, window: shift}, {id: day, naive: 0.8, window: day}]"
TEXT = template(YIELD.rstrip("}").replace("[day]", "[day, shift]") + f", alerts: {RULES}}}")


def _rules(*, calendars: bool = True) -> Rulebook:
    planned = calendars_of(SIMPLE).versions if calendars else ()
    return Rulebook([load_published(TEXT)], calendars=planned)


def _work(person: Person, number: int, at: int) -> list[AlertRow]:
    event = {
        "event_id": f"e{number}", "type": "qc.inspection", "employee_id": "E1", "occurred_at": at, "source": "aoi",
        "measures": {"inspected": 10, "accepted": 5},
    }  # fmt: skip
    rows = [Row(number, at, b"E1", json.dumps(event).encode(), None)]
    tally = Tally()
    for _, own in decode_groups([rows], Memo("qc-events", lambda _: True))[0]:
        step(person, own, QC, Limits(), lambda *_: (), tally)
    return tally.alerts


def _of_shift(person: Person, at: int) -> list[ScoreRow]:
    return [row for row in score_rows(person, at) if (row.window, row.indicator) == ("shift", "yield")]


def test_rules_and_sums_that_came_with_calendars_stand_last() -> None:
    """A state of before has fewer of both, and goes on with all."""
    before = Person("E1", State(), _rules(calendars=False))
    assert ["day"] == [row.rule for row in _work(before, 0, NOON - HOUR)]
    (cells,) = before.state.segments[0].groups
    cells.calendars.pop()
    (watched,) = before.state.watched
    del watched.rules[1:]
    person = Person("E1", decode_state(encode_state(before.state, 0)), _rules())
    assert (2, 3) == (len(person.state.segments[0].groups[0].calendars), len(person.state.watched[0].rules))
    assert [("no_data", 0)] == [(row.status, row.n) for row in _of_shift(person, NOON)]
    assert ["shift"] == [row.rule for row in _work(person, 1, NOON)]
    assert [("ok", 10)] == [(row.status, row.n) for row in _of_shift(person, NOON)]
    assert person.state.watched[0].rules[0].open is not None  # the day's, raised before


def test_without_a_calendar_there_are_no_rows_of_a_shift() -> None:
    """Nor totals; other windows have theirs."""
    person = Person("E1", State(), _rules(calendars=False))
    _work(person, 0, NOON)
    assert {"day"} == {row.window for row in score_rows(person, NOON)}
