"""A commit that fails loses nothing and doubles nothing, wherever it fails and whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from agents.store import StoreDamaged
from agents.transport.errors import CommitRefused, LogFull
from agents.transport.log import Part
from stream.keys import HOLDING
from stream.topics import DEAD_LETTERS, QC_EVENTS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import Log, published, template


def _dead_letters(rig: Rig) -> int:
    return sum(len(rig.log.read(DEAD_LETTERS, number, 0, 100)) for number in rig.numbers)


def _sent() -> Log:
    log = published()
    log.send()
    log.send(measures={"inspected": 1, "accepted": 2})
    log.send(event_id="e2", employee_id="E2")
    return log


async def test_a_commit_without_room_is_made_up_for_whole(rig: Rig) -> None:
    """The next commit has the states, the dead letters and the outputs of others, once."""
    rig.write(_sent())
    rig.feed(QC_EVENTS)
    await rig.fail_commit()
    await rig.fail_commit()
    assert 0 == _dead_letters(rig)
    await rig.drain()
    assert 1 == _dead_letters(rig)
    assert {"E1", "E2"} == rig.updates().keys()
    assert [] == disagreements(rig)


async def test_after_a_commit_of_which_nobody_knows_the_end_nothing_is_written(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One partition's transaction went through, another's may have: only the next life can tell. Found by the soak."""
    rig.write(_sent())
    rig.feed(QC_EVENTS)
    transact = rig.log.transact

    def half(parts: Sequence[Part]) -> list[list[int]]:
        transact([part for part in parts if part.partition == rejected])
        raise CommitRefused("no answer for 30 s")

    (rejected,) = {partition.number for partition in rig.partitions if partition.outputs}
    with monkeypatch.context() as silent:
        silent.setattr(rig.log, "transact", half)
        with pytest.raises(CommitRefused):
            await rig.flush(rig.partitions)
    with pytest.raises(CommitRefused, match="no answer for 30 s"):
        await rig.flush(rig.partitions)
    await rig.crash()
    rig.restart()
    await rig.drain()
    assert 1 == _dead_letters(rig)
    assert [] == disagreements(rig)


async def test_a_store_that_fails_after_the_transaction_doubles_no_output(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the transaction holds is out; trying again writes the states, not the dead letters."""
    rig.write(_sent())
    rig.feed(QC_EVENTS)

    def fails(*_: object) -> None:
        raise StoreDamaged(Path("here"), "no")

    with monkeypatch.context() as broken:
        for partition in rig.partitions:
            broken.setattr(partition.store, "write", fails)
        with pytest.raises(StoreDamaged):
            await rig.flush(rig.partitions)
    await rig.drain()
    assert 1 == _dead_letters(rig)
    assert [] == disagreements(rig)


async def test_nobody_leaves_memory_while_a_commit_is_written(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it fails in the end, their states are still there."""
    rig.write(_sent())
    rig.feed(QC_EVENTS)
    begun, go_on = Event(), Event()

    def waits(*_: object) -> list[int]:
        begun.set()
        go_on.wait(10)
        raise LogFull("no")

    with monkeypatch.context() as broken:
        broken.setattr(rig.log, "transact", waits)
        commit = asyncio.ensure_future(rig.flush(rig.partitions))
        await asyncio.to_thread(begun.wait, 10)
        rig.evict()
        go_on.set()
        with pytest.raises(LogFull):
            await commit
    await rig.drain()
    assert [] == disagreements(rig)


async def test_whoever_waits_no_more_is_no_longer_marked(rig: Rig) -> None:
    """The mark of held records goes with the next commit that succeeds."""
    log = Log()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    await rig.commit()
    log.publish(template())
    rig.write(log)
    rig.refresh()
    await rig.fail_commit()
    await rig.drain()
    assert [] == [key for partition in rig.partitions for key, _ in partition.store.items(HOLDING)]


async def test_what_happens_while_a_commit_is_written_is_in_the_next_one(rig: Rig) -> None:
    """The snapshot is of one instant; a chunk during the writing waits for the next."""
    log = published()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    await rig.begin_commit()
    log.send(event_id="e2")
    rig.write(log)
    rig.feed(QC_EVENTS)
    await rig.settle()
    await rig.crash()
    rig.restart()
    assert {"scored": 1} == rig.outcomes()
    rig.feed(QC_EVENTS)
    await rig.drain()
    assert {"scored": 2} == rig.outcomes()
    assert [] == disagreements(rig)
