"""Which views a process has follows from its settings alone, and what cannot be used is named at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.settings import SettingError, Settings
from agents.views.opening import reader_of, writer_of
from agents.views.redis_reader import RedisReader
from agents.views.redis_writer import RedisWriter
from agents.views.twin_reader import TwinReader
from agents.views.twin_writer import TwinWriter

KAFKA = {"broker": "kafka://k:9092"}
REDIS = {"redis": "redis://r:6379/1"}


def test_an_embedded_log_has_its_views_beside_it_unless_redis_is_named(tmp_path: Path) -> None:
    """Nothing else is needed on one machine; with Redis, worker and web both use it."""
    alone = Settings.load({}, {"data": str(tmp_path)})
    assert (TwinWriter, TwinReader) == (type(writer_of(alone)), type(reader_of(alone)))
    together = Settings.load({}, {"data": str(tmp_path), **REDIS})
    assert (RedisWriter, RedisReader) == (type(writer_of(together)), type(reader_of(together)))


def test_on_kafka_boards_need_redis() -> None:
    """A worker does without; a web process says what it lacks."""
    assert writer_of(Settings.load({}, KAFKA)) is None
    with pytest.raises(SettingError, match="--redis redis://host:port/0"):
        reader_of(Settings.load({}, KAFKA))
    assert isinstance(reader_of(Settings.load({}, {**KAFKA, **REDIS})), RedisReader)


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("redis", "redis://", "redis://[user@]host:port[/db]"),
        ("redis", "redis://host", "redis://[user@]host:port[/db]"),
        ("redis", "redis://host:0/0", "redis://[user@]host:port[/db]"),
        ("redis", "redis://host:6379/first", "redis://[user@]host:port[/db]"),
        ("redis", "redis://host:6379/0?ssl_cert_reqs=none", "redis://[user@]host:port[/db]"),
        ("redis", "http://host:6379", "redis://[user@]host:port[/db]"),
        ("redis_password_file", "/nowhere/at/all", "a file that exists"),
        ("redis_ca_file", "", "a file that exists"),
        ("redis_prefix", "a:b", "letters, digits"),
        ("redis_prefix", "*", "letters, digits"),
        ("redis_prefix", "", "letters, digits"),
    ],
)
def test_wrong_settings_stop_the_start(name: str, text: str, right: str) -> None:
    """Key, value, and what would be right."""
    with pytest.raises(SettingError) as caught:
        Settings.load({f"SCORESTREAM_{name.upper()}": text})
    assert right in str(caught.value)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    """An address stands in process lists and log lines."""
    with pytest.raises(SettingError, match="redis_password_file") as caught:
        Settings.load({}, {"redis": "redis://user:s3cret@host:6379/0"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["redis://[::1]:6379", "rediss://me@redis.example:6380/3", "redis://r:1/"])
def test_right_addresses_are_taken_as_written(text: str) -> None:
    """With and without user, database and TLS."""
    assert text == Settings.load({}, {"redis": text}).redis
