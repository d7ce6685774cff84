"""Work of different kinds: what is allowed for it, and what drift rules make of it, is what the oracle makes of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.learning import learn
from agents.publishing import publish
from agents.rules import models, only, rulebook, unknown_since, version_names
from agents.transport.embedded.log import Outgoing
from agents.transport.log import Append, LogBusy
from agents.transport.murmur2 import partition_for
from schemas.instants import DAY, HOUR, MINUTE
from stream.topics import QC_EVENTS, TEMPLATES
from tests.agents.agreement import disagreements
from tests.agents.logs import Senders, Step, few_or_many, instant
from tests.agents.rig import Rig
from tests.agents.test_exactness import MOVE, PROFILE, Move, drive

NOON: Final = instant("2026-03-02T12:00:00Z")
TEMPLATE: Final = """\
template: op
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
title: T
indicators:
  - id: y
    name: Y
    definition: d
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    case_mix: [stage, line]
    target: 0.9
    windows: [rolling 60m, day, all]
    alerts:
      - {id: low, window: rolling 60m, below: 0.9, confidence: 0.6}
      - {id: drop, drift: {good: 0.9, bad: 0.7, h: 2}}
      - {id: slow, ewma: {lambda: 0.3, L: 1.5}}
    next_step: n
  - id: a
    name: A
    definition: d
    from: qc.inspection
    where: {stage: a}
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    case_mix: [line]
    target: 0.95
    windows: [day]
    alerts: default
    next_step: n
"""
SHARES: Final = st.sampled_from((0.95, 0.9, 0.999999, 0.7, 0.951234, 0.5))
KINDS: Final = {"y": (["a"], ["b"], ["a", "L2"], ["b", "L1"]), "a": (["L1"], ["L2"])}
ACTS: Final = (*["inspect"] * 12, "correct", "correct", "repeat", "assign")
STEP: Final = st.builds(
    Step,
    act=st.sampled_from(ACTS),
    who=st.sampled_from((0, 0, 0, 1)),
    pick=st.integers(0, 4095),
    lag=st.sampled_from((*[0] * 20, 1, MINUTE, MINUTE, 3 * MINUTE, 59 * MINUTE)),
    pause=st.sampled_from((1, 1000, 1000, 20_000, MINUTE, 5 * MINUTE)),
    ref=st.integers(0, 7),
)


def model(indicator: str, number: int, effective_from: int, base: float, expected: Iterable[float]) -> Outgoing:
    """A record that everybody has known for a day."""
    key = f"case-mix:op/{indicator}@{number}".encode()
    kinds = KINDS[indicator]
    value = {
        "template": "op", "indicator": indicator, "number": number, "effective_from": effective_from,
        "by": ["stage", "line"] if indicator == "y" else ["line"], "base": base,
        "cells": [{"dims": kind, "expected": share} for kind, share in zip(kinds, expected, strict=False)],
    }  # fmt: skip
    return Outgoing(TEMPLATES, 0, effective_from - DAY, key, json.dumps(value).encode())


@settings(PROFILE, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    shares=st.lists(SHARES, min_size=15, max_size=15),
    script=few_or_many(STEP, 50),
    moves=few_or_many(MOVE, 24),
    late=st.booleans(),
    pace=st.integers(1, 30),
)
def test_what_is_allowed_for_is_what_the_oracle_allows(
    logs: Path, shares: list[float], script: list[Step], moves: list[Move], late: bool, pace: int
) -> None:
    """Sums, rows of people and units, alerts; models one after the other, some known only after the events."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / "1", folder, dirs_exist_ok=True)
    rig = Rig(folder, 1)
    one = model("y", 1, NOON - HOUR, shares[0], shares[1:5])
    two = model("y", 2, NOON + 7 * MINUTE, shares[5], shares[6:9])
    other = model("a", 1, NOON + MINUTE, shares[9], shares[10:12])
    try:
        publish(rig.log, TEMPLATE, NOON - 30 * DAY)
        rig.append([one] if late else [one, two, other])
        rig.refresh()
        asyncio.run(drive(rig, Senders(1, NOON), script, moves, pace))
        if late:
            rig.append([two, other])
            asyncio.run(rig.drain())
        assert [] == disagreements(rig)
    finally:
        rig.close()
        shutil.rmtree(folder)


# Learning


def work(rig: Rig, begin: int, product_shares: dict[str, int], *, people: int = 4, records: int = 40) -> None:
    """Everybody inspects so many records of 10 units of each product, of which so many of ten are good."""
    number = rig.log.topics()[QC_EVENTS].partitions
    sent = []
    for person in range(people):
        employee = f"E{person}"
        for product, good in product_shares.items():
            for record in range(records):
                at = begin + (record * people + person) * 1000
                event = {
                    "event_id": f"{product}-{at}", "type": "qc.inspection", "employee_id": employee, "occurred_at": at,
                    "source": "s", "measures": {"inspected": 10, "accepted": good},
                    "dims": {"stage": "a", "line": product},
                }  # fmt: skip
                partition = partition_for(employee.encode(), number)
                sent.append(Outgoing(QC_EVENTS, partition, at, employee.encode(), json.dumps(event).encode()))
    rig.append(sent)


def new_rig(folder: Path) -> Rig:
    rig = Rig(folder, 2)
    publish(rig.log, TEMPLATE, NOON - 30 * DAY)
    return rig


def test_what_is_learned_is_said_in_the_log_and_takes_effect_an_hour_later(tmp_path: Path) -> None:
    """Two products, one at 100 % and one at 80 %: each is drawn a little to the average."""
    rig = new_rig(tmp_path)
    try:
        work(rig, NOON, {"easy": 10, "hard": 8})
        lessons = {lesson.indicator: lesson for lesson in learn(rig.log, NOON + HOUR)}
        assert "case-mix:op/y@1" == lessons["y"].key
        assert 3200 == lessons["y"].n
        model = next(one.model for one in models(rig.log) if one.model.indicator == "a")
        assert instant("2026-03-02T15:00:00Z") == model.effective_from
        assert ("line",) == model.by
        assert 899_875 <= model.base <= 900_000  # 2880.5 of 3201
        assert 0.985e6 < model.cells[("easy",)] < 1e6
        assert 0.80e6 < model.cells[("hard",)] < 0.815e6
    finally:
        rig.close()


def test_the_next_lesson_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    """Each record counts once; what was known counts half after thirty days."""
    rig = new_rig(tmp_path)
    try:
        work(rig, NOON, {"easy": 10, "hard": 8})
        learn(rig.log, NOON)
        again = {lesson.indicator: lesson for lesson in learn(rig.log, NOON)}
        assert again["y"].key is None
        assert "number 1 takes effect only at 2026-03-02T14:00:00.000Z" == again["y"].why
        later = NOON + 30 * DAY
        work(rig, later, {"easy": 10, "hard": 9})
        lessons = {lesson.indicator: lesson for lesson in learn(rig.log, later)}
        assert "case-mix:op/a@2" == lessons["a"].key
        assert 1600 + 3200 == lessons["a"].n
        first, second = (one.model for one in models(rig.log) if one.model.indicator == "a")
        assert first.effective_from < second.effective_from
        assert 0.86e6 < second.cells[("hard",)] < 0.875e6  # 1/3 at 80 %, 2/3 at 90 %
    finally:
        rig.close()


def test_what_comes_twice_or_corrects_is_not_learned_twice(tmp_path: Path) -> None:
    """The same records sent again, in another order, change nothing."""
    rig = new_rig(tmp_path)
    try:
        work(rig, NOON, {"easy": 10, "hard": 8})
        work(rig, NOON, {"hard": 8, "easy": 10})
        assert {3200} == {lesson.n for lesson in learn(rig.log, NOON)}
    finally:
        rig.close()


def test_too_little_is_not_learned_and_said_so(tmp_path: Path) -> None:
    """A thousand units at least; and a kind that three people did."""
    rig = new_rig(tmp_path)
    try:
        assert {"0 units so far; 1,000 are needed before anything is said"} == {
            lesson.why for lesson in learn(rig.log, NOON)
        }
        work(rig, NOON, {"easy": 10, "hard": 8}, people=2, records=80)
        assert all("three people" in lesson.why and lesson.key is None for lesson in learn(rig.log, NOON))
        assert [] == models(rig.log)
    finally:
        rig.close()


def test_a_model_of_other_dims_or_by_hand_is_begun_anew(tmp_path: Path) -> None:
    """It says nothing of where to go on: the whole log is read."""
    rig = new_rig(tmp_path)
    try:
        work(rig, NOON, {"easy": 10, "hard": 8})
        rig.append([model("y", 1, NOON + HOUR, 0.9, [0.8])])
        lessons = {lesson.indicator: lesson for lesson in learn(rig.log, NOON + DAY)}
        assert ("case-mix:op/y@2", 3200) == (lessons["y"].key, lessons["y"].n)
    finally:
        rig.close()


def test_a_partition_knows_models_by_the_last_number(tmp_path: Path) -> None:
    """One name stands for all of an indicator's models; a rulebook as it was has those up to it."""
    rig = new_rig(tmp_path)
    try:
        rig.append([model("y", 1, NOON, 0.9, [0.8]), model("y", 2, NOON + HOUR, 0.9, [0.8])])
        rules = rulebook(rig.log)
        names = version_names(rules)
        assert ["op@1", "case-mix:op/y@2"] == names
        assert unknown_since(names, rules) is None
        assert NOON + HOUR == unknown_since(["op@1", "case-mix:op/y@1"], rules)
        assert NOON == unknown_since(["op@1"], rules)
        before = only(rules, ["op@1", "case-mix:op/y@1"])
        assert [1] == [model.number for model in before.models["op", "y"]]
    finally:
        rig.close()


def test_who_publishes_while_somebody_else_does_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that learns and a person that publishes meet now and then; nothing of the first try was written."""
    rig = Rig(tmp_path, 2)
    alone, busy = rig.log.alone, [LogBusy("somebody else is publishing"), LogBusy("once more")]

    def met(name: str) -> AbstractContextManager[Append]:
        if busy:
            raise busy.pop()
        return alone(name)

    monkeypatch.setattr(rig.log, "alone", met)
    monkeypatch.setattr("agents.publishing._PAUSES", (0.0, 0.0, 0.0))
    try:
        publish(rig.log, TEMPLATE, NOON - 30 * DAY)
        assert ["op@1"] == version_names(rulebook(rig.log))
        busy.extend([LogBusy("for ever")] * 4)
        with pytest.raises(LogBusy):
            publish(rig.log, TEMPLATE.replace("version: 1", "version: 2"), NOON)
    finally:
        rig.close()
