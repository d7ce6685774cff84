"""A folder has one worker, and a dead one does not count."""

import os
from pathlib import Path

import pytest

from agents.transport.embedded.log import FolderInUse, FolderLock
from tests.transport.processes import lines, running


def test_second_owner_is_refused(tmp_path: Path) -> None:
    """The error names the owner's process id, the folder and what to do."""
    with running("own", tmp_path) as owner:
        assert next(lines(owner)) == ["owner"]
        with pytest.raises(
            FolderInUse, match=f"{tmp_path}: process {owner.pid} is the worker.*stop it first"
        ) as caught:
            FolderLock.acquire(tmp_path)
        assert (owner.pid, tmp_path) == (caught.value.pid, caught.value.folder)
        assert owner.pid == FolderLock.owner(tmp_path)


def test_killed_owner_frees_the_folder(tmp_path: Path) -> None:
    """After kill -9 the folder is free at once, whatever its lock file says."""
    with running("own", tmp_path) as owner:
        assert next(lines(owner)) == ["owner"]
    assert FolderLock.owner(tmp_path) is None
    with FolderLock.acquire(tmp_path):
        assert os.getpid() == FolderLock.owner(tmp_path)


def test_second_owner_in_the_same_process_is_refused(tmp_path: Path) -> None:
    """Two workers in one process are two workers."""
    with FolderLock.acquire(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        FolderLock.acquire(tmp_path)


def test_released_folder_is_free(tmp_path: Path) -> None:
    """Release twice is release; then anyone may own the folder."""
    lock = FolderLock.acquire(tmp_path)
    lock.release()
    lock.release()
    assert FolderLock.owner(tmp_path) is None
    FolderLock.acquire(tmp_path).release()


def test_folder_without_lock_has_no_owner(tmp_path: Path) -> None:
    """Asking for the owner makes no file."""
    assert FolderLock.owner(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
