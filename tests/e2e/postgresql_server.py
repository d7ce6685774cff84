"""A real PostgreSQL on loopback, one for the run, that a test may kill and start again; each test has a database of
its own. It does not wait for the disk: what a power cut would do is not what is tested here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg

from tests.e2e.processes import free_port
from tests.e2e.server_process import ServerProcess

STARTED: Final = "database system is ready to accept connections"
USER: Final = "scorestream"
_INSTALLED: Final = Path("/usr/lib/postgresql")
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "lc_messages": "C",
    "jit": "off",
}


def missing() -> str | None:
    """Why no PostgreSQL can be started here; None when one can."""
    if _programs() is None:
        return "no PostgreSQL server: `make postgresql` installs it on Debian"
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        return "no setpriv: PostgreSQL does not run as root"
    return None


def _programs() -> Path | None:
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class PostgresqlServer(ServerProcess):
    """One server with its own folder and port; its superuser is USER and needs no password."""

    def __init__(self) -> None:
        # A folder of its own: those of pytest let nobody else in, and the server must not be root.
        self.folder = Path(tempfile.mkdtemp(prefix="scorestream-postgresql-"))
        super().__init__("PostgreSQL", self.folder / "server.log")
        self.port = free_port()
        self._as: list[str] = []
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        programs = _programs()
        assert programs is not None, missing()
        self._programs = programs
        command = [*self._as, str(programs / "initdb"), "-D", str(self.folder / "data"), "-U", USER, "-E", "UTF8"]
        options = ["--no-locale", "--no-sync", "--auth=trust"]
        subprocess.run([*command, *options], check=True, capture_output=True, cwd=self.folder)

    def start(self) -> None:
        """Starts it; returns when it serves."""
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        self.launch([*self._as, *command, *options], until=STARTED)

    def url(self, database: str) -> str:
        """As `records` takes it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """A new, empty database; its URL."""
        name = f"t{uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def remove(self) -> None:
        """Ends it and takes its folder away."""
        self.kill() if self.running else None
        shutil.rmtree(self.folder, ignore_errors=True)
