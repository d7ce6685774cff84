"""Records for the tests of the transport."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from agents.transport.embedded.log import EmbeddedLog, Outgoing, Record


def outgoing(
    topic: str = "events", partition: int = 0, *, value: bytes | None = b"v", key: bytes | None = b"k"
) -> Outgoing:
    """One record, at a timestamp that means nothing."""
    return Outgoing(topic, partition, 1_700_000_000_000, key, value)


def numbered(numbers: Iterable[int], topic: str = "events", partition: int = 0) -> list[Outgoing]:
    """Records whose value is their number."""
    return [outgoing(topic, partition, value=b"%d" % n) for n in numbers]


def everything(log: EmbeddedLog, topic: str = "events", partition: int = 0, limit: int = 7_000) -> Iterator[Record]:
    """All records of a partition, read piece by piece."""
    position = 0
    while found := log.read(topic, partition, position, limit):
        yield from found
        position = found[-1][0] + 1


def values(log: EmbeddedLog, topic: str = "events", partition: int = 0) -> list[bytes | None]:
    """The values of `everything`."""
    return [record[3] for record in everything(log, topic, partition)]


class Clock:
    """Milliseconds that move only when told to."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    """A clock for the log."""
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedLog]:
    """An empty log with the topics `events` (two partitions) and `ledger-state` (compacted, in the ledger)."""
    with EmbeddedLog.open(tmp_path / "log", clock=clock) as opened:
        opened.create_topic("events", 2)
        opened.create_topic("ledger-state", 2, ledger=True, compacted=True)
        yield opened
