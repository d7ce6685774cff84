"""What is told ahead is what is asked for then; where a backlog ends, the member reads on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest

from agents.transport.hooks import AHEAD, Hooks, Prepared, Span, Wanted
from agents.transport.kafka.backlog import Backlog
from agents.transport.log import TopicPartition

MOST = 100
WORTH = 10
EVENTS: TopicPartition = ("qc-events", 0)
OTHERS: TopicPartition = ("qc-events", 1)


@dataclass
class Made:
    """Records that a reader has made something of."""

    after: int
    count: int
    size: int = 0
    logged: int = 1_000

    def __len__(self) -> int:
        return self.count


@dataclass
class Reading:
    """A reader that gives what it is asked for, in pieces of `most` at most, or nothing."""

    most: int = MOST
    asked: list[Wanted] = field(default_factory=list)
    told: list[list[Wanted]] = field(default_factory=list)

    def __call__(self, wanted: Wanted, following: Sequence[Wanted]) -> Prepared | None:
        self.asked.append(wanted)
        self.told.append(list(following))
        after = min(wanted.end, wanted.start + min(self.most, wanted.records))
        return Made(after, after - wanted.start) if self.most else None


async def _nothing(*_: object) -> None:
    return None


async def _starts(_: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    return {}


async def _yes(_: Collection[int]) -> bool:
    return True


@pytest.fixture
def reading() -> Reading:
    """A reader."""
    return Reading()


def _hooks() -> Hooks:
    return Hooks(_starts, _nothing, _yes, _nothing, lambda: None, lambda _: None, lambda: ())


@pytest.fixture
def backlog(reading: Reading) -> Backlog:
    """With that reader, for which ten records are worth it."""
    return Backlog(replace(_hooks(), reader=reading, worth=lambda _, records: records >= WORTH), MOST)


async def _all(backlog: Backlog, positions: dict[TopicPartition, int]) -> list[tuple[TopicPartition, Span]]:
    """Reads until nothing is left to it."""
    found: list[tuple[TopicPartition, Span]] = []
    while backlog.places:
        chunk, _ = await backlog.read(positions)
        if chunk is not None:
            found.append((chunk.place, chunk.span))
            positions[chunk.place] = chunk.span.after
    return found


async def test_partitions_take_turns_and_what_is_told_ahead_comes_true(backlog: Backlog, reading: Reading) -> None:
    """Each question was announced by those before it, as far ahead as can be told."""
    assert backlog.takes(EVENTS, 50, 450)
    assert backlog.takes(OTHERS, 0, 330)
    positions = {EVENTS: 50, OTHERS: 0}
    found = await _all(backlog, positions)
    assert found[:4] == [(EVENTS, (50, 150)), (OTHERS, (0, 100)), (EVENTS, (150, 250)), (OTHERS, (100, 200))]
    assert ({EVENTS: 450, OTHERS: 330}, 8) == (positions, len(found))
    for number, told in enumerate(reading.told):
        assert reading.asked[number + 1 : number + 1 + AHEAD] == told


async def test_little_is_left_to_the_member(backlog: Backlog) -> None:
    """From the start, and at the end of a backlog, which says whose it is from there on."""
    assert not backlog.takes(EVENTS, 0, WORTH - 1)
    assert backlog.takes(EVENTS, 0, MOST + WORTH - 1)
    chunk, over = await backlog.read({EVENTS: 0})
    assert chunk is not None
    assert ((0, MOST), EVENTS) == (chunk.span, over)
    assert EVENTS not in backlog.places


async def test_without_an_answer_the_member_reads_on(backlog: Backlog, reading: Reading) -> None:
    """From where it stands."""
    reading.most = 0
    assert backlog.takes(EVENTS, 7, 500)
    assert (None, EVENTS) == await backlog.read({EVENTS: 7})
    assert EVENTS not in backlog.places


async def test_behind_a_chunk_that_ended_early_nothing_is_told(backlog: Backlog, reading: Reading) -> None:
    """By its size, or for gaps: where the next begins is known only then."""
    reading.most = 60
    assert backlog.takes(EVENTS, 0, 400)
    positions = {EVENTS: 0}
    await _all(backlog, positions)
    assert ([100, 200, 300], 400) == ([told.start for told in reading.told[0]], positions[EVENTS])
    assert not any(reading.told[1:])


async def test_a_rebalance_ends_it(backlog: Backlog, reading: Reading) -> None:
    """Also one that comes while records are read: they are nobody's."""

    def gone(wanted: Wanted, following: Sequence[Wanted]) -> Prepared | None:
        backlog.clear()
        return reading(wanted, following)

    backlog._hooks = replace(_hooks(), reader=gone, worth=lambda *_: True)
    assert backlog.takes(EVENTS, 0, 400)
    assert (None, None) == await backlog.read({EVENTS: 0})
    assert (None, None) == await backlog.read({EVENTS: 0})


def test_without_a_reader_everything_is_the_members() -> None:
    """As where one processor is all there is."""
    assert not Backlog(_hooks(), MOST).takes(EVENTS, 0, 1_000_000)
