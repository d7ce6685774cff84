"""A commit that is cancelled half-way is still one commit: its thread goes on, and nothing is written twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from agents.transport.embedded.log import Outgoing, Part
from agents.transport.errors import LogFull
from stream.topics import DEAD_LETTERS, QC_EVENTS
from tests.agents.rig import Rig


@pytest.mark.parametrize("room", [True, False])
async def test_who_is_cancelled_during_a_commit_waits_for_its_end(tmp_path: Path, room: bool) -> None:
    """SIGTERM cancels the beat in the middle of a commit; the last commit then writes only what is not written."""
    rig = Rig(tmp_path, 1)
    rig.append([Outgoing(QC_EVENTS, 0, 0, b"E1", b"no event") for _ in range(3)])
    rig.feed(QC_EVENTS)
    inside, go_on, transact = Event(), Event(), rig.log.transact

    def slow(parts: Sequence[Part]) -> list[list[int]]:
        inside.set()
        assert go_on.wait(10)
        if not room:
            raise LogFull("no room")
        return transact(parts)

    rig.log.transact = slow  # type: ignore[method-assign]
    commit = asyncio.ensure_future(rig.flush(rig.partitions))
    await asyncio.to_thread(inside.wait, 10)
    commit.cancel()
    await asyncio.sleep(0)
    commit.cancel()
    await asyncio.sleep(0)
    assert not commit.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError if room else LogFull):
        await commit
    rig.log.transact = transact  # type: ignore[method-assign]
    await rig.commit()
    assert 3 == len(rig.log.read(DEAD_LETTERS, 0, 0, 100))
    rig.close()
