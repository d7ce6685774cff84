"""A real Redis on loopback that a test may kill, freeze, wipe and start again on the same port.

It writes nothing to disk by default, so that a restart is an empty Redis: views are rebuilt from the log.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.e2e.processes import free_port
from tests.e2e.server_process import PATIENCE, ServerProcess

STARTED: Final = "Ready to accept connections"
_SETTINGS: Final = {"bind": "127.0.0.1", "save": "", "appendonly": "no", "daemonize": "no"}


def missing() -> str | None:
    """Why no Redis can be started here; None when one can."""
    return None if shutil.which("redis-server") else "no redis-server: `make redis` installs it on Debian"


class RedisServer(ServerProcess):
    """One server with its own folder and port. `settings` are lines of redis.conf and go over those above."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("Redis", folder / "redis.log")
        self.folder = folder
        self.port = free_port()
        self._settings = {**_SETTINGS, "port": str(self.port), "dir": str(folder), **(settings or {})}

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:PORT/0`, with the password when `settings` has one."""
        password = self._settings.get("requirepass")
        return f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it; returns when it serves."""
        options = [word for name, value in self._settings.items() for word in (f"--{name}", value)]
        self.launch(["redis-server", *options], until=STARTED)

    def ask(self, *words: str, timeout: float = PATIENCE) -> str:
        """One command in Redis's own protocol, and the beginning of the answer. TimeoutError when none comes."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(request.encode())
            return connection.recv(4_096).decode()

    def wipe(self) -> None:
        """Takes what it wrote to disk, if `settings` let it; only while it does not run."""
        assert not self.running, "stop or kill Redis before its data is taken"
        for path in self.folder.iterdir():
            if path != self.log:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
