"""Faust on a folder: `broker="embedded:///DIR"`. The application and the transport share one EmbeddedLog.

Offsets are the application's: `start_hook` says where reading starts, `commit_hook` commits (with
`EmbeddedLog.transact`), and Faust only calls them at the right moments. So is the folder's lock.
"""

import asyncio
from collections.abc import Collection
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import faust
from faust.transport import base, drivers

from agents.transport.embedded.chunks import ChunkSettings
from agents.transport.embedded.consumer import CommitHook, Consumer, StartHook
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.producer import Producer
from agents.transport.embedded.url import SCHEME, folder_of, url_of
from agents.transport.hooks import Hooks, Reader

__all__ = ["ChunkSettings", "CommitHook", "StartHook", "Transport", "register", "share", "shared_log"]

_logs: dict[Path, EmbeddedLog] = {}
_logs_lock = Lock()


def shared_log(folder: Path, *, create: bool = True) -> EmbeddedLog:
    """This process's log of `folder`, opened on first use and again after it was closed. See EmbeddedLog.open."""
    folder = folder.resolve()
    with _logs_lock:
        log = _logs.get(folder)
        if log is None or log.closed:
            log = _logs[folder] = EmbeddedLog.open(folder, create=create)
        return log


def share(log: EmbeddedLog) -> None:
    """Have transports on the log's folder use this object, which the application opened itself."""
    with _logs_lock:
        _logs[log.folder.resolve()] = log


def faust_options(log: EmbeddedLog) -> dict[str, Any]:
    """What Faust's application needs to work on this log."""
    register()
    share(log)
    return {
        "broker": url_of(log.folder),
        "stream_wait_empty": True,  # at a stop the chunk in hand is applied, then committed
    }


def register() -> None:
    """Make `embedded:` known to Faust where the package is not installed, so its entry point is not seen."""
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


class Transport(base.Transport):  # type: ignore[misc]  # faust is untyped here
    """What the application sets, on `app.transport`, before the app starts."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer

    driver_version = "embedded=1"
    default_port = 0

    reader: Reader | None = None  # reads chunks in the application's way
    coalesce: Collection[str] | None = None  # topics that come as chunks; None: all but tables' changelogs
    start_hook: StartHook | None = None  # where to start; None: committed offsets, else the log's start
    commit_hook: CommitHook | None = None  # commit all that is applied; called at each commit interval and at the end
    leave = False  # nobody takes over

    def __init__(self, url: list[Any], app: faust.App, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(url, app, loop)
        self.log = shared_log(folder_of(str(url[0])))
        self.chunk = ChunkSettings()

    def serve(self, hooks: Hooks, *, chunk_records: int) -> None:
        """The application's hooks, and how many records a round of chunks has at most."""
        self.chunk = ChunkSettings(max_records=chunk_records)
        self.reader = hooks.reader
        self.start_hook = hooks.starts
        self.commit_hook = hooks.commits
