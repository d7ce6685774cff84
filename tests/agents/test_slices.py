"""A long chunk, or a commit of many states, leaves the loop to others; what they see is whole all the same."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from agents import counting, flush, slices
from agents.metrics import Metrics
from agents.publishing import publish, publish_calendar
from agents.query import committed, rows_as_of
from agents.scoring import Scoring
from agents.slices import Slices, at_once, whole
from agents.ticks import Tick
from agents.transport.log import Outgoing
from schemas.event import Row
from stream.pipeline import Limits
from stream.topics import QC_EVENTS, TICKS
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, YIELD, calendar, template

PEOPLE = 600


@pytest.fixture
def scoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scoring]:
    """Six hundred people's events, none of them applied; a look elsewhere after each ten people and states."""
    monkeypatch.setattr(slices, "BLOCKS", 0.0)
    monkeypatch.setattr(counting, "MANY", 10)
    monkeypatch.setattr(counting, "EACH", 10)
    monkeypatch.setattr(flush, "SLICE", 10)
    with new_log(tmp_path / "log", 1) as log:
        publish(log, template(YIELD), NOON)
        log.append([Outgoing(QC_EVENTS, 0, NOON, f"E{n}".encode(), _inspection(n)) for n in range(PEOPLE)])
        made = Scoring.open(log, tmp_path, Limits(), Metrics(), PEOPLE)
        yield made
        made.close()


def _inspection(number: int) -> bytes:
    event = {"event_id": f"e{number}", "type": "qc.inspection", "employee_id": f"E{number}", "occurred_at": NOON}
    return json.dumps(event | {"source": "aoi", "measures": {"inspected": 1, "accepted": 1}}).encode()


def _chunk(scoring: Scoring) -> list[Row]:
    return [Row(*row) for row in scoring.log.read(QC_EVENTS, 0, 0, PEOPLE)]


def _tick(scoring: Scoring) -> Outgoing:
    """By which nothing is known."""
    value = msgspec.json.encode(Tick(NOON, {}, scoring.rules.ends))
    return Outgoing(TICKS, 0, NOON, b"0", value)


def _applied(scoring: Scoring) -> int:
    return scoring.partitions[0].meta.applied.get(QC_EVENTS, 0)


async def _commit_in_its_snapshot(scoring: Scoring) -> asyncio.Task[None]:
    """A commit that has begun to take its snapshot, and is far from its end."""
    commit = asyncio.create_task(scoring.commit())
    while not scoring._applying.locked():  # noqa: ASYNC110  # nobody tells when a lock is taken
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return commit


async def test_others_have_the_loop_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many seconds; how long they took is known."""
    monkeypatch.setattr(slices, "BLOCKS", 0.01)
    gaps: list[float] = []

    async def other() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            gaps.append((now := time.perf_counter()) - last)
            last = now

    def work() -> Slices:
        for _ in range(100):
            until = time.process_time() + 0.001
            while time.process_time() < until:
                pass
            yield

    looking = asyncio.create_task(other())
    await asyncio.sleep(0)
    assert 0.0 < await whole(work())
    looking.cancel()
    assert 5 <= len(gaps)  # more where the processor is others' too
    assert min(gaps) >= 0.01


async def test_who_is_cancelled_has_done_it_whole() -> None:
    """The rest is done at once."""
    done: list[int] = []

    def work() -> Slices:
        for number in range(1_000):
            done.append(number)
            yield

    task = asyncio.create_task(whole(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 1_000 == len(done)


async def test_what_a_thread_finds_is_what_the_work_goes_on_with() -> None:
    """And who is cancelled while the thread is at it has the work done whole."""
    found: list[int] = []
    at_it, go_on = threading.Event(), threading.Event()

    def waits() -> int:
        at_it.set()
        assert go_on.wait(10)
        return threading.get_ident()

    def work() -> Slices:
        found.append((yield waits))
        yield
        found.append(0)

    task = asyncio.create_task(whole(work()))
    await asyncio.to_thread(at_it.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert [0] == found[1:]
    assert threading.get_ident() != found[0]


def test_at_once_the_same_is_done_without_a_thread() -> None:
    """For who is in one already."""
    found: list[int] = []

    def work() -> Slices:
        found.append((yield threading.get_ident))

    at_once(work())
    assert [threading.get_ident()] == found


async def test_a_commit_waits_for_a_chunk_to_be_whole(scoring: Scoring) -> None:
    """Whoever commits in the middle of a chunk commits all of it."""
    task = asyncio.create_task(scoring.handle(QC_EVENTS, 0, _chunk(scoring)))
    await asyncio.sleep(0)
    assert not task.done()
    assert scoring.partitions[0].dirty
    assert 0 == _applied(scoring)
    await scoring.commit()
    assert task.done()
    assert PEOPLE == scoring.log.committed()[QC_EVENTS, 0] == _applied(scoring)
    known = committed(scoring.log)
    found = list(rows_as_of(scoring.log, known, NOON, Limits()))
    assert PEOPLE == len({row.employee_id for row in found})


async def test_a_chunk_that_somebody_stops_waiting_for_is_applied_whole(scoring: Scoring) -> None:
    """As when a worker is told to stop: what is committed then is no half of it."""
    task = asyncio.create_task(scoring.handle(QC_EVENTS, 0, _chunk(scoring)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (PEOPLE, PEOPLE) == (_applied(scoring), len(scoring.partitions[0].dirty))


async def test_a_chunk_waits_for_a_snapshot_to_be_whole(scoring: Scoring) -> None:
    """While states are encoded nothing is applied."""
    await scoring.handle(QC_EVENTS, 0, _chunk(scoring)[: PEOPLE // 2])
    commit = await _commit_in_its_snapshot(scoring)
    await scoring.handle(QC_EVENTS, 0, _chunk(scoring))
    await commit
    assert PEOPLE // 2 == scoring.log.committed()[QC_EVENTS, 0]
    assert PEOPLE == _applied(scoring)
    await scoring.commit()
    assert PEOPLE == scoring.log.committed()[QC_EVENTS, 0]


async def test_a_commit_that_is_cancelled_in_its_snapshot_is_written(scoring: Scoring) -> None:
    """What was taken out of the partitions for it must not be lost."""
    await scoring.handle(QC_EVENTS, 0, _chunk(scoring))
    commit = await _commit_in_its_snapshot(scoring)
    assert 0 == scoring.flush.transactions
    commit.cancel()
    await asyncio.gather(commit, return_exceptions=True)
    assert commit.cancelled()
    assert 1 == scoring.flush.transactions
    assert PEOPLE == scoring.log.committed()[QC_EVENTS, 0]
    assert not scoring.partitions[0].dirty


async def test_nothing_is_applied_between_a_tick_and_what_it_decides(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is told to stop while it writes one: a tick that a later life applies would know more than it says."""
    publish(scoring.log, template(f"{YIELD.rstrip('}')}, alerts: [{{id: silent, stale: 15m}}]}}", name="silent"), NOON)
    publish_calendar(scoring.log, calendar(), NOON)
    writing, written = threading.Event(), threading.Event()
    write = scoring.ticker.write

    def slowly(ticks: Sequence[Outgoing]) -> list[tuple[int, Row]]:
        writing.set()
        assert written.wait(10)
        return write(ticks)

    monkeypatch.setattr(scoring.ticker, "write", slowly)
    monkeypatch.setattr(scoring.ticker, "due", lambda *_: [_tick(scoring)])
    beat = asyncio.create_task(scoring.beat(60.0))
    assert await asyncio.to_thread(writing.wait, 10)
    beat.cancel()
    chunk = asyncio.create_task(scoring.handle(QC_EVENTS, 0, _chunk(scoring)))
    await asyncio.sleep(0.01)
    assert 0 == _applied(scoring)
    written.set()
    await asyncio.gather(beat, chunk, return_exceptions=True)
    assert beat.cancelled()
    assert (1, PEOPLE) == (scoring.partitions[0].meta.applied[TICKS], _applied(scoring))


async def test_updates_are_made_of_whole_chunks(scoring: Scoring) -> None:
    """In the middle of one nothing is shown."""
    task = asyncio.create_task(scoring.handle(QC_EVENTS, 0, _chunk(scoring)))
    await asyncio.sleep(0)
    scoring.show()
    assert not scoring.partitions[0].owed.made
    await task
    scoring.flush._made_at -= 1.0
    scoring.show()
    assert scoring.partitions[0].owed.made


async def test_of_a_chunk_that_failed_midway_nothing_is_committed(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that waits for it is told the same: half of a chunk would be counted without its outcomes."""
    monkeypatch.setattr(scoring.partitions[0], "_settle", lambda *_: 1 // 0)
    chunk = asyncio.create_task(scoring.handle(QC_EVENTS, 0, _chunk(scoring)))
    await asyncio.sleep(0)
    commit = asyncio.create_task(scoring.commit())
    for task in (chunk, commit):
        with pytest.raises(ZeroDivisionError):
            await task
    assert 0 == scoring.log.committed().get((QC_EVENTS, 0), 0)
    assert 0 == scoring.flush.transactions


async def test_whether_a_tick_decides_is_asked_of_whole_states(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is half applied may be due, and not be scheduled yet."""
    asked: list[int] = []
    monkeypatch.setattr(scoring.ticker, "urgent", lambda now: asked.append(_applied(scoring)))
    await scoring._look()
    chunk = asyncio.create_task(scoring.handle(QC_EVENTS, 0, _chunk(scoring)))
    await asyncio.sleep(0)
    await scoring._tick(NOON)
    await chunk
    assert [PEOPLE] == asked
