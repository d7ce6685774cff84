"""What is in the folder is checked before it is used, and every refusal names the file and the remedy."""

import sqlite3
from multiprocessing import get_context
from pathlib import Path

import pytest

from agents.transport.embedded import log as log_module
from agents.transport.embedded.log import EmbeddedLog, LogMissing
from agents.transport.errors import LogBusy, LogCorrupt, LogIncomplete, LogReadOnly, LogVersionUnknown
from tests.transport.conftest import numbered, outgoing, values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a closed log of three records."""
    with EmbeddedLog.open(tmp_path / "made") as log:
        log.create_topic("events", 2)
        log.append(numbered(range(3)))
    return tmp_path / "made"


def test_missing_log_is_not_made_unasked(tmp_path: Path) -> None:
    """Without `create` a folder without a log stays as it is."""
    for absent in (tmp_path, tmp_path / "deeper"):
        with pytest.raises(LogMissing, match=f"{absent}: there is no log"):
            EmbeddedLog.open(absent, create=False)
    assert list(tmp_path.iterdir()) == []


def test_other_files_in_the_folder_do_not_matter(tmp_path: Path) -> None:
    """A log is made beside whatever is there."""
    (tmp_path / "state").mkdir()
    EmbeddedLog.open(tmp_path).close()
    EmbeddedLog.open(tmp_path, create=False).close()


@pytest.mark.parametrize("gone", ["log.sqlite", "ledger.sqlite"])
@pytest.mark.parametrize("make", [True, False])
def test_one_file_alone_is_refused(folder: Path, gone: str, make: bool) -> None:
    """When one of the two files is missing nothing is created in its place."""
    (folder / gone).unlink()
    with pytest.raises(LogIncomplete, match=f"{gone} is missing"):
        EmbeddedLog.open(folder, create=make)
    assert not (folder / gone).exists()


def test_files_of_two_logs_are_refused(folder: Path, tmp_path: Path) -> None:
    """A ledger from another log does not fit."""
    EmbeddedLog.open(tmp_path / "other").close()
    (tmp_path / "other" / "ledger.sqlite").replace(folder / "ledger.sqlite")
    with pytest.raises(LogIncomplete, match="are of different logs"):
        EmbeddedLog.open(folder)


@pytest.mark.parametrize("name", ["log.sqlite", "ledger.sqlite"])
def test_newer_format_is_refused(folder: Path, name: str) -> None:
    """An unknown version is an error that says both numbers."""
    with sqlite3.connect(folder / name) as connection:
        connection.execute("PRAGMA user_version=2")
    connection.close()
    with pytest.raises(LogVersionUnknown, match=f"{name}: format version 2, known here is 1"):
        EmbeddedLog.open(folder)


def test_another_programs_database_is_refused(folder: Path) -> None:
    """An SQLite file that is no log is not taken for one."""
    for name in ("log.sqlite", "log.sqlite-wal", "log.sqlite-shm"):
        (folder / name).unlink(missing_ok=True)
    sqlite3.connect(folder / "log.sqlite").execute("CREATE TABLE t (a)").connection.close()
    with pytest.raises(LogVersionUnknown, match="not of a log"):
        EmbeddedLog.open(folder)


@pytest.mark.parametrize("name", ["log.sqlite", "ledger.sqlite"])
def test_file_that_is_no_database_is_named(folder: Path, name: str) -> None:
    """A file overwritten from its beginning is reported with its path."""
    (folder / name).write_bytes(b"not SQLite at all" * 1000)
    with pytest.raises(LogCorrupt, match=name):
        EmbeddedLog.open(folder)


def test_damage_in_the_middle_is_named_when_met(folder: Path) -> None:
    """A damaged page is an error with the file's path at the read that meets it, not a wrong answer."""
    with EmbeddedLog.open(folder) as log:
        log.append(numbered(range(20_000)))
        log._log._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    raw = bytearray((folder / "log.sqlite").read_bytes())
    raw[8192 * 3 :] = b"\xa5" * (len(raw) - 8192 * 3)
    (folder / "log.sqlite").write_bytes(raw)
    with pytest.raises(LogCorrupt, match=r"log\.sqlite: damaged"), EmbeddedLog.open(folder, create=False) as log:
        values(log)


def test_making_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    """A crash between the two renames leaves a marker; the next open finishes the work."""
    EmbeddedLog.open(tmp_path).close()
    (tmp_path / "log.sqlite").replace(tmp_path / "log.sqlite.new")
    (tmp_path / "creating").touch()
    with pytest.raises(LogMissing, match="cut off"):
        EmbeddedLog.open(tmp_path, create=False)
    with EmbeddedLog.open(tmp_path) as log:
        log.create_topic("events", 1)
    assert not list(tmp_path.glob("*.new")) + list(tmp_path.glob("creating"))


def _open_and_append(folder: str) -> str:
    with EmbeddedLog.open(Path(folder)) as log:
        log.create_topic("events", 1)
        log.append([outgoing()])
        return log.log_id


def test_many_processes_make_one_log(tmp_path: Path) -> None:
    """Processes that open an empty folder at the same moment end up with the same log."""
    with get_context("spawn").Pool(4) as pool:
        ids = pool.map(_open_and_append, [str(tmp_path / "log")] * 8, chunksize=1)
    with EmbeddedLog.open(tmp_path / "log", create=False) as log:
        assert {log.log_id} == set(ids)
        assert log.end("events", 0) == 8


def test_folder_that_may_only_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading works where writing is not allowed; a write is refused with that reason."""
    monkeypatch.setattr(log_module, "can_write", lambda _: False)
    with EmbeddedLog.open(folder, create=False) as log:
        assert values(log) == [b"0", b"1", b"2"]
        with pytest.raises(LogReadOnly, match="may only read"):
            log.append([outgoing()])


def test_write_lock_held_too_long_is_said(folder: Path) -> None:
    """A writer that waits in vain gives up with a clear error, and nothing is written."""
    with EmbeddedLog.open(folder) as holder, EmbeddedLog.open(folder, patience_s=0.05) as waiter:
        with holder._log.transaction(), pytest.raises(LogBusy, match="kept the write lock"):
            waiter.append([outgoing()])
        assert waiter.append([outgoing()]) == [3]
