"""A broker URL is opened here: above this, nobody knows which log runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agents.transport.embedded import driver
from agents.transport.embedded.lock import FolderLock
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.url import folder_of, url_of
from agents.transport.log import Log


def open_log(broker: str, *, create: bool = True) -> Log:
    """The log at `embedded:///DIR`. LogMissing when there is none and it is not to be created."""
    return EmbeddedLog.open(folder_of(broker), create=create)


@contextmanager
def opened(broker: str, *, create: bool = True) -> Iterator[Log]:
    """As `open_log`, closed at the end."""
    log = open_log(broker, create=create)
    try:
        yield log
    finally:
        log.close()


def owner(broker: str) -> int | None:
    """The process that is the worker of the log, None when there is none, or no log."""
    folder = folder_of(broker)
    return FolderLock.owner(folder) if folder.exists() else None


@contextmanager
def sole_worker(broker: str, data: Path) -> Iterator[None]:
    """The right to be the worker of an embedded log and of a folder of local state; FolderInUse when there is one."""
    with ExitStack() as locks:
        for folder in {folder_of(broker).resolve(): None, data.resolve(): None}:
            folder.mkdir(parents=True, exist_ok=True)
            locks.enter_context(FolderLock.acquire(folder))
        yield


def faust_broker(log: Log) -> str:
    """The broker URL to give Faust so that it works on this very log, its transport known to Faust."""
    if not isinstance(log, EmbeddedLog):
        raise TypeError(f"{log.name}: no transport for it")
    driver.register()
    driver.share(log)
    return url_of(log.folder)
