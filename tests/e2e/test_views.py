"""Worker, views and web as processes: whatever happens to the views, scoring goes on, and screens end up right.

In Redis, and in the file beside the embedded log.
"""

from __future__ import annotations

import json
import math
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents.views.twin_file import NAME, unlink
from tests.e2e.redis_server import RedisServer
from tests.e2e.webs import health, served, until, until_right, web
from tests.soak.processes import COMMAND, Worker, environment
from tests.soak.senders import SenderProcess
from tests.soak.workload import STEP
from tests.soak.world import World


class Company:
    """A worker on a log, and where its views are. `settings` are flags of both commands."""

    def __init__(self, world: World, redis: RedisServer | None) -> None:
        self.world = world
        self.redis = redis
        self.settings = ("--redis", redis.url) if redis else ()
        self.worker = Worker(world.folder, "", self.settings)
        self.worker.wait_scoring()

    def lose_views(self) -> None:
        """FLUSHALL, or a careless hand."""
        if self.redis is not None:
            assert self.redis.ask("FLUSHALL") == "+OK\r\n"
        else:
            unlink(self.world.folder / NAME)

    def send(self, total: int) -> SenderProcess:
        """Begins to send events of now."""
        start = time.time_ns() // 1_000_000 - total * STEP
        sender = SenderProcess(self.world.folder, f"{self.world.seed}.{len(self.world.senders)}", start, total)
        self.world.senders.append(sender)
        sender.begin()
        return sender

    def idle(self) -> int:
        """Waits until everything sent is scored and durable; how many records there were."""
        command = [*COMMAND, "status", "--wait-idle", "--timeout", "100", "--format", "ndjson"]
        done = subprocess.run(
            [*command, "--broker", f"embedded://{self.world.folder}"],
            env=environment(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(json.loads(done.stdout)["records"])

    def metric(self, name: str) -> float:
        """A metric of the worker without labels; NaN, which is like nothing, while nobody answers or tells it."""
        try:
            port = (self.world.folder / "worker.port").read_text().strip()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return math.nan
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), math.nan)

    def web(self, stack: ExitStack) -> str:
        """The address of one more web process, which ends with the stack."""
        return web(stack, "--broker", f"embedded://{self.world.folder}", *self.settings)

    def right(self, *addresses: str) -> None:
        """Waits until all of them serve what the log has."""
        until_right(self.world.log, *addresses, why=self.worker.told)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A log with a template and people, and nobody at work yet."""
    made = World(tmp_path, "views")
    yield made
    for sender in made.senders:
        sender.kill()
    made.log.close()


@pytest.fixture(params=["redis", "folder"])
def company(request: pytest.FixtureRequest, world: World) -> Iterator[Company]:
    """A company whose views are in Redis, and one whose views are in the folder."""
    redis = request.getfixturevalue("fresh_redis") if request.param == "redis" else None
    made = Company(world, redis)
    yield made
    made.worker.kill()


@pytest.fixture
def on_redis(world: World, fresh_redis: RedisServer) -> Iterator[Company]:
    """A company whose views are in a Redis that may be killed."""
    made = Company(world, fresh_redis)
    yield made
    made.worker.kill()


def test_several_web_processes_serve_what_the_log_has(company: Company) -> None:
    """One that was there before the first event, one that comes later, and again after a kill of the worker."""
    with ExitStack() as stack:
        first = company.web(stack)
        company.send(1_500).finish()
        company.idle()
        second = company.web(stack)
        company.right(first, second)
        company.worker.kill()
        company.send(300).finish()
        company.worker = Worker(company.world.folder, "", company.settings)
        company.worker.wait_scoring()
        company.idle()
        company.right(first, second)
        until(lambda: company.metric("scorestream_views_rebuilds_total") >= 0)
        assert 0 == company.metric("scorestream_views_rebuilds_total")
        company.worker.stop()
        until(lambda: served(first) == served(second) != {})


def test_views_that_are_lost_while_events_come_are_rebuilt(company: Company) -> None:
    """FLUSHALL again and again: in the end every web process serves what the log has."""
    with ExitStack() as stack:
        first = company.web(stack)
        sender = company.send(2_500)
        for lost in range(3):
            until(lambda: company.metric("scorestream_views_up") == 1)
            until(lambda rebuilt=lost: company.metric("scorestream_views_rebuilds_total") > rebuilt)  # type: ignore[misc]
            company.lose_views()
        sender.finish()
        company.idle()
        company.right(first, company.web(stack))


@pytest.mark.parametrize("fault", ["killed", "stopped", "full"])
def test_scoring_goes_on_while_redis_is_not_there(on_redis: Company, fault: str) -> None:
    """Everything is scored and committed meanwhile; boards say so; afterwards the views are right again."""
    company, redis = on_redis, on_redis.redis
    assert redis is not None
    with ExitStack() as stack:
        address = company.web(stack)
        company.send(600).finish()
        company.idle()
        company.right(address)
        until(lambda: company.metric("scorestream_last_commit_timestamp_seconds") > 0)
        before = company.metric("scorestream_last_commit_timestamp_seconds")
        begin, end = {
            "killed": (redis.kill, redis.start),
            "stopped": (redis.pause, redis.resume),
            "full": (lambda: memory(redis, "1"), lambda: memory(redis, "0")),
        }[fault]
        begin()
        records = company.idle()
        company.send(1_200).finish()
        assert company.idle() > records
        until(lambda: company.metric("scorestream_last_commit_timestamp_seconds") > before)
        until(lambda: company.metric("scorestream_views_up") == 0)
        until(lambda: told(address) == (503, "failing"), lambda: health(address))
        until(lambda: company.worker.health().get("status") == "ok", company.worker.health)
        end()
        company.right(address)
        until(lambda: told(address)[0] == 200, lambda: health(address))
        until(lambda: company.metric("scorestream_views_up") == 1)
        assert company.worker.told().count("views are not written, scoring goes on") <= 3


def told(address: str) -> tuple[int, object]:
    """The status of a web process's /healthz, in numbers and in words."""
    code, answer = health(address)
    return code, answer["status"]


def memory(redis: RedisServer, most: str) -> None:
    """Limits what Redis may hold, in bytes; 0 is no limit."""
    assert redis.ask("CONFIG", "SET", "maxmemory", most) == "+OK\r\n"


def test_a_worker_starts_and_scores_without_redis(world: World, fresh_redis: RedisServer) -> None:
    """It was down before; the views come when it does."""
    fresh_redis.kill()
    company = Company(world, fresh_redis)
    try:
        company.send(300).finish()
        company.idle()
        fresh_redis.start()
        with ExitStack() as stack:
            company.right(company.web(stack))
    finally:
        company.worker.kill()
