"""Whether anything was committed can be seen without reading: SQLite counts commits of other connections."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from agents.transport.embedded.sqlite import connect, translated
from agents.transport.errors import LogError


class Watch:
    """Connections that never write, so every commit, of this process too, is another connection's."""

    def __init__(self, paths: Sequence[Path], *, read_only: bool) -> None:
        self._paths = paths
        self._read_only = read_only
        self._connections: list[sqlite3.Connection] = []
        self._lock = Lock()
        self._closed = False

    def version(self) -> tuple[int, ...]:
        """A value that differs after every commit to any of the files."""
        with self._lock:
            if self._closed:
                raise LogError(f"{self._paths[0].parent}: the log has been closed")
            if not self._connections:
                self._connections = [connect(path, read_only=self._read_only) for path in self._paths]
            found = []
            for path, connection in zip(self._paths, self._connections, strict=True):
                with translated(path):
                    found.append(connection.execute("PRAGMA data_version").fetchone()[0])
            return tuple(found)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            for connection in self._connections:
                connection.close()
            self._connections = []
