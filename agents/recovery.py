"""The store follows the changelog: what it lacks is read again, what cannot be trusted is built anew."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agents.failpoints import reach
from agents.store import Position, Store, StoreDamaged, StoreFull, forget_aside, set_aside
from agents.transport.errors import RecoverableError
from agents.transport.log import Log
from stream.topics import CHANGELOG

logger: Final = logging.getLogger(__name__)
_BATCH: Final = 20_000
_BYTES: Final = 16 << 20
Progress = Callable[[int, int], None]  # (records read, records to read)


def restore(log: Log, folder: Path, partition: int, progress: Progress | None = None) -> Store:
    """The store of a partition, level with the changelog. A damaged one is set aside until there is a new one.

    StoreFull when the disk has no room for it: what was set aside is removed then.
    """
    try:
        try:
            store = _level(log, folder, partition, progress)
        except StoreDamaged as error:
            logger.warning("partition %d: %s; it is set aside and built anew", partition, error)
            set_aside(folder)
            reach("set-aside")
            store = _level(log, folder, partition, progress)
    except StoreFull:
        forget_aside(folder)
        raise
    forget_aside(folder)
    return store


def _level(log: Log, folder: Path, partition: int, progress: Progress | None) -> Store:
    store = Store(folder)
    try:
        _demand_this_log(log, store, partition)
        _follow(log, store, partition, progress)
    except BaseException:
        with contextlib.suppress(RecoverableError):
            store.close()
        raise
    return store


def _demand_this_log(log: Log, store: Store, partition: int) -> None:
    position = store.position()
    problem = None
    if position is None:
        problem = "it holds no position" if next(store.items(b"e"), None) is not None else None
    elif position.log_id != log.log_id:
        problem = f"it belongs to log {position.log_id}, this is {log.log_id}"
    elif position.offset > log.end(CHANGELOG, partition):
        problem = f"it is at {position.offset}, ahead of its changelog's end {log.end(CHANGELOG, partition)}"
    if problem is not None:
        raise StoreDamaged(store.folder, problem)


def _follow(log: Log, store: Store, partition: int, progress: Progress | None) -> None:
    position = store.position()
    begin = offset = max(position.offset if position else 0, log.start(CHANGELOG, partition))
    end = log.end(CHANGELOG, partition)
    while rows := log.read(CHANGELOG, partition, offset, _BATCH, _BYTES):
        offset = rows[-1][0] + 1
        latest = {row[2]: row[3] for row in rows}
        store.write([(key or b"", value) for key, value in latest.items()], Position(log.log_id, offset))
        reach("restoring")
        if progress is not None:
            progress(offset - begin, end - begin)
