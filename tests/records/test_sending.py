"""A worker sends what waits; a store or log that is down is told once and waited for, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from agents.lives import Lives
from agents.records import sending
from agents.records.database import Records, open_records
from agents.records.edits import transfer
from agents.records.organisation import change
from agents.records.outbox import waiting
from agents.records.sending import BACKOFF, LOOK, Sending, records_file
from agents.records.tables import leases
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.errors import LogFull
from stream import metric_names as names
from stream.topics import PEOPLE_EVENTS
from tests.e2e import postgresql_server
from tests.e2e.postgresql_server import PostgresqlServer
from tests.records.people import COMPANY, DAY, NOW, T0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder of one partition."""
    return Settings.load({"SCORESTREAM_BROKER": f"embedded://{tmp_path / 'folder'}", "SCORESTREAM_PARTITIONS": "1"})


@pytest.fixture
def log(settings: Settings) -> Iterator[EmbeddedLog]:
    """Its log."""
    with EmbeddedLog.open(settings.folder) as opened:
        ensure_topics(opened, settings)
        yield opened


def fill(url: str) -> None:
    """A store with one assignment that waits."""
    records = open_records(url)
    change(records, COMPANY, by="hr", now=NOW)
    records.close()


def file_of(settings: Settings) -> str:
    """The store's URL where no setting names one."""
    return f"sqlite:///{records_file(settings)}"


def people(log: EmbeddedLog) -> int:
    """How many people-events there are."""
    return log.end(PEOPLE_EVENTS, 0)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for it."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what it waits for is in other threads
            await asyncio.sleep(0.01)


async def test_a_worker_sends_what_waits(log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the store comes to be while it runs; when it ends, the next one need not wait for its lease."""
    monkeypatch.setattr(sending, "LOOK", 0.01)
    stopping = asyncio.Event()
    ready: list[int] = []
    living = asyncio.create_task(Lives(settings, restart=False).run(stopping, ready.append))
    await until(lambda: bool(ready) or living.done())
    await asyncio.to_thread(fill, file_of(settings))
    await until(lambda: people(log) == 1 or living.done())
    stopping.set()
    await living
    records = open_records(file_of(settings))
    with records.reading() as connection:
        assert (0, []) == (waiting(connection), connection.execute(select(leases)).all())
    records.close()
    assert 1 == people(log)


def test_who_keeps_no_organisation_gets_no_store(log: EmbeddedLog, settings: Settings) -> None:
    """A look makes none."""
    one = Sending(log, settings)
    assert LOOK == one.look()
    one.close()
    assert not records_file(settings).exists()


def test_a_log_that_takes_nothing_is_told_once(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After the second try that fails, and when it is over; the pauses grow."""
    fill(file_of(settings))
    one = Sending(log, settings)

    with caplog.at_level(logging.WARNING, sending.__name__), monkeypatch.context() as patched:
        patched.setattr(log, "append", _full)
        assert [*BACKOFF, BACKOFF[-1]] == [one.look() for _ in range(len(BACKOFF) + 1)]
    with caplog.at_level(logging.WARNING, sending.__name__):
        assert LOOK == one.look() == one.look()
    one.close()
    assert 1 == people(log)
    assert [
        "changes of the organisation wait, nothing is lost, tried again all the time: no room left on the disk",
        "changes of the organisation are sent again: all that waited is in the log",
    ] == caplog.messages


def test_operators_hear_what_waits_how_long_and_what_failed(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing without a store; what is due (the tree, an assignment) grows older, what is planned does not wait."""
    one = Sending(log, settings)
    one.look()
    assert {} == one.gauges(NOW)
    fill(file_of(settings))
    records = open_records(file_of(settings))
    change(records, transfer("E1", "lead", "L02", sending.now_ms() + DAY), by="hr", now=NOW)
    records.close()
    with monkeypatch.context() as patched:
        patched.setattr(log, "append", _full)
        assert BACKOFF[0] == one.look()
        waited = {names.OUTBOX_WAITING.name: 2.0, names.OUTBOX_AGE.name: 90.0, names.OUTBOX_FAILURES.name: 1.0}
        assert waited == one.gauges(NOW + 90_000)
        one.look()
    one.look()
    over = {names.OUTBOX_WAITING.name: 0.0, names.OUTBOX_AGE.name: 0.0, names.OUTBOX_FAILURES.name: 2.0}
    assert over == one.gauges(NOW + 90_000)
    one.close()


def _full(_: object) -> list[int]:
    raise LogFull("no room left on the disk")


def test_a_store_that_is_down_loses_nothing(
    log: EmbeddedLog, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL killed with a change in the outbox, and back again: it is sent once, as if nothing had been."""
    if reason := postgresql_server.missing():
        pytest.skip(reason)
    server = PostgresqlServer()
    try:
        server.start()
        url = server.database()
        with psycopg.connect(url, autocommit=True) as connection:  # the tests' server does not keep all its commits
            connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = on".encode())
        one = Sending(log, replace(settings, records=url))
        fill(url)
        assert (LOOK, 1) == (one.look(), people(log))
        again = open_records(url)
        change(again, transfer("E1", "lead", "L02", T0 + DAY), by="hr", now=NOW)
        again.close()
        server.kill()
        assert list(BACKOFF[:2]) == [one.look(), one.look()]
        assert "changes of the organisation wait" in caplog.text
        server.start()
        assert (LOOK, 2) == (one.look(), people(log))
        assert (LOOK, 2) == (one.look(), people(log))
        one.close()
    finally:
        server.remove()


def test_a_store_of_a_newer_version_stops_nothing(log: EmbeddedLog, settings: Settings) -> None:
    """A person acts; meanwhile the worker scores."""
    fill(file_of(settings))
    records: Records = open_records(file_of(settings))
    with records.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    records.close()
    one = Sending(log, settings)
    assert list(BACKOFF[:2]) == [one.look(), one.look()]
    one.close()
