"""The store follows the changelog: what it lacks is read again, what cannot be trusted is built anew."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agents.store import Position, Store, StoreDamaged, set_aside
from agents.transport.embedded.log import EmbeddedLog
from stream.topics import CHANGELOG

logger: Final = logging.getLogger(__name__)
_BATCH: Final = 20_000
_BYTES: Final = 16 << 20
Progress = Callable[[int, int], None]  # (records read, records to read)


def restore(log: EmbeddedLog, folder: Path, partition: int, progress: Progress | None = None) -> Store:
    """The store of a partition, level with the changelog. A damaged one is set aside first."""
    try:
        store = _open(log, folder, partition)
    except StoreDamaged as error:
        logger.warning("local state of partition %d is set aside and built anew: %s", partition, error)
        set_aside(folder)
        store = Store(folder)
    _follow(log, store, partition, progress)
    return store


def _open(log: EmbeddedLog, folder: Path, partition: int) -> Store:
    store = Store(folder)
    position = store.position()
    problem = None
    if position is None:
        problem = "it holds no position" if next(store.items(b"e"), None) is not None else None
    elif position.log_id != log.log_id:
        problem = f"it belongs to log {position.log_id}, this is {log.log_id}"
    elif position.offset > log.end(CHANGELOG, partition):
        problem = f"it is at {position.offset}, ahead of its changelog's end {log.end(CHANGELOG, partition)}"
    if problem is not None:
        store.close()
        raise StoreDamaged(f"{folder}: {problem}")
    return store


def _follow(log: EmbeddedLog, store: Store, partition: int, progress: Progress | None) -> None:
    position = store.position()
    begin = offset = max(position.offset if position else 0, log.start(CHANGELOG, partition))
    end = log.end(CHANGELOG, partition)
    while rows := log.read(CHANGELOG, partition, offset, _BATCH, _BYTES):
        offset = rows[-1][0] + 1
        latest = {row[2]: row[3] for row in rows}
        store.write([(key or b"", value) for key, value in latest.items()], Position(log.log_id, offset))
        if progress is not None:
            progress(offset - begin, end - begin)
