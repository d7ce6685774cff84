"""Real servers for tests, one of each kind for the run. Where one cannot be had, its tests say so and are skipped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from tests.e2e import kafka_broker, postgresql_server, redis_server
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import delete_topics
from tests.e2e.postgresql_server import PostgresqlServer
from tests.e2e.redis_server import RedisServer
from tests.e2e.tcp_proxy import TcpProxy

pytest.register_assert_rewrite("tests.transport.log_suite")
# How long an example takes says how busy the machine is, not whether the example is right.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def pytest_configure() -> None:
    """A run that is told to end (`timeout`, CI) ends like one that is interrupted: its servers are stopped.

    One that a shell started in the background ignores interrupts, and so would all that tests start and interrupt.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a test has to tell people, its property `summary`, stands in the output of every run, also of a good one."""
    told = [report for reports in terminalreporter.stats.values() for report in reports if _called(report)]
    for report in told:
        for text in (value for name, value in report.user_properties if name == "summary"):
            terminalreporter.section(report.nodeid)
            terminalreporter.write_line(str(text))


def _called(report: object) -> bool:
    return isinstance(report, pytest.TestReport) and report.when == "call"


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """The broker of this run, shared: leave it running and use names of your own (`kafka_prefix`)."""
    yield from _broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def kafka_prefix() -> str:
    """The beginning of this test's own names of topics and groups."""
    return f"t{uuid4().hex[:8]}-"


@pytest.fixture
def empty_kafka(kafka: KafkaBroker) -> KafkaBroker:
    """The shared broker without any topic, for what has fixed names; do not kill it."""
    delete_topics(kafka.bootstrap)
    return kafka


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker of this test alone, started, to be killed, paused and wiped."""
    yield from _broker(tmp_path / "kafka")


@pytest.fixture
def proxied_kafka(tmp_path: Path) -> Iterator[tuple[KafkaBroker, TcpProxy]]:
    """A broker of this test alone, and a link to it that can be broken, for clients that use `proxy.address`."""
    with TcpProxy() as proxy:
        for broker in _broker(tmp_path / "kafka", proxy_port=proxy.port):
            proxy.target = broker.proxied
            yield broker, proxy


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The Redis of this run; ask for `redis_server` instead."""
    yield from _redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture(name="redis_server")
def empty_redis(shared_redis: RedisServer) -> RedisServer:
    """The shared Redis, emptied; leave it running."""
    assert shared_redis.ask("FLUSHALL") == "+OK\r\n"
    return shared_redis


@pytest.fixture
def fresh_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this test alone, started, to be killed, paused and filled."""
    yield from _redis(tmp_path / "redis")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """The PostgreSQL of this run, shared: leave it running and use a `database()` of your own."""
    if reason := postgresql_server.missing():
        pytest.skip(reason)
    server = PostgresqlServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _broker(folder: Path, proxy_port: int | None = None) -> Iterator[KafkaBroker]:
    if reason := kafka_broker.missing():
        pytest.skip(reason)
    broker = KafkaBroker(folder, proxy_port=proxy_port)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _redis(folder: Path) -> Iterator[RedisServer]:
    if reason := redis_server.missing():
        pytest.skip(reason)
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
