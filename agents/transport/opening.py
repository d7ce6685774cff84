"""A broker URL is opened here: above this, nobody knows which log runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from agents.transport.access import PLAIN, Access
from agents.transport.embedded.create import LOG
from agents.transport.embedded.lock import FolderLock
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.url import SCHEME as EMBEDDED
from agents.transport.embedded.url import folder_of
from agents.transport.log import Log


def open_log(broker: str, topics: Collection[str], *, create: bool = True, access: Access = PLAIN) -> Log:
    """The log at `embedded:///DIR` or `kafka://host:port[,...]`, with topics of these names.

    LogMissing when there is none and it is not to be created; its topics are made by `create_topic`.
    """
    if _embedded(broker):
        return EmbeddedLog.open(folder_of(broker), create=create)
    from agents.transport.kafka.cluster import Cluster, servers_of
    from agents.transport.kafka.log import KafkaLog

    return KafkaLog(Cluster(servers_of(broker), access), topics)


@contextmanager
def opened(broker: str, topics: Collection[str], *, create: bool = True, access: Access = PLAIN) -> Iterator[Log]:
    """As `open_log`, closed at the end."""
    log = open_log(broker, topics, create=create, access=access)
    try:
        yield log
    finally:
        log.close()


def life_of(broker: str) -> tuple[int, int] | None:
    """What tells a folder's log from one that was made anew there; None on brokers, and where there is none."""
    if not _embedded(broker):
        return None
    with suppress(FileNotFoundError, NotADirectoryError):
        found = (folder_of(broker) / LOG).stat()
        return found.st_dev, found.st_ino
    return None


def owner(broker: str) -> int | None:
    """The process that is the worker of an embedded log, None when there is none, or no log."""
    folder = folder_of(broker)
    return FolderLock.owner(folder) if folder.exists() else None


@contextmanager
def sole_worker(broker: str, data: Path) -> Iterator[None]:
    """The right to be the worker of an embedded log and of a folder of local state; FolderInUse when there is one."""
    folders = [folder_of(broker), data] if _embedded(broker) else [data]
    with ExitStack() as locks:
        for folder in dict.fromkeys(folder.resolve() for folder in folders):
            folder.mkdir(parents=True, exist_ok=True)
            locks.enter_context(FolderLock.acquire(folder))
        yield


def demand_same(log: Log, data: Path) -> None:
    """LogReplaced when the local state in `data` is of another log. An embedded log is told by each state itself."""
    if not isinstance(log, EmbeddedLog):
        from agents.transport.kafka import identity

        identity.demand_same(data, _kafka(log))


def remember(log: Log, data: Path, topics: Collection[str]) -> None:
    """From here on the local state in `data` is of this log and its topics."""
    if not isinstance(log, EmbeddedLog):
        from agents.transport.kafka import identity

        identity.remember(data, _kafka(log), topics)


def faust_options(log: Log, data: Path) -> dict[str, Any]:
    """What to give Faust's application so that it works on this very log, with local state in `data`."""
    if isinstance(log, EmbeddedLog):
        from agents.transport.embedded import driver as embedded

        return embedded.faust_options(log)
    from agents.transport.kafka import driver as kafka
    from agents.transport.kafka.identity import instance_of

    return kafka.faust_options(_kafka(log), instance_of(data))


def _embedded(broker: str) -> bool:
    return broker.startswith(f"{EMBEDDED}:")


def _kafka(log: Log) -> Any:
    """A KafkaLog; its module is imported by those only who work on one."""
    return log
