"""The worker as a process: says where it is, loses nothing when told to stop, shares its folder with commands."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.store import Store
from agents.transport.embedded.log import EmbeddedLog, FolderLock
from stream.topics import DEAD_LETTERS, INPUTS
from tests.soak.processes import COMMAND, Violation, Worker, environment
from tests.soak.senders import SenderProcess
from tests.soak.workload import STEP
from tests.soak.world import World

PATIENCE = 60.0  # s
Begin = Callable[..., Worker]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A log with a template and people, and nobody at work yet."""
    made = World(tmp_path, "world")
    yield made
    for sender in made.senders:
        sender.kill()
    made.log.close()


@pytest.fixture
def begin(world: World) -> Iterator[Begin]:
    """Starts a worker of the world; none outlives the test."""
    workers: list[Worker] = []

    def begin(*arguments: str, fail_points: str = "") -> Worker:
        workers.append(Worker(world.folder, fail_points, arguments))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.kill()


def _sender(world: World, total: int) -> SenderProcess:
    start = time.time_ns() // 1_000_000 - total * STEP
    sender = SenderProcess(world.folder, f"{world.seed}.{len(world.senders)}", start, total)
    world.senders.append(sender)
    sender.begin()
    return sender


def _command(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    whole = [*COMMAND, *arguments, "--broker", f"embedded://{world.folder}"]
    return subprocess.run(whole, env=environment(), capture_output=True, text=True, timeout=120, check=False)


def _until(condition: Callable[[], object], why: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


def _records(log: EmbeddedLog) -> int:
    return sum(end for (topic, _), (_, end) in log.bounds().items() if topic in INPUTS)


def _status(world: World, *arguments: str) -> dict[str, object]:
    done = _command(world, "status", "--format", "ndjson", *arguments)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_says_where_it_is_and_leaves_nothing(world: World, begin: Begin, signum: signal.Signals) -> None:
    """The address is printed and kept in worker.port, health and metrics answer there, until it is told to stop."""
    worker = begin()
    worker.wait_scoring()
    port = (world.folder / "worker.port").read_text().strip()
    assert f"worker of {world.folder}: http://127.0.0.1:{port}/healthz\n" in worker.told()
    assert "# TYPE scorestream_lag_records gauge" in _metrics(world)
    assert worker.process.pid == FolderLock.owner(world.folder)
    worker.process.send_signal(signum)
    assert worker.process.wait(PATIENCE) == 0, worker.told()
    assert not (world.folder / "worker.port").exists()
    assert FolderLock.owner(world.folder) is None


def test_stopped_in_the_middle_of_work_it_loses_and_doubles_nothing(world: World, begin: Begin) -> None:
    """SIGTERM three times while records come; in the end each has ended once, and each dead letter is there once."""
    sender = _sender(world, 4_000)
    for _ in range(3):
        worker = begin()
        worker.wait_scoring()
        seen = _records(world.log)
        _until_more(world, sender, seen)
        worker.stop()
    sender.finish()
    evidence, found = world.check()
    assert found == []
    letters = sum(world.log.end(DEAD_LETTERS, number) for number in range(evidence.partitions))
    assert len(evidence.rejected) == letters > 0


def _until_more(world: World, sender: SenderProcess, seen: int) -> None:
    """More records are there, or the sender is done."""
    _until(lambda: _records(world.log) > seen or sender.process is None or sender.process.poll() is not None, str)


def test_what_was_applied_is_committed_when_it_is_told_to_stop(world: World, begin: Begin) -> None:
    """SIGTERM after the last record: nothing is left for the next worker."""
    sender = _sender(world, 500)
    worker = begin("--commit-interval", "60")
    worker.wait_scoring()
    sender.finish()
    _until(lambda: _applied(world) == _records(world.log), worker.told)
    assert world.log.committed() == {}
    worker.stop()
    committed = world.log.committed()
    assert _records(world.log) == sum(offset for (topic, _), offset in committed.items() if topic in INPUTS)
    assert _records(world.log) == _status(world)["records"]


def _applied(world: World) -> int:
    lines = _metrics(world).splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("scorestream_chunk_records_sum"))


def _metrics(world: World) -> str:
    port = (world.folder / "worker.port").read_text().strip()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_second_worker_on_the_folder_is_refused(world: World, begin: Begin) -> None:
    """It says who has the folder and what to do; the first one does not notice."""
    worker = begin()
    worker.wait_scoring()
    refused = _command(world, "worker")
    assert refused.returncode == 1
    assert (
        f"scorestream: {world.folder}: process {worker.process.pid} is the worker of this folder; stop it first, "
        "or give this worker another --broker folder\n"
    ) == refused.stderr
    assert worker.health()["status"] == "ok"
    worker.kill()
    again = begin()  # the lock went with the process
    again.wait_scoring()
    again.stop()


def test_commands_work_beside_a_live_worker(world: World, begin: Begin, tmp_path: Path) -> None:
    """While records come in, every question is answered; `verify` finds nothing at any moment."""
    worker = begin()
    sender = _sender(world, 2_000)
    worker.wait_scoring()
    questions = (
        ("verify",), ("scores", "--format", "ndjson"), ("status",), ("templates", "list"), ("dead-letters", "list"),
        ("verify",), ("log", "qc-events", "--from", "0"), ("settings",),
    )  # fmt: skip
    for question in questions:
        done = _command(world, *question)
        assert done.returncode == 0, (question, done.stderr, done.stdout[-2_000:])
    sender.finish()
    assert _status(world, "--wait-idle", "--timeout", "60")["lag"] == 0
    row = json.loads(_command(world, "scores", "--format", "ndjson").stdout.splitlines()[0])
    explained = _command(world, "explain", row["employee_id"], row["indicator"], row["window"])
    assert explained.returncode == 0, explained.stderr
    assert "0 differences" in _command(world, "verify").stderr
    assert worker.health()["status"] == "ok"
    worker.stop()


def test_without_restart_it_ends_for_its_supervisor_to_see(world: World, begin: Begin) -> None:
    """A failure that time can heal: exit code 1 and one line that says what it was."""
    worker = begin()
    worker.wait_scoring()
    worker.stop()
    held = Store(world.folder / "state" / "0")  # somebody has the local state open
    worker = begin("--no-restart")
    assert worker.process.wait(PATIENCE) == 1
    held.close()
    assert (
        f"scorestream: {world.folder}/state/0: another process has it open; give each worker its own --data\n"
    ) in worker.told()


def test_with_restart_it_waits_until_it_can_go_on(world: World, begin: Begin) -> None:
    """The same failure: health is red and says why, nobody has to do anything; SIGTERM meanwhile ends it at once."""
    worker = begin()
    worker.wait_scoring()
    worker.stop()
    held = Store(world.folder / "state" / "0")
    worker = begin()
    _until(lambda: "another process has it open" in str(worker.health().get("reason")), worker.told)
    assert worker.health()["status"] == "red"
    worker.stop()
    worker = begin()
    _until(lambda: "another process has it open" in str(worker.health().get("reason")), worker.told)
    held.close()
    worker.wait_scoring()
    worker.stop()


def test_a_place_to_fail_that_does_not_exist_is_a_wrong_setting(world: World) -> None:
    """Exit code 2 and the places that there are."""
    done = _command(world, "worker", "--fail-points", "after-lunch:1")
    assert done.returncode == 2
    assert "there is no place 'after-lunch'; there are set-aside, restoring" in done.stderr


def test_a_port_that_is_taken_is_named(world: World, begin: Begin) -> None:
    """Two workers of two folders with one --port: the second says which port, and leaves the folder."""
    worker = begin()
    worker.wait_scoring()
    port = (world.folder / "worker.port").read_text().strip()
    other = world.folder.with_name("other")
    done = subprocess.run(
        [*COMMAND, "worker", "--port", port, "--broker", f"embedded://{other}"],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert (
        f"scorestream: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port\n"
    ) == done.stderr
    assert FolderLock.owner(other) is None
    worker.stop()


def test_the_watch_of_these_tests_sees_a_worker_that_dies(world: World, begin: Begin) -> None:
    """A worker that ends while somebody waits for it is a violation, with what it said."""
    worker = begin(fail_points="after-people:1")
    with pytest.raises(Violation, match="the worker ended with -9"):
        worker.wait_scoring()
