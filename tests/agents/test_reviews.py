"""What somebody finds of an alert is counted once: the last word of each person, whatever happens in between."""

from __future__ import annotations

import msgspec
import pytest

from agents.transport.embedded.log import Outgoing, partition_for
from schemas.alerts import AlertReview
from stream.topics import COMMANDS
from tests.agents.rig import Rig
from tests.oracle.logs import MINUTE, NOON

WRONG, RIGHT = ("L1", "drop", "wrong"), ("L1", "drop", "right")


def _say(rig: Rig, verdict: str, by: str = "lee", alert: str = "a1") -> None:
    review = {"alert_id": alert, "verdict": verdict, "by": by, "reason": "dust", "rule": "drop", "unit": "L1"}
    value = msgspec.json.encode(msgspec.convert(review, AlertReview))
    number = partition_for(b"E1", len(rig.numbers))
    rig.append([Outgoing(COMMANDS, number, rig.wall, b"E1", value)])


async def _later(rig: Rig) -> dict[tuple[str, str, str], int]:
    """What stands a minute later."""
    rig.wall += MINUTE
    await rig.drain()
    found: dict[tuple[str, str, str], int] = {}
    for partition in rig.partitions:
        for key, number in partition.alerting.reviews.counts.items():
            found[key] = found.get(key, 0) + number
    return {key: number for key, number in found.items() if number}


@pytest.fixture
def reviewed(rig: Rig) -> Rig:
    """At noon."""
    rig.wall = NOON
    return rig


async def test_said_twice_it_counts_once(reviewed: Rig) -> None:
    """Who says it again means the same alert."""
    _say(reviewed, "wrong")
    _say(reviewed, "wrong")
    assert {WRONG: 1} == await _later(reviewed)
    _say(reviewed, "wrong")
    assert {WRONG: 1} == await _later(reviewed)


async def test_who_thinks_better_of_it_has_said_the_other(reviewed: Rig) -> None:
    """The last word of each person; another person's, and of another alert, stand beside it."""
    _say(reviewed, "wrong")
    _say(reviewed, "right", by="kim")
    _say(reviewed, "wrong", alert="a2")
    assert {WRONG: 2, RIGHT: 1} == await _later(reviewed)
    _say(reviewed, "right")
    assert {WRONG: 1, RIGHT: 2} == await _later(reviewed)


@pytest.mark.parametrize("kind", ["same", "deleted"])
async def test_a_restart_forgets_nothing(reviewed: Rig, kind: str) -> None:
    """Neither what stands, nor whose word it was; a commit that failed loses none of it."""
    _say(reviewed, "wrong")
    reviewed.wall += MINUTE
    reviewed.tick()
    reviewed.feed("ticks")
    await reviewed.fail_commit()
    assert {WRONG: 1} == await _later(reviewed)
    await reviewed.crash()
    reviewed.restart(kind)
    assert {WRONG: 1} == await _later(reviewed)
    _say(reviewed, "wrong")
    assert {WRONG: 1} == await _later(reviewed)
    _say(reviewed, "right")
    assert {RIGHT: 1} == await _later(reviewed)
