"""A version reads the states of its own format only, and says so before it does anything else."""

from __future__ import annotations

import pytest

from stream import state
from stream.meta import decode_meta
from stream.topics import CHANGELOG
from tests.agents.rig import Rig
from tests.oracle.logs import published


async def test_states_of_another_version_are_refused_before_anything_is_written(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when the first state is looked at: the way back to the version that wrote them stays open."""
    log = published()
    log.send()
    rig.write(log)
    await rig.drain()
    places = [(CHANGELOG, number) for number in rig.numbers]
    before = rig.log.ends(places)
    await rig.crash()
    with monkeypatch.context() as newer:
        newer.setattr(state, "FORMAT", state.FORMAT + 1)
        with pytest.raises(state.UnknownFormat, match=r"state format 3 is unknown, this version reads 4"):
            rig.restart()
    assert before == rig.log.ends(places)
    rig.restart()
    assert {"scored": 1} == rig.outcomes()


def test_what_does_not_tell_its_format_is_of_the_second() -> None:
    """As it was before metas told it."""
    assert decode_meta(b"{}").format == 2
