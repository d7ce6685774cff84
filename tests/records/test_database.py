"""The store opens as what it is, transactions are whole, and migrations make the tables that the code knows."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select, text

from agents.records.database import Records, RecordsError, RecordsUnavailable, open_records, use_wal
from agents.records.stand import MIGRATIONS, newest
from agents.records.tables import employees, metadata, units
from tests.e2e.processes import ROOT

UNIT = {"id": "L01", "kind": "team"}


def test_migrations_make_the_tables_that_the_code_knows(records: Records) -> None:
    """No table, column or index differs."""
    with records.reading() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)


def test_a_store_opens_again(records: Records, records_url: str) -> None:
    """With what it held; opening changes nothing."""
    with records.writing() as connection:
        connection.execute(insert(units), [UNIT])
    again = open_records(records_url)
    with again.reading() as connection:
        assert ["L01"] == list(connection.execute(select(units.c.id)).scalars())
    again.close()


def test_alembic_is_loaded_for_a_store_of_another_version_alone(records: Records) -> None:
    """It takes long to load. Which migration is the newest is known without it."""
    code = f"""
import sys
from agents.records.database import open_records
open_records({records.engine.url.render_as_string(hide_password=False)!r}).close()
print([name for name in sys.modules if name.startswith(("alembic", "mako"))])
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "[]" == told.stdout.strip()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest() == ScriptDirectory.from_config(config).get_current_head()


def test_many_open_an_empty_store_at_once(records_url: str) -> None:
    """Workers and web processes start together: the tables are made once."""
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(open_records, [records_url] * 4))
    for store in opened:
        with store.reading() as connection:
            assert [] == list(connection.execute(select(units.c.id)))
        store.close()


@pytest.mark.parametrize(("busy", "patience", "tries"), [(3, 10.0, 4), (1, 0.0, 1)])
def test_who_meets_others_at_an_empty_file_tries_again(busy: int, patience: float, tries: int) -> None:
    """For a while: SQLite itself gives up at once where two wait for each other."""
    connection = Busy(busy)
    with nullcontext() if tries > busy else pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(connection, patience)
    assert tries == connection.tries


class Busy(sqlite3.Connection):
    """Answers so often that somebody else is at it."""

    def __init__(self, busy: int) -> None:
        super().__init__(":memory:")
        self.busy, self.tries = busy, 0

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self.tries += 1
        if self.tries > self.busy:
            return super().execute(*arguments)
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error


def test_what_is_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    """Nobody waits for what time does not heal."""
    (tmp_path / "records.sqlite").write_bytes(b"no database" * 1_000)
    with (
        closing(sqlite3.connect(tmp_path / "records.sqlite")) as connection,
        pytest.raises(sqlite3.DatabaseError, match="not a database"),
    ):
        use_wal(connection)


def test_many_take_up_an_empty_file_at_once_again_and_again(tmp_path: Path) -> None:
    """Four at the same moment, forty times."""
    gate = Barrier(4)

    def take_up(number: int) -> str:
        gate.wait(10)
        with closing(sqlite3.connect(tmp_path / f"{number // 4}.sqlite", timeout=10, isolation_level=None)) as one:
            use_wal(one)
            one.execute("BEGIN IMMEDIATE")
            one.execute("CREATE TABLE IF NOT EXISTS known (id TEXT)")
            one.execute("COMMIT")
            return str(one.execute("PRAGMA journal_mode").fetchone()[0])

    with ThreadPoolExecutor(4) as threads:
        assert {"wal"} == set(threads.map(take_up, range(160)))


def test_a_store_of_a_newer_version_is_refused(records: Records, records_url: str) -> None:
    """The text says which migration, and what to do."""
    with records.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordsError, match=r"newer version .migration 9999.*install"):
        open_records(records_url)


def test_a_transaction_that_fails_is_not_there(records: Records) -> None:
    """Nothing of it."""

    def fails(connection: Connection) -> None:
        connection.execute(insert(units), [UNIT])
        raise KeyError

    with pytest.raises(KeyError):
        records.write(fails)
    with records.reading() as connection:
        assert [] == list(connection.execute(select(units.c.id)))


def test_transactions_that_read_and_write_the_same_take_turns(records: Records) -> None:
    """Four threads count up together, 25 times each: none is lost."""
    with records.writing() as connection:
        connection.execute(insert(employees), [{"id": "E1", "name": "0"}])

    def count(_: int) -> None:
        def up(connection: Connection) -> None:
            number = int(connection.execute(select(employees.c.name)).scalar_one())
            connection.execute(employees.update().values(name=str(number + 1)))

        for _ in range(25):
            records.write(up, tries=1_000)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    with records.reading() as connection:
        assert "100" == connection.execute(select(employees.c.name)).scalar_one()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Time heals it; the text has no password."""
    with pytest.raises(RecordsUnavailable, match=r"records postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/none") as failed:
        open_records("postgresql://me@127.0.0.1:1/none", "s3cret")
    assert "s3cret" not in str(failed.value)


def test_another_kind_of_store_is_refused() -> None:
    """With what would be right."""
    with pytest.raises(RecordsError, match="write sqlite:///FILE or postgresql://"):
        open_records("mysql://me@127.0.0.1/none")
