"""People who are counted together come to what `step` makes of each of them, to the last bit."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import astuple

from schemas.chunk import decode_groups
from schemas.columns import EventColumns, EventGroups
from schemas.event import INPUT_TOPICS, Row
from schemas.memo import Memo
from stream import together as module
from stream.case_mix import Model
from stream.dedupe import Block, Sealed
from stream.person import Person
from stream.pipeline import Limits, step, together
from stream.rulebook import Rulebook
from stream.state import QC, Assignment, Segment, State
from stream.tally import Tally
from stream.template import load_published
from tests.stream.test_step_in_chunks import TEMPLATE as EVERY_RULE

NOON = 1_772_452_800_000
LIMITS = Limits(late=600_000, horizon=1_200_000, correction=1_200_000, tail=8)
DRIFTS = """\
template: drifts
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: {roles: [a, b]}
title: {zh: a, en: a}
indicators:
  - id: y
    name: {zh: a, en: a}
    definition: {zh: a, en: a}
    dimension: performance
    from: qc.inspection
    where: {stage: final}
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    case_mix: [product]
    unit: percent
    target: 0.9
    weight: 0.6
    windows: [rolling 3m, rolling 300m, day]
    alerts:
      - {id: plain, drift: {good: 0.9, bad: 0.6, h: 1.5}}
      - {id: slow, drift: {good: 0.9, bad: 0.5, h: 4}, for: 1m}
  - id: z
    name: {zh: a, en: a}
    definition: {zh: a, en: a}
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.8
    weight: 0
    windows: [rolling 2m, week, all]
    alerts: default
"""
MODELS = (Model("drifts", "y", 1, NOON - 1, ("product",), 900_000, {("P0",): 950_000, ("P1",): 712_345}),)
LATER = DRIFTS.replace("version: 1", "version: 2").replace("2026-01-01T00:00:00Z", "2026-03-02T12:03:00Z")
READ = [load_published(text) for text in (DRIFTS, LATER, EVERY_RULE)]


class Plant:
    """Some people, what became of their events, and their sealed identities."""

    def __init__(self, rules: Rulebook, names: Sequence[str], dice: Random) -> None:
        self.people = {name: Person(name, State(), rules) for name in names}
        for person in self.people.values():
            unit = dice.choice((None, None, "U1"))
            person.state.assignments = [Assignment(0, dice.choice("ab"), unit)]
            if dice.random() < 0.2:
                person.state.assignments.append(Assignment(NOON + 100_000, "a", "U2"))
        self.tally = Tally()
        self.sealed: list[Sealed] = []

    def recall(self, employee_id: str, lane: int, hour: int) -> Sequence[Block]:
        """The blocks put away so far."""
        own = [one for one in (*self.sealed, *self.tally.sealed) if one.employee_id == employee_id]
        return [one.block for one in own if (one.lane, one.hour) == (lane, hour)]

    def step(self, groups: EventGroups) -> None:
        """One by one."""
        for name, own in groups:
            step(self.people[name], own, QC, LIMITS, self.recall, self.tally)
        self._put_away()

    def together(self, groups: EventGroups) -> int:
        """Together, as far as they can be; how many could."""
        many = together(groups, QC, LIMITS, fewest=1)
        names = groups.packed.names
        for number, name in enumerate(names):
            many.take(number, self.people[name])
        deque(many.count(self.tally), maxlen=0)
        for number in many.apart:
            own = EventColumns(groups, number)
            step(self.people[names[number]], own, QC, LIMITS, self.recall, self.tally)
        self._put_away()
        return len(names) - len(many.apart)

    def _put_away(self) -> None:
        self.sealed += self.tally.sealed
        self.tally.sealed = []

    def outcome(self) -> list[object]:
        """Everything. In which order cells and rules came to be makes no difference; a zero's sign would."""
        tally = self.tally
        for person in self.people.values():
            person.state.watched.sort(key=lambda one: (one.template, one.version, one.group))
            person.state.segments.sort(key=_place)
        return [
            (tally.scored, tally.unused, tally.held, tally.duplicate, tally.late, tally.last, sorted(tally.restate)),
            sorted(event.offset for event in tally.conflicts),
            sorted(event.offset for event in tally.late_events),
            sorted(map(astuple, tally.alerts), key=str),
            sorted((one.employee_id, one.lane, one.hour, one.number, astuple(one.block)) for one in self.sealed),
            {name: json.dumps(to_builtins(person.state), sort_keys=True) for name, person in self.people.items()},
        ]


def _place(segment: Segment) -> tuple[str, int, str]:
    return segment.template, segment.version, segment.unit


def rows_of(dice: Random, names: Sequence[str], count: int, *, trouble: float) -> list[Row]:
    """Inspections of these people, time going on; now and then one that is late, again, corrected, or of no kind."""
    rows: list[Row] = []
    at = NOON
    events: list[dict[str, object]] = []
    for number in range(count):
        at += dice.choice((100, 900, 20_000))
        inspected = dice.choice((0, 1, 2, 10, 40))
        event: dict[str, object] = {
            "event_id": f"e{number}", "type": "qc.inspection", "employee_id": dice.choice(names),
            "occurred_at": at, "source": dice.choice("ab"),
            "dims": {"stage": dice.choice(("final", "first")), "line": dice.choice(("L1", "L1", "L2")),
                     "product": dice.choice(("P0", "P1", "P2"))},
            "measures": {"inspected": inspected, "accepted": inspected - min(inspected, dice.choice((0, 0, 1, 2, 7)))},
        }  # fmt: skip
        if dice.random() < trouble:
            kind = dice.choice(("back", "again", "corrects", "other", "ancient"))
            if kind == "again" and events:
                event = dice.choice(events[-4:])
            elif kind == "other":
                event["type"] = "qc.other"
            elif kind == "corrects" and events:
                event |= {name: events[-1][name] for name in ("employee_id", "occurred_at", "dims")}
                event |= {"corrects": events[-1]["event_id"], "measures": {"accepted": -0.5}}
            else:
                event["occurred_at"] = at - (30_000 if kind == "back" else 700_000)
        events.append(event)
        rows.append(Row(number, at + 50, str(event["employee_id"]).encode(), json.dumps(event).encode(), None))
    return rows


def _chunks(rows: Sequence[Row], cuts: Sequence[int]) -> list[EventGroups]:
    memo = Memo(INPUT_TOPICS[QC], lambda key: True)
    borders = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    pieces = [rows[begin:end] for begin, end in pairwise(borders)]
    return [decode_groups([piece], memo)[0] for piece in pieces if piece]


@settings(max_examples=60, deadline=None)
@given(
    st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 120),
    st.lists(st.integers(0, 999), max_size=4), st.sampled_from((0.0, 0.01, 0.1)), st.booleans(),
)  # fmt: skip
def test_people_who_are_counted_together_come_to_the_same_as_each_alone(
    dice: Random, people: int, count: int, cuts: list[int], trouble: float, every: bool
) -> None:
    """States, identities, alerts, outcomes: the same numbers, whatever rules there are and wherever the log is cut."""
    rules = Rulebook(READ if every else READ[:2], models=MODELS)
    names = [f"E{number}" for number in range(people)]
    rows = rows_of(dice, names, count, trouble=trouble)
    seed = dice.getrandbits(32)
    alone, many = (Plant(rules, names, Random(seed)) for _ in range(2))
    for groups in _chunks(rows, cuts):
        alone.step(groups)
        many.together(groups)
    assert alone.outcome() == many.outcome()


def test_most_are_counted_together_and_alerts_come_all_the_same() -> None:
    """The property above speaks of something: nearly everybody is taken, and there are alerts to be wrong about."""
    rules = Rulebook([load_published(DRIFTS)], models=MODELS)
    names = [f"E{number}" for number in range(100)]
    dice = Random(7)
    alone, many = (Plant(rules, names, Random(3)) for _ in range(2))
    taken = seen = 0
    for groups in _chunks(rows_of(dice, names, 4_000, trouble=0.0), [1_000, 2_500]):
        alone.step(groups)
        taken += many.together(groups)
        seen += len(groups.packed.names)
    assert alone.outcome() == many.outcome()
    assert taken > 0.8 * seen
    assert len(many.tally.alerts) > 30


def test_sums_that_could_leave_64_bits_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy's integers end where Python's do not: who could come there is not counted together."""
    rules = Rulebook([load_published(DRIFTS)])
    names = [f"E{number}" for number in range(5)]
    (groups,) = _chunks(rows_of(Random(1), names, 50, trouble=0.0), [])
    assert Plant(rules, names, Random(1)).together(groups) > 0
    monkeypatch.setattr("stream.entering._MOST", 1_000_000)
    alone, many = (Plant(rules, names, Random(1)) for _ in range(2))
    alone.step(groups)
    assert many.together(groups) == 0
    assert alone.outcome() == many.outcome()


def test_few_people_under_a_regime_are_counted_one_by_one() -> None:
    """Arrays of few people cost more than they save."""
    rules = Rulebook([load_published(DRIFTS)])
    names = [f"E{number}" for number in range(module.FEWEST - 1)]
    (groups,) = _chunks(rows_of(Random(1), names, 500, trouble=0.0), [])
    many = together(groups, QC, LIMITS)
    plant = Plant(rules, names, Random(1))
    for number, name in enumerate(groups.packed.names):
        many.take(number, plant.people[name])
    deque(many.count(plant.tally), maxlen=0)
    assert sorted(many.apart) == list(range(len(names)))
