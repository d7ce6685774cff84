"""The Redis that other tests rely on: what it forgets at a restart, and what it does while it is frozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import redis_server as servers
from tests.e2e.redis_server import RedisServer


def test_it_forgets_at_a_restart(fresh_redis: RedisServer) -> None:
    """A value is there while the server runs; killed and started again on the same port it is empty."""
    assert fresh_redis.ask("SET", "a", "1") == "+OK\r\n"
    assert fresh_redis.ask("GET", "a") == "$1\r\n1\r\n"
    port = fresh_redis.port
    fresh_redis.kill()
    with pytest.raises(ConnectionRefusedError):
        fresh_redis.ask("PING")
    fresh_redis.start()
    assert port == fresh_redis.port
    assert fresh_redis.ask("GET", "a") == "$-1\r\n"


def test_it_keeps_what_it_was_told_to_keep_until_it_is_wiped(tmp_path: Path) -> None:
    """With an append-only file values outlive a kill, and a wipe takes them."""
    if reason := servers.missing():
        pytest.skip(reason)
    server = RedisServer(tmp_path / "redis", {"appendonly": "yes", "appendfsync": "always"})
    try:
        server.start()
        server.ask("SET", "a", "1")
        server.kill()
        server.start()
        assert server.ask("GET", "a") == "$1\r\n1\r\n"
        server.stop()
        server.wipe()
        server.start()
        assert server.ask("GET", "a") == "$-1\r\n"
    finally:
        server.stop()


def test_a_paused_server_takes_connections_and_answers_nothing(fresh_redis: RedisServer) -> None:
    """Nobody answers while it is paused; afterwards it does."""
    fresh_redis.pause()
    with pytest.raises(TimeoutError):
        fresh_redis.ask("PING", timeout=0.2)
    fresh_redis.resume()
    assert fresh_redis.ask("PING") == "+PONG\r\n"


def test_a_full_server_refuses(tmp_path: Path) -> None:
    """Beyond its memory limit it takes no value."""
    if reason := servers.missing():
        pytest.skip(reason)
    server = RedisServer(tmp_path / "redis", {"maxmemory": "1"})
    try:
        server.start()
        assert server.ask("SET", "a", "1").startswith("-OOM")
    finally:
        server.stop()


def test_a_server_with_a_password_wants_it(tmp_path: Path) -> None:
    """Without its password it serves nobody; its address carries the password."""
    if reason := servers.missing():
        pytest.skip(reason)
    server = RedisServer(tmp_path / "redis", {"requirepass": "right"})
    try:
        server.start()
        assert f"redis://:right@127.0.0.1:{server.port}/0" == server.url
        assert server.ask("PING").startswith("-NOAUTH")
    finally:
        server.stop()


def test_the_shared_server_is_empty(redis_server: RedisServer) -> None:
    """Each test that asks for the shared server finds nothing of another's in it."""
    assert redis_server.ask("DBSIZE") == ":0\r\n"
    redis_server.ask("SET", "left behind", "1")


def test_the_shared_server_is_empty_again(redis_server: RedisServer) -> None:
    """The same, whichever of the two runs first."""
    assert redis_server.ask("DBSIZE") == ":0\r\n"
    redis_server.ask("SET", "left behind", "1")
