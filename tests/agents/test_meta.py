"""What the last commit says of itself is found at the end of the changelog, however much lies behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.meta import read_meta
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part
from stream.meta import KEY, Meta, decode_meta, encode_meta
from stream.topics import CHANGELOG
from tests.agents.rig import new_log


@pytest.fixture
def log(folder: Path) -> Iterator[EmbeddedLog]:
    """An empty log of two partitions."""
    with new_log(folder / "log", 2) as log:
        yield log


def _commit(log: EmbeddedLog, partition: int, states: int, last: int) -> None:
    keys = [b"e%d" % number for number in range(states)]
    records = [Outgoing(CHANGELOG, partition, 0, key, b"x") for key in keys]
    log.transact([Part(0, [*records, Outgoing(CHANGELOG, partition, 0, KEY, encode_meta(Meta(last=last)))], {})])


def test_nothing_was_committed_yet(log: EmbeddedLog, folder: Path) -> None:
    """An empty meta per partition, and none at all before there is a changelog."""
    assert [Meta(), Meta()] == read_meta(log)
    with EmbeddedLog.open(folder / "other") as other:
        assert [] == read_meta(other)


@pytest.mark.parametrize("states", [0, 1, 63, 64, 65, 1_100])
def test_the_newest_of_each_partition_is_found(log: EmbeddedLog, states: int) -> None:
    """Behind commits of any size, and in a partition that lags behind the other."""
    _commit(log, 0, states, 1)
    _commit(log, 1, 3, 7)
    _commit(log, 0, states, 2)
    assert [2, 7] == [meta.last for meta in read_meta(log)]
    log.compact()
    assert [2, 7] == [meta.last for meta in read_meta(log)]


def test_a_commit_that_is_only_begun_is_not_believed(log: EmbeddedLog) -> None:
    """States without their meta behind them: the commit before counts, however far back it is."""
    _commit(log, 0, 2, 1)
    log.transact([Part(0, [Outgoing(CHANGELOG, 0, 0, b"e%d" % number, b"x") for number in range(2_000)], {})])
    assert 1 == read_meta(log)[0].last


def test_counting_nothing_leaves_no_trace() -> None:
    """An outcome that never happened has no counter; what is taken back stays at zero."""
    meta = Meta()
    meta.count("late", 0)
    meta.count("held", 2)
    meta.count("held", -2)
    assert {"held": 0} == meta.outcomes
    assert meta == decode_meta(encode_meta(meta))
