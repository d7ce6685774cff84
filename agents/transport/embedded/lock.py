"""One worker per folder: a lock that the kernel holds, so that it is gone the moment its process is."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.transport.errors import FolderInUse

OWNER = "owner.lock"
_CREATING = "create.lock"
_ATTEMPTS = 10
_RETRY_S = 0.02


class FolderLock:
    """The right to be the folder's worker, until `release`, the end of `with`, or the death of the process."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, folder: Path) -> "FolderLock":
        """Take the lock and write this process's id into it. Raises FolderInUse(pid, folder) when it is held."""
        descriptor = os.open(folder / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _locked(descriptor):
            pid = _pid(descriptor)
            os.close(descriptor)
            raise FolderInUse(pid, folder)
        with suppress(OSError):  # no room on the disk: the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(folder, descriptor)

    @staticmethod
    def owner(folder: Path) -> int | None:
        """Process id of the live worker of `folder`, None when there is none. Takes nothing away from it."""
        try:
            descriptor = os.open(folder / OWNER, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _pid(descriptor)
        finally:
            os.close(descriptor)
        return None

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _locked(descriptor: int) -> bool:
    """Whether the lock could be taken. `owner` holds it for a moment too, so one refusal says nothing."""
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(_RETRY_S)
    return False


def _pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


@contextmanager
def creating(folder: Path) -> Iterator[None]:
    """Only one process at a time looks whether there is a log and makes one."""
    with _held(folder / _CREATING):
        yield


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """One process of this machine at a time, others wait; the kernel lets go when the process ends."""
    with _held(folder / f"{name}.lock"):
        yield


@contextmanager
def _held(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
