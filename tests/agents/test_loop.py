"""Whatever a worker has to do, its loop answers others soon: no callback takes a tenth of a second of the processor.

The time of the processor that the loop's thread had counts, not the clock's: the machine may be busy with other things.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from agents.metrics import Metrics
from agents.publishing import publish, publish_calendar
from agents.scoring import Scoring
from agents.transport.log import Outgoing
from agents.tuning import tune_collector
from schemas.event import Row
from schemas.instants import HOUR, MINUTE
from stream.pipeline import Limits
from stream.topics import PEOPLE_EVENTS, QC_EVENTS, TICKS
from tests.agents.rig import new_log
from tests.bench.watch import Watch
from tests.oracle.logs import NOON, calendar, template

PEOPLE = 3_000
MOST = 0.1  # s
WATCHED = (
    "{id: yield, from: qc.inspection, value: accepted / inspected, rate: {good: accepted, of: inspected}, target: 0.9, "
    "windows: [rolling 60m, day], alerts: [{id: drop, drift: {good: 0.95, bad: 0.85, h: 5.5}}, "
    "{id: low, window: rolling 60m, below: 0.9, confidence: 0.95}, {id: behind, window: day, below_unit: 0.05}, "
    "{id: silent, stale: 15m}]}"
)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """The collector as in a worker, and every callback timed."""
    before = gc.get_threshold(), sys.getswitchinterval()
    tune_collector()
    made = Watch()
    made.install()
    yield made
    made.remove()
    gc.unfreeze()
    gc.set_threshold(*before[0])
    sys.setswitchinterval(before[1])


@pytest.fixture
def scoring(tmp_path: Path) -> Iterator[Scoring]:
    """Thousands of people of twenty units in one partition."""
    with new_log(tmp_path / "log", 1) as log:
        publish_calendar(log, calendar(), NOON - 2 * HOUR)
        publish(log, template(WATCHED), NOON - 2 * HOUR)
        made = Scoring.open(log, tmp_path, Limits(), Metrics(), PEOPLE * 2)
        yield made
        made.close()


def _event(number: int, who: int, at: int, good: int = 9) -> bytes:
    event = {"event_id": f"e{number}", "type": "qc.inspection", "employee_id": f"E{who}", "occurred_at": at}
    rest = {"source": "aoi", "measures": {"inspected": 10, "accepted": good}, "dims": {"line": f"L{who % 20}"}}
    return json.dumps(event | rest).encode()


async def _read(scoring: Scoring, topic: str) -> None:
    """What is new of a topic, in one chunk."""
    first = scoring.partitions[0].meta.applied.get(topic, 0)

    def rows() -> list[Row]:
        found: list[Row] = []
        while read := scoring.log.read(topic, 0, first + len(found), 1_000_000):
            found += [Row(*row) for row in read]
        return found

    await scoring.handle(topic, 0, await asyncio.to_thread(rows))


async def _send(scoring: Scoring, topic: str, values: Iterator[tuple[int, bytes]]) -> None:
    """In a thread: what a test makes is no work of the loop."""

    def send() -> None:
        scoring.log.append([Outgoing(topic, 0, NOON, f"E{who}".encode(), value) for who, value in values])

    await asyncio.to_thread(send)


async def _everybody(scoring: Scoring) -> None:
    await _send(scoring, QC_EVENTS, ((n % PEOPLE, _event(n, n % PEOPLE, NOON)) for n in range(2 * PEOPLE)))


async def _tick(scoring: Scoring, at: int) -> None:
    follows = {topic: scoring.partitions[0].meta.applied.get(topic, 0) for topic in (QC_EVENTS, "commands")}
    scoring.log.append([Outgoing(TICKS, 0, at, b"0", json.dumps({"at": at, "follows": follows}).encode())])
    await _read(scoring, TICKS)


async def _longest(watch: Watch) -> list[tuple[str, int]]:
    """The callbacks that took too long, and for how many milliseconds of the processor."""
    await asyncio.sleep(0)  # this one ends here
    return [(block.where, round(1000 * block.cpu)) for block in watch.blocks if block.cpu > MOST]


async def _show(scoring: Scoring) -> None:
    """Everybody's score update, slice by slice."""
    while scoring.partitions[0].owed:
        scoring.flush._made_at -= 1.0
        scoring.show()
        await asyncio.sleep(0)


async def test_a_backlog_its_commit_and_a_minute_that_ends(scoring: Scoring, watch: Watch) -> None:
    """A chunk of everybody's events, all states, a tick at which everybody is due and silent, units by their minute."""
    await _everybody(scoring)
    await _read(scoring, QC_EVENTS)
    await _show(scoring)
    await scoring.commit()
    await _tick(scoring, NOON + 61 * MINUTE)
    assert PEOPLE == len(scoring.partitions[0].owed.later)
    assert PEOPLE == len(scoring.partitions[0].alerting.open)
    await _show(scoring)
    await scoring.commit()
    await scoring._look()
    await scoring.pool()
    await scoring.pool()
    await scoring.pool()
    await scoring.commit()
    assert scoring.units is not None
    assert scoring.units.whole
    assert [] == await _longest(watch)


async def test_rules_that_reach_into_the_past(scoring: Scoring, watch: Watch) -> None:
    """Everybody's past is counted anew: the log is read again, and every state replaced."""
    await _everybody(scoring)
    await _read(scoring, QC_EVENTS)
    publish(scoring.log, template(WATCHED, name="other"), NOON)
    await scoring._look()
    await scoring._look_at_rules()
    assert {"op", "other"} == set(scoring.rules.versions)
    assert PEOPLE == len(scoring.partitions[0].dirty)
    assert [] == await _longest(watch)


async def test_what_nobody_can_use(scoring: Scoring, watch: Watch) -> None:
    """Thousands of records without sense, and of such that come too late: each leaves with its bytes."""
    senseless = ((n, b"no event") for n in range(8 * PEOPLE))
    late = ((n, _event(n, n, NOON - 9 * 24 * HOUR)) for n in range(PEOPLE))
    await _send(scoring, QC_EVENTS, chain(senseless, late))
    await _read(scoring, QC_EVENTS)
    assert 9 * PEOPLE == len(scoring.partitions[0].outputs)
    assert [] == await _longest(watch)


async def test_one_person_with_all_events(scoring: Scoring, watch: Watch) -> None:
    """A chunk need not be of many people."""
    await _send(scoring, QC_EVENTS, ((1, _event(n, 1, NOON - HOUR + 90 * n)) for n in range(40_000)))
    await _read(scoring, QC_EVENTS)
    assert {"scored": 40_000} == {name: n for name, n in scoring.partitions[0].meta.outcomes.items() if n}
    assert [] == await _longest(watch)


async def test_assignments_of_everybody(scoring: Scoring, watch: Watch) -> None:
    """Whose events come before they are known: what they did is counted anew before the commit."""
    await _everybody(scoring)
    await _read(scoring, QC_EVENTS)
    move = {"event_id": "m", "type": "people.assignment", "occurred_at": NOON - HOUR, "source": "hr", "measures": {}}
    moves = ((n, json.dumps(move | {"employee_id": f"E{n}", "dims": {"unit": "U"}}).encode()) for n in range(PEOPLE))
    await _send(scoring, PEOPLE_EVENTS, moves)
    await _read(scoring, PEOPLE_EVENTS)
    assert PEOPLE == len(scoring.partitions[0].unsettled)
    await scoring.commit()
    assert [] == await _longest(watch)
