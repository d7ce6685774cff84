"""A disk without room: it is said once and clearly, nothing dies or is lost, and with room again everything goes on."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from agents.transport.embedded.log import EmbeddedLog
from stream.topics import INPUTS
from tests.soak.evidence import Evidence, settings_of
from tests.soak.invariants import told, violations
from tests.soak.outputs import unit_updates
from tests.soak.processes import COMMAND, Worker, environment
from tests.soak.senders import SenderProcess
from tests.soak.stores import stores
from tests.soak.workload import STEP
from tests.soak.world import World

PATIENCE = 90.0  # s
NO_ROOM = "no room left on the disk"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def worker_of(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts workers; none outlives the test, and what they say does not go to the small disk."""
    workers: list[Worker] = []

    def begin(folder: Path, *arguments: str) -> Worker:
        workers.append(Worker(folder, "", arguments, tmp_path / "worker.txt"))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.kill()


def _fill(disk: Path) -> Path:
    """A file that leaves no room at all."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return ballast


def _send(world: World, path: Path) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "send", str(path), "--broker", f"embedded://{world.folder}"]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)


def _events(path: Path, number: int) -> Path:
    """NDJSON of valid events that take room."""
    now = time.time_ns() // 1_000_000
    event = {
        "type": "qc.inspection", "source": "aoi", "measures": {"inspected": 3, "accepted": 3},
        "dims": {"stage": "semi", "note": "x" * 100},
    }  # fmt: skip
    lines = (
        json.dumps({"event_id": f"n-{n}", "employee_id": f"E{n % 24 + 1:03}", "occurred_at": now - n, **event})
        for n in range(number)
    )
    path.write_text("\n".join(lines) + "\n")
    return path


def _until(condition: Callable[[], object], why: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


def _records(log: EmbeddedLog) -> int:
    return sum(end for (topic, _), (_, end) in log.bounds().items() if topic in INPUTS)


def _committed(log: EmbeddedLog) -> int:
    return sum(offset for (topic, _), offset in log.committed().items() if topic in INPUTS)


def _is_well(world: World, worker: Worker, state: Path) -> None:
    """Everything is processed, shown and right; the worker is the one from before."""
    _until(lambda: _committed(world.log) == _records(world.log), worker.told)
    evidence = Evidence(world.log, settings_of(world.folder))

    def shown() -> list[object]:
        evidence.look_again()
        return list(unit_updates(evidence))

    _until(lambda: not shown(), lambda: shown()[:5])
    assert worker.health()["reason"] is None
    worker.stop()
    evidence.look_again()
    assert [] == violations(evidence, world.senders, Random(1))
    assert [] == told("store", stores(evidence, state))


def test_no_room_for_the_log(disk: Path, tmp_path: Path, worker_of: Callable[..., Worker]) -> None:
    """`send` fails and says why, the worker waits and says why once; with room again all is scored, nothing is lost."""
    world = World(disk, "world")
    worker = worker_of(world.folder, "--data", str(tmp_path / "data"), "--commit-interval", "3")
    worker.wait_scoring()
    sender = SenderProcess(world.folder, "world.0", time.time_ns() // 1_000_000 - 800 * STEP, 800)
    world.senders.append(sender)
    sender.begin()
    sender.finish()
    ballast = _fill(disk)
    _until(lambda: NO_ROOM in str(worker.health()["reason"]), lambda: (worker.health(), worker.told()))

    before = _records(world.log)
    refused = _send(world, _events(tmp_path / "many.ndjson", 20_000))
    assert refused.returncode == 1
    assert f"scorestream: {world.folder}/log.sqlite: {NO_ROOM}" in refused.stderr
    assert "nothing was written, make room and go on" in refused.stderr
    sent = _records(world.log) - before
    assert f"sent {sent:,} records" in refused.stderr

    _until(lambda: worker.health()["status"] == "red", worker.health)  # no commit for half a minute, and work to do
    assert worker.alive
    assert worker.told().count("commit put off, nothing is lost") <= 2  # at once, and again after half a minute
    ballast.unlink()
    _until(lambda: worker.health()["status"] == "ok", worker.told)
    assert _send(world, _events(tmp_path / "few.ndjson", 200)).returncode == 0
    _is_well(world, worker, tmp_path / "data" / "state")
    assert "the log takes commits again" in worker.told()


@pytest.mark.long
def test_no_room_for_the_local_state(disk: Path, tmp_path: Path, worker_of: Callable[..., Worker]) -> None:
    """The commit is durable, the store is not: the worker begins anew until there is room, and health says why."""
    world = World(tmp_path, "world")
    worker = worker_of(world.folder, "--data", str(disk))
    worker.wait_scoring()
    ballast = _fill(disk)
    for number in range(2):
        total = 1_500
        start = time.time_ns() // 1_000_000 - total * STEP
        sender = SenderProcess(world.folder, f"world.{number}", start, total)
        world.senders.append(sender)
        sender.begin()
        sender.finish()
    _until(lambda: f"{NO_ROOM} for local state" in str(worker.health().get("reason")), worker.told)
    assert worker.health()["status"] == "red"
    assert worker.alive
    ballast.unlink()
    _is_well(world, worker, disk / "state")


def test_no_room_from_the_start(disk: Path, tmp_path: Path, worker_of: Callable[..., Worker]) -> None:
    """A worker that is started on a full disk waits for room like one that was there before."""
    world = World(disk, "world")
    sender = SenderProcess(world.folder, "world.0", time.time_ns() // 1_000_000 - 800 * STEP, 800)
    world.senders.append(sender)
    sender.begin()
    sender.finish()
    ballast = _fill(disk)
    worker = worker_of(world.folder)
    _until(lambda: NO_ROOM in worker.told(), worker.told)
    assert worker.alive
    ballast.unlink()
    worker.wait_scoring()
    _is_well(world, worker, world.folder / "state")
