"""Asking who owns a folder takes its lock for a moment: a worker that starts in that moment is not refused."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from threading import Event, Thread

import pytest

from agents.transport.embedded.lock import OWNER, FolderLock
from agents.transport.errors import FolderInUse


def test_a_worker_that_starts_while_somebody_asks_gets_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` holds the lock shared for some microseconds; here until the worker has been refused once."""
    FolderLock.acquire(tmp_path).release()
    asked, refused = os.open(tmp_path / OWNER, os.O_RDONLY), Event()
    fcntl.flock(asked, fcntl.LOCK_SH)

    def sleep(_: float) -> None:
        refused.set()
        done.join(10)

    def answer() -> None:
        assert refused.wait(10)
        os.close(asked)

    done = Thread(target=answer)
    done.start()
    monkeypatch.setattr("agents.transport.embedded.lock.time.sleep", sleep)
    with FolderLock.acquire(tmp_path):
        assert FolderLock.owner(tmp_path) == os.getpid()
    assert refused.is_set()


def test_a_full_disk_is_no_reason_to_go_without_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process id cannot be written, the lock holds all the same."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with FolderLock.acquire(tmp_path), pytest.raises(FolderInUse, match="another process is the worker"):
        FolderLock.acquire(tmp_path)
