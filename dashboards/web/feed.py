"""Where published records come from: the few things that the web asks of a log, and the embedded log behind them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from agents.setting_values import EMBEDDED, broker_folder
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.errors import LogMissing

Stored = tuple[int, int, bytes | None, bytes | None]
"""Offset, timestamp in ms, key, value."""


class Feed(Protocol):
    """A log that is being read. Any call may raise LogError or RecoverableError: open it again, later."""

    @property
    def log_id(self) -> str:
        """Another log has another id."""

    def version(self) -> Hashable:
        """Differs when anything was written in between; cheap."""

    def partitions(self) -> Mapping[str, int]:
        """How many partitions each topic has, as of now."""

    def end(self, topic: str, partition: int) -> int:
        """The offset that the next record will get."""

    def read(self, topic: str, partition: int, start: int, limit: int) -> Sequence[Stored]:
        """Records from offset `start` on, in order; at most `limit`, and some when there are any."""

    def close(self) -> None:
        """Lets go of the log."""


OpenFeed = Callable[[], Feed]
"""Opens the log; LogMissing while there is none."""


class EmbeddedFeed:
    """The embedded log, read only. Notices when the folder was removed or replaced."""

    READ_BYTES = 1 << 20

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = EmbeddedLog.open(folder, create=False)
        self._files = self._inodes()

    @property
    def log_id(self) -> str:
        return self._log.log_id

    def version(self) -> Hashable:
        if self._inodes() != self._files:
            raise LogMissing(self._folder, "the log was replaced")
        return self._log.version()

    def partitions(self) -> Mapping[str, int]:
        return {name: topic.partitions for name, topic in self._log.topics().items()}

    def end(self, topic: str, partition: int) -> int:
        return self._log.end(topic, partition)

    def read(self, topic: str, partition: int, start: int, limit: int) -> Sequence[Stored]:
        return [record[:4] for record in self._log.read(topic, partition, start, limit, self.READ_BYTES)]

    def close(self) -> None:
        self._log.close()

    def _inodes(self) -> tuple[int, ...]:
        try:
            return tuple((self._folder / name).stat().st_ino for name in ("log.sqlite", "ledger.sqlite"))
        except OSError as error:
            raise LogMissing(self._folder, "the log is gone") from error


def feed_of(folder_or_broker: str) -> OpenFeed:
    """How to open the log at `embedded:///DIR` or in a folder; ValueError for a broker that cannot be read."""
    if "://" in folder_or_broker and not folder_or_broker.startswith(EMBEDDED):
        raise ValueError(f"broker {folder_or_broker!r}: boards read an embedded log only (embedded:///DIR)")
    folder = broker_folder(folder_or_broker) if "://" in folder_or_broker else Path(folder_or_broker)
    return lambda: EmbeddedFeed(folder)
