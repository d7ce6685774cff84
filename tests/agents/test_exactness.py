"""Whatever the order, the faults and the restarts: what the product says is what the oracle says."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.event import INPUT_TOPICS
from schemas.instants import HOUR
from stream.pipeline import Limits
from stream.topics import TICKS
from tests.agents.agreement import disagreements, shown_wrong
from tests.agents.logs import BEGINNINGS, Senders, Step, few_or_many, instant, scripts
from tests.agents.rig import Rig

settings.register_profile(
    "ci", max_examples=100, derandomize=True, deadline=None, print_blob=True, report_multiple_bugs=False
)
settings.register_profile("long", max_examples=5_000, deadline=None, print_blob=True, report_multiple_bugs=False)
PROFILE: Final = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

MOVES: Final = (
    *("send", "send", "send", "feed", "feed", "feed", "refresh", "tick", "show", "commit", "evict"),
    *("repeat", "begin_commit", "fail_commit", "same", "deleted", "copied", "older", "lost"),
)


@dataclass(frozen=True)
class Move:
    """What the worker or the world does next; `size` says how much of it, `topic` where."""

    act: str
    size: int = 1
    topic: int = 0


TOPICS: Final = (*INPUT_TOPICS, TICKS)
MOVE: Final = st.builds(Move, act=st.sampled_from(MOVES), size=st.integers(1, 9), topic=st.integers(0, 3))


@settings(PROFILE, suppress_health_check=list(HealthCheck))
@given(
    script=scripts(),
    moves=few_or_many(MOVE, 32),
    beginning=st.sampled_from(BEGINNINGS),
    partitions=st.sampled_from((1, 2)),
    tail=st.sampled_from((1, 3, 8)),
    pace=st.integers(1, 9),
    together=st.booleans(),
)
def test_the_product_says_what_the_oracle_says(
    logs: Path,
    script: list[Step],
    moves: list[Move],
    beginning: str,
    partitions: int,
    tail: int,
    pace: int,
    together: bool,
) -> None:
    """Scores as of the last event, later and earlier, as known earlier, and outcomes: no difference."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    rig = Rig(folder, partitions, limits=Limits(tail=tail), together=together)
    try:
        asyncio.run(drive(rig, Senders(partitions, instant(beginning)), script, moves, pace))
        assert [] == disagreements(rig)
        rig.wall += HOUR
        asyncio.run(rig.drain())
        assert [] == shown_wrong(rig)
    finally:
        rig.close()
        shutil.rmtree(folder)


async def drive(rig: Rig, senders: Senders, script: Sequence[Step], moves: Sequence[Move], pace: int) -> None:
    """First as the moves say; what is left of the script is then sent and read `pace` steps at a time."""
    rest = list(script)
    for move in moves:
        await _move(rig, senders, rest, move)
    while rest:
        _send(rig, senders, rest, pace)
        rig.refresh()
        for topic in TOPICS:
            rig.feed(topic)
    await rig.drain()


def _send(rig: Rig, senders: Senders, rest: list[Step], number: int) -> None:
    records = [senders.take(step) for step in rest[:number]]
    del rest[:number]
    rig.wall = senders.wall
    if records:
        rig.append(records)


async def _move(rig: Rig, senders: Senders, rest: list[Step], move: Move) -> None:
    topic = TOPICS[move.topic]
    match move.act:
        case "send":
            _send(rig, senders, rest, move.size)
        case "feed":
            rig.feed(topic, move.size)
        case "repeat":
            rig.repeat(topic, move.size)
        case "refresh" | "tick" | "show" | "evict":
            getattr(rig, move.act)()
        case "commit" | "begin_commit" | "fail_commit":
            await getattr(rig, move.act)()
        case "lost":
            await rig.crash(unwritten_store=True)
            rig.restart()
        case kind:
            await rig.crash()
            rig.restart(kind)
