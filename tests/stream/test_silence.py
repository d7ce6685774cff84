"""Silence is looked for when it may begin or end: whoever is woken only then misses nothing, restarts or not."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertRow
from schemas.chunk import decode_groups
from schemas.event import INPUT_TOPICS, Row
from schemas.instants import HOUR, MINUTE
from schemas.memo import Memo
from stream import silence
from stream.person import Person
from stream.pipeline import Limits, step
from stream.rulebook import Rulebook
from stream.state import PEOPLE, QC, State, decode_state, encode_state
from stream.tally import Tally
from stream.template import load_published
from tests.oracle.logs import YIELD, template
from tests.stream import shift_reference as by_hand
from tests.stream.test_calendars import calendars, calendars_of

MIDDLE: Final = date(2026, 3, 29)  # clocks go forward in Berlin
RULES: Final = "alerts: [{id: silent, stale: 15m}, {id: long, stale: 90m, for: 30m}]"
TEMPLATE: Final = load_published(template(f"{YIELD.rstrip('}')}, {RULES}}}"))


class Act(NamedTuple):
    """So long (ms) after the act before: something is sent, a while ago or not; maybe a restart; then a tick."""

    pause: int
    unit: str | None  # "work", or where somebody belongs from now on; None: nothing is sent
    back: int
    restart: bool


ACT: Final = st.builds(
    Act,
    pause=st.sampled_from((1_000, MINUTE, 7 * MINUTE, 16 * MINUTE, HOUR, 5 * HOUR, 11 * HOUR)),
    unit=st.sampled_from(("work", "work", "work", None, None, None, "L1", "L2", "")),
    back=st.sampled_from((0, 0, 0, 5 * MINUTE, HOUR, -10 * MINUTE)),
    restart=st.booleans(),
)


class Sleeper:
    """E1, woken for a tick when news has come since the last one, or when it is due."""

    def __init__(self, rules: Rulebook, *, always: bool) -> None:
        self.person = Person("E1", State(), rules)
        self.always = always
        self.rows: list[AlertRow] = []
        self._woken = True
        self._due = self._ticked = 0

    def take(self, number: int, act: Act, now: int) -> None:
        """What is sent."""
        self._woken = True
        work = act.unit == "work"
        said = {
            "event_id": f"e{number}", "type": "qc.inspection" if work else "people.assignment", "employee_id": "E1",
            "occurred_at": now - act.back if work else now, "source": "aoi",
            "measures": {"inspected": 1, "accepted": 1} if work else {},
            "dims": {} if work else {"unit": act.unit} if act.unit else {"role": "guest"},
        }  # fmt: skip
        topic = QC if work else PEOPLE
        rows = [Row(number, now, b"E1", json.dumps(said).encode(), None)]
        for _, own in decode_groups([rows], Memo(INPUT_TOPICS[topic], lambda _: True))[0]:
            step(self.person, own, topic, Limits(), lambda *_: (), Tally())

    def restart(self) -> None:
        """All that is known is what a commit holds."""
        self._woken, self._due = False, silence.due(self.person, self._ticked)
        self.person = Person("E1", decode_state(encode_state(self.person.state, self._due)), self.person.rules)

    def tick(self, now: int) -> None:
        """A second is over."""
        if self.always or self._woken or self._due <= now:
            self.rows += silence.hear(self.person, now)
            self._woken, self._due = False, silence.due(self.person, now)
        self._ticked = now


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[by_hand.Text], int]:
    zone = draw(st.sampled_from(("Europe/Berlin", "Asia/Shanghai")))
    start = int(datetime(2026, 3, 28, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000
    versions = range(1, draw(st.integers(1, 3)) + 1)
    return [draw(calendars(zone, MIDDLE, number)) for number in versions], start + draw(st.integers(0, 24)) * HOUR


@settings(max_examples=40, deadline=None, derandomize=True)
@given(plans(), st.lists(ACT, min_size=8, max_size=25))
def test_who_is_woken_when_it_is_due_hears_all_that_is_heard_at_every_tick(
    plan: tuple[list[by_hand.Text], int], script: list[Act]
) -> None:
    """With any calendars, and whatever is sent between two ticks."""
    said, now = plan
    rules = Rulebook([TEMPLATE], calendars=calendars_of(*said).versions)
    sleeper, guard = Sleeper(rules, always=False), Sleeper(rules, always=True)
    for number, act in enumerate(script):
        now += act.pause
        for each in (sleeper, guard):
            if act.unit is not None:
                each.take(number, act, now)
            if act.restart:
                each.restart()
            each.tick(now)
        assert guard.rows == sleeper.rows
