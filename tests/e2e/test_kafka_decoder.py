"""A backlog on a broker that processes beside the workers decode ends as if they were not there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_workers import KafkaWorker, KafkaWorld, kafka_world, until

WAITING = 60_000  # records before anybody reads
BITES = ("--decoder", "always", "--chunk-records", "2000")


@pytest.fixture
def world(empty_kafka: KafkaBroker, tmp_path: Path) -> Iterator[KafkaWorld]:
    """The soak's rules and people on the shared broker."""
    with kafka_world(empty_kafka.bootstrap, tmp_path) as made:
        yield made


def _decoding(worker: KafkaWorker) -> list[int]:
    """The processes beside it that decode; one that learns case mix comes and goes."""
    found: list[int] = []
    for task in Path(f"/proc/{worker.pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has just ended
            found += map(int, (task / "children").read_text().split())
    return [pid for pid in found if _decodes(pid)]


def _decodes(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return b"agents.decoder_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _answered(worker: KafkaWorker) -> bool:
    """Whether the processes beside it have sent it a good deal."""
    written = [line.split()[1] for pid in _decoding(worker) for line in _io(pid) if line.startswith("wchar:")]
    return len(written) == 2 and min(map(int, written)) > 500_000


def _io(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/io").read_text().splitlines()


@pytest.mark.long
@pytest.mark.parametrize("others", ["alone", "moved", "bereft"])
def test_a_backlog_that_is_decoded_beside_the_workers(world: KafkaWorld, others: str) -> None:
    """Also when half of it moves to another worker meanwhile, or the processes are killed."""
    feed = world.feed(30_000)
    until(lambda: feed.sent > WAITING, lambda: feed.sent)
    feed.stop()
    first = world.worker("w1", *BITES)
    first.start()
    until(lambda: _answered(first), first.said)
    if others == "moved":
        second = world.worker("w2", *BITES)
        second.start()
        second.wait_scoring()
    elif others == "bereft":
        for pid in _decoding(first):
            os.kill(pid, signal.SIGKILL)
    world.drain()
    assert [] == world.violations()
