"""Partitions take turns, chunks are bounded, and what was seek'd or dropped is not read twice."""

from collections.abc import Mapping, Sequence

import pytest

from agents.transport.embedded.chunks import Chunks, ChunkSettings
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from agents.transport.hooks import AHEAD, Wanted
from tests.transport.conftest import Clock, numbered, outgoing

SETTINGS = ChunkSettings(max_records=100, max_bytes=10**6, linger_s=1.0)
Positions = dict[tuple[str, int], int]


def drain(chunks: Chunks, positions: Positions, now: float) -> list[tuple[str, int, int, int]]:
    """Chunks until there is none: topic, partition, begin and number of records."""
    found = []
    while found_now := chunks.round(positions, now):
        for chunk in found_now:
            found.append((*chunk.place, chunk.begin, len(chunk.records)))
            positions[chunk.place] = chunk.after
    return found


def at_start(log: EmbeddedLog) -> Positions:
    """Both partitions from their beginning."""
    return {("events", 0): 0, ("events", 1): 0}


def test_partitions_take_turns(log: EmbeddedLog) -> None:
    """A long partition does not keep a short one waiting."""
    log.append([*numbered(range(250)), *numbered(range(150), partition=1)])
    positions = {("events", 1): 0, ("events", 0): 0}  # first turns do not follow the order in which they are asked for
    assert drain(Chunks(log, SETTINGS), positions, 0.0) == [
        ("events", 0, 0, 100),
        ("events", 1, 0, 100),
        ("events", 0, 100, 100),
        ("events", 1, 100, 50),
        ("events", 0, 200, 50),
    ]


def test_what_comes_next_is_told(log: EmbeddedLog) -> None:
    """Whoever reads for us can begin it: all that is wanted later was told before, in this order."""
    log.append([*numbered(range(450)), *numbered(range(250), partition=1)])
    wishes: list[tuple[Wanted, list[tuple[str, int, int]]]] = []

    def reader(wanted: Wanted, following: Sequence[Wanted]) -> None:
        wishes.append((wanted, [guess[:3] for guess in following]))

    drain(Chunks(log, SETTINGS, reader), at_start(log), 0.0)
    wanted = [wish[:3] for wish, _ in wishes]
    assert len(wanted) == 8
    for number, (_, told) in enumerate(wishes):
        assert told == wanted[number + 1 : number + 1 + AHEAD]
    assert [wish.records for wish, _ in wishes] == [100] * 6 + [50, 100]


def test_what_cannot_be_told_is_not_guessed(log: EmbeddedLog) -> None:
    """Where size ends a chunk nobody knows where the next one begins: who begins a wrong one does it for nothing."""
    log.append([outgoing("events", 0, value=b"x" * 100_000) for _ in range(60)])
    told: list[Sequence[Wanted]] = []

    def reader(wanted: Wanted, following: Sequence[Wanted]) -> None:
        told.append(following)

    drain(Chunks(log, ChunkSettings(max_records=20, max_bytes=10**6), reader), {("events", 0): 0}, 0.0)
    assert len(told) > 3
    assert not any(told[1:])  # the first chunk shows it


def test_trickle_waits_for_company(log: EmbeddedLog) -> None:
    """After its last chunk a partition rests, until its time comes; one with a backlog does not."""
    chunks, positions = Chunks(log, SETTINGS), at_start(log)
    log.append(numbered([0]))
    assert drain(chunks, positions, 10.0) == [("events", 0, 0, 1)]
    log.append(numbered([1, 2]))
    assert drain(chunks, positions, 10.5) == []
    assert chunks.next_due == 11.0
    assert drain(chunks, positions, 11.0) == [("events", 0, 1, 2)]


def test_only_wanted_partitions_are_read(log: EmbeddedLog) -> None:
    """A partition that is paused, so not asked for, is left alone and goes on later from its position."""
    chunks = Chunks(log, SETTINGS)
    log.append([*numbered(range(3)), *numbered(range(4), partition=1)])
    assert drain(chunks, {("events", 1): 1}, 0.0) == [("events", 1, 1, 3)]
    assert drain(chunks, {("events", 0): 0}, 0.0) == [("events", 0, 0, 3)]


def test_new_records_make_it_stale(log: EmbeddedLog) -> None:
    """What is committed after a look is noticed without reading."""
    chunks = Chunks(log, SETTINGS)
    assert chunks.stale()
    assert chunks.round(at_start(log), 0.0) == []
    assert not chunks.stale()
    log.append(numbered([1]))
    assert chunks.stale()


def test_range_without_records_is_passed_over(log: EmbeddedLog, clock: Clock) -> None:
    """When retention took everything there is no chunk and no endless reading; the next record is found."""
    log.create_topic("events", 2, retention_ms=1)
    log.append(numbered(range(10)))
    log.retain(clock.now_ms + 10)
    chunks, positions = Chunks(log, SETTINGS), at_start(log)
    assert drain(chunks, positions, 0.0) == []
    log.append(numbered([10]))
    assert drain(chunks, positions, 1.0) == [("events", 0, 0, 1)]
    assert positions[("events", 0)] == 11


def test_compacted_tail_is_not_read_again_and_again(log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A position in a gap at the end is found empty once."""
    log.create_topic("state", 1, compacted=True)
    log.append([Outgoing("state", 0, 0, b"k", b"1"), Outgoing("state", 0, 0, b"k", b"2")])
    with log._log.transaction() as connection:
        connection.execute("DELETE FROM batches_2_0")
    reads: list[Mapping[str, int]] = []
    read = log.read
    monkeypatch.setattr(log, "read", lambda *args: reads.append(args) or read(*args))  # type: ignore[func-returns-value]
    chunks = Chunks(log, SETTINGS)
    for now in range(5):
        assert chunks.round({("state", 0): 0}, float(now)) == []
    assert len(reads) == 1
