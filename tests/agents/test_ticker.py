"""A tick is written once a second, by who has read everything, and not while something waits."""

from __future__ import annotations

import msgspec

from agents.ticks import Tick
from stream.topics import QC_EVENTS, TICKS
from tests.agents.rig import Rig
from tests.oracle.logs import NOON, Log


def _ticks(rig: Rig) -> list[tuple[int, Tick]]:
    return [
        (number, msgspec.json.decode(row[3] or b"", type=Tick))
        for number in rig.numbers
        for row in rig.log.read(TICKS, number, 0, 100)
    ]


def test_one_tick_per_partition_and_second(rig: Rig) -> None:
    """However often the clock is looked at, and before the ticks come back as records."""
    rig.wall = NOON + 999
    rig.tick()
    rig.tick()
    assert [(number, NOON) for number in rig.numbers] == [(number, tick.at) for number, tick in _ticks(rig)]
    rig.wall = NOON + 1_000
    rig.tick()
    assert 2 * len(rig.numbers) == len(_ticks(rig))


def test_no_tick_while_records_wait(rig: Rig) -> None:
    """A partition behind the log's end has no tick; the others have; the tick follows what was read by then."""
    log = Log()
    sent = log.send()
    rig.write(log)
    rig.tick()
    assert {number for number in rig.numbers if number != sent.partition} == {number for number, _ in _ticks(rig)}
    rig.feed(QC_EVENTS)
    rig.tick()
    (found,) = [tick for number, tick in _ticks(rig) if number == sent.partition]
    assert 1 == found.follows[QC_EVENTS]


def test_what_comes_later_does_not_put_a_tick_off(rig: Rig) -> None:
    """The moment of a tick waits for what was in the log then, not for a backlog without end."""
    log = Log()
    sent = log.send()
    rig.write(log)
    rig.tick()
    log.send(event_id="e2")
    rig.write(log)
    rig.feed(QC_EVENTS, 1)
    rig.wall += 5_000
    rig.tick()
    (found,) = [tick for number, tick in _ticks(rig) if number == sent.partition]
    assert (NOON, 1) == (found.at, found.follows[QC_EVENTS])


def test_a_restarted_worker_goes_on_after_its_newest_tick(rig: Rig) -> None:
    """No second is ticked twice."""
    rig.tick()
    rig.feed(TICKS)
    rig.close_stores()
    rig.restart()
    rig.tick()
    assert len(rig.numbers) == len(_ticks(rig))
    rig.wall -= 10_000
    rig.tick()
    assert len(rig.numbers) == len(_ticks(rig))


def test_a_stranger_among_the_ticks_moves_nothing(rig: Rig) -> None:
    """A record that is no tick is passed over, and what follows it counts."""
    log = Log()
    log.append(TICKS, 0, NOON, b"0", b"no tick")
    log.append(TICKS, 0, NOON, b"0", None)
    rig.write(log)
    rig.wall += 1_000
    rig.tick()
    rig.feed(TICKS)
    assert NOON + 1_000 == rig.partitions[0].meta.now
