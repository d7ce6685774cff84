"""A chunk counts what its events count one by one, whatever repeats in it and wherever it is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from schemas.chunk import decode_groups
from schemas.event import INPUT_TOPICS, Event, Row
from schemas.gathering import columns_of
from schemas.memo import Memo
from stream.case_mix import Model
from stream.dedupe import Block, Sealed
from stream.person import Person
from stream.pipeline import Limits, step
from stream.rulebook import Rulebook
from stream.score import score_rows
from stream.state import BUSINESS, QC, State
from stream.tally import Tally
from stream.template import load_published

NOON = 1_772_452_800_000
LIMITS = Limits(late=600_000, horizon=1_200_000, correction=1_200_000, tail=8)
TEMPLATE = """\
template: t
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
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
    windows: [rolling 5m, day]
    min_sample: 4
    alerts:
      - {id: low, window: rolling 5m, below: 0.9, confidence: 0.7}
      - {id: poor, window: day, below: 0.8, confidence: 0.6, for: 1m}
      - {id: bare, window: rolling 5m, naive: 0.7}
      - {id: drift, drift: {good: 0.9, bad: 0.6, h: 1.5}}
      - {id: slow, ewma: {lambda: 0.4, L: 1}}
  - id: f
    name: {zh: a, en: a}
    definition: {zh: a, en: a}
    from: qc.inspection
    value: inspected - accepted
    unit: units
    target: 1
    weight: 0
    windows: [rolling 2m]
    alerts:
      - {id: few, window: rolling 2m, below: 1, clear_above: 2}
      - {id: more, ewma: {lambda: 0.4, L: 1, sigma: 0.8, side: above}}
  - id: o
    name: {zh: a, en: a}
    definition: {zh: a, en: a}
    dimension: performance
    from: business.output
    value: units
    unit: units
    target: 10
    weight: 0.4
    windows: [rolling 5m, week, all]
"""
READ = load_published(TEMPLATE)


MODELS = (
    Model("t", "y", 1, NOON - 1, ("product",), 900_000, {("P0",): 950_000, ("P1",): 712_345}),
    Model("t", "y", 2, NOON + 60_000, ("product",), 910_000, {("P0",): 940_001}),
)


class Counting:
    """A person, what became of their events, and their sealed identities."""

    def __init__(self, rules: Rulebook) -> None:
        self.person = Person("E1", State(), rules)
        self.tally = Tally()
        self.sealed: list[Sealed] = []

    def recall(self, employee_id: str, lane: int, hour: int) -> Sequence[Block]:
        """The blocks put away so far."""
        return [sealed.block for sealed in self.sealed if (sealed.lane, sealed.hour) == (lane, hour)]

    def outcomes(self) -> tuple[object, ...]:
        """Everything but where identities lie."""
        tally, state = self.tally, self.person.state
        return (
            (tally.scored, tally.unused, tally.held, tally.duplicate, tally.late, tally.last),
            sorted(event.offset for event in tally.conflicts),
            sorted(event.offset for event in tally.late_events),
            state.applied, state.newest, state.measured, state.scored, state.unused, state.sources, state.held,
            sorted(map(astuple, tally.alerts), key=str), state.watched,
            [score_rows(self.person, max(state.newest, NOON) + later) for later in (0, 120_000)],
        )  # fmt: skip

    def identities(self) -> list[tuple[int, str]]:
        """All that is registered, as lane and id."""
        kept = [(number, lane.ids) for number, lane in enumerate(self.person.state.lanes) if lane]
        kept += [(sealed.lane, sealed.block.ids) for sealed in self.sealed]
        return sorted((number, name) for number, ids in kept for name in ids.split())


WRITTEN = st.tuples(
    st.sampled_from([*["step"] * 12, "same", "back", "far"]),  # how time goes on
    st.integers(0, 3),  # the event's id, of few
    st.sampled_from(["a", "b"]),  # its source
    st.integers(0, 2),  # accepted
    st.sampled_from([*["final"] * 5, "first"]),
    st.sampled_from([*[1] * 12, *[2] * 6, 3]),  # deliveries, a third one late
    st.sampled_from([*[False] * 9, True]),  # a correction, now and then
)


def _rows(topic: int, written: Sequence[tuple[str, int, str, int, str, int, bool]]) -> list[Row]:
    rows: list[Row] = []
    at = logged = NOON
    for how, name, source, accepted, stage, deliveries, corrects in written:
        at += {"same": 0, "step": 7_000, "back": -40_000, "far": 400_000}[how]
        event = {
            "event_id": f"e{name}{at}", "type": "qc.inspection" if topic == QC else "business.output",
            "employee_id": "E1", "occurred_at": at, "source": source,
            "dims": {"stage": stage, "line": "L1", "product": f"P{name}"},
            "measures": {"inspected": 2, "accepted": accepted} if topic == QC else {"units": accepted + 0.5},
        }  # fmt: skip
        if corrects:
            event["corrects"] = "e1"
        for delivery in range(deliveries):
            logged = max(logged + (600_000 if delivery == 2 else 100), at)
            rows.append(Row(len(rows), logged, b"E1", json.dumps(event).encode(), None))
    return rows


@settings(max_examples=400, deadline=None)
@given(
    st.lists(WRITTEN, min_size=1, max_size=25), st.sampled_from([BUSINESS, QC]), st.lists(st.integers(1, 12)), st.data()
)
def test_a_chunk_counts_what_its_events_count_one_by_one(
    written: list[tuple[str, int, str, int, str, int, bool]], topic: int, cuts: list[int], data: st.DataObject
) -> None:
    """Copies, disorder, late events, corrections and kinds not seen before; chunks that overlap what is applied."""
    rules = Rulebook([READ], models=MODELS)
    rows = _rows(topic, written)
    alone, together = Counting(rules), Counting(rules)
    memo = Memo(INPUT_TOPICS[topic], lambda key: True)
    events: list[Event] = list(decode_groups([rows], memo)[0].events())
    assert [row.offset for row in rows] == [event.offset for event in events]
    for event in events:
        step(alone.person, columns_of([event]), topic, LIMITS, alone.recall, alone.tally)
        alone.sealed += alone.tally.sealed
        alone.tally.sealed.clear()
    begin = 0
    for length in [*cuts, len(rows)]:
        first = max(0, begin - data.draw(st.sampled_from([0, 0, 0, 1, 4])))
        piece = rows[first : begin + length]
        begin += length
        for _, own in decode_groups([piece], memo)[0] if piece else ():
            step(together.person, own, topic, LIMITS, together.recall, together.tally)
        together.sealed += together.tally.sealed
        together.tally.sealed.clear()
    assert alone.outcomes() == together.outcomes()
    assert alone.identities() == together.identities()
