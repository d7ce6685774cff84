"""A replay keeps what it needs to tell a repeat from an event, and no more."""

from __future__ import annotations

from collections.abc import Sequence

from agents.replay import _Replayer, replay
from agents.rules import rulebook
from schemas.event import Event
from stream.person import Person
from stream.tally import Forget, Tally
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, NOON, Log, published, template


def _forty_days() -> Log:
    log = published(template())
    for day in range(40):
        log.send(event_id=f"e{day}", occurred_at=NOON + day * DAY)
    return log


async def test_a_repeat_is_found_after_older_identities_were_forgotten(rig: Rig) -> None:
    """Those that lie further back than the horizon are let go, those within it are not."""
    log = _forty_days()
    log.send(NOON + 17 * DAY, event_id="e12", occurred_at=NOON + 12 * DAY)
    log.send(event_id="e39", occurred_at=NOON + 39 * DAY)
    rig.write(log)
    await rig.drain()
    kept: list[str] = []

    def keep(_: Person, events: Sequence[Event]) -> None:
        kept.extend(event.event_id for event in events)

    (found,) = [
        histories["E1"]
        for number in rig.numbers
        if (histories := replay(rig.log, rulebook(rig.log), number, rig.limits, keep=keep))
    ]
    assert [f"e{day}" for day in range(40)] == kept
    assert ([], []) == (list(found.events), list(found.alerts))


def test_blocks_that_nothing_asks_for_any_more_are_let_go(rig: Rig) -> None:
    """Of the lane and the hours that the order names."""
    replayer = _Replayer(rig.rules, rig.limits, {})
    replayer.blocks = {("E1", 0): {1: [], 2: []}, ("E1", 1): {1: []}, ("E2", 0): {1: []}}
    tally = Tally()
    tally.forget.append(Forget("E1", 0, 2))
    replayer._put_away(tally)
    assert {("E1", 0): {2: []}, ("E1", 1): {1: []}, ("E2", 0): {1: []}} == replayer.blocks
    assert [] == tally.forget
