"""Several workers on Kafka, one Redis, several web processes: one company on every screen, whatever is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_workers import KafkaWorld, kafka_world
from tests.e2e.redis_server import RedisServer
from tests.e2e.webs import served, until, until_right, web


@pytest.fixture
def world(empty_kafka: KafkaBroker, tmp_path: Path) -> Iterator[KafkaWorld]:
    """Topics, rules and people on the broker, and nobody at work yet."""
    with kafka_world(empty_kafka.bootstrap, tmp_path) as made:
        yield made


@pytest.mark.long
def test_two_workers_write_the_views_that_two_web_processes_serve(world: KafkaWorld, fresh_redis: RedisServer) -> None:
    """Partitions move, a worker is killed, Redis is emptied and killed, all while events come."""
    flags = ("--redis", fresh_redis.url)
    one, two = world.worker("one", *flags), world.worker("two", *flags)
    one.start()
    one.wait_scoring()
    with ExitStack() as stack:
        feed = world.feed(400)
        first = web(stack, "--broker", f"kafka://{world.bootstrap}", *flags)
        until(lambda: len(served(first)) > 3, one.said)
        two.start()
        two.wait_scoring()
        assert fresh_redis.ask("FLUSHALL") == "+OK\r\n"
        until(lambda: len(served(first)) > 3, one.said)
        one.kill()
        fresh_redis.kill()
        sent = feed.sent
        until(lambda: feed.sent > sent + 500)
        fresh_redis.start()
        one.start()
        one.wait_scoring()
        world.drain()
        second = web(stack, "--broker", f"kafka://{world.bootstrap}", *flags)
        until_right(world.log, first, second, why=lambda: one.said() + two.said())
    assert [] == world.violations()


def test_boards_without_redis_on_kafka_say_what_they_lack(world: KafkaWorld) -> None:
    """At once, with exit code 2 and the flag to give."""
    done = world.command("web")
    assert (2, True) == (done.returncode, "--redis redis://host:port/0" in done.stderr), done.stderr
