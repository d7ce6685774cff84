"""A full disk is a recoverable error: nothing half-written, and the log works again when there is room."""

import pytest

from agents.transport.embedded.log import EmbeddedLog, LogFull, Part, RecoverableError
from tests.transport.conftest import numbered, outgoing, values


def limit_pages(log: EmbeddedLog, pages: int) -> None:
    """SQLite's own limit on the file's size fails like a full disk: with SQLITE_FULL, in the middle of a write."""
    for file in (log._log, log._ledger):
        with file.transaction() as connection:
            connection.execute(f"PRAGMA max_page_count={pages}")


def test_full_disk_is_said_and_survived(log: EmbeddedLog) -> None:
    """An append that does not fit is refused as a whole; a smaller one, or a later one with room, goes on."""
    log.append(numbered(range(10)))
    limit_pages(log, 40)
    with pytest.raises(LogFull, match=r"no room left on the disk.*nothing was written") as caught:
        log.append([*numbered(range(10, 2000)), outgoing(value=bytes(500_000))])
    assert isinstance(caught.value, RecoverableError)
    assert 10 == log.end("events", 0) == len(values(log))
    assert log.append(numbered([10])) == [10]
    limit_pages(log, 1_000_000)
    assert len(log.append([outgoing(value=bytes(1000)) for _ in range(500)])) == 500


def test_full_disk_leaves_state_and_offsets_together(log: EmbeddedLog) -> None:
    """A transaction that does not fit moves no offset."""
    log.transact([Part(0, [outgoing("ledger-state")], {("events", 0): 1})])
    limit_pages(log, 40)
    with pytest.raises(LogFull):
        log.transact([Part(0, [outgoing("ledger-state", value=bytes(1_000_000))], {("events", 0): 2})])
    assert log.committed() == {("events", 0): 1}
    assert log.end("ledger-state", 0) == 1
