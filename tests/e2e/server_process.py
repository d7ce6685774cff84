"""A server that a test starts: it can be ended in order or at once, frozen and thawed, always by its process id."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

PATIENCE: Final = 60.0  # seconds for a start or an end, on a machine that is busy


class ServerProcess:
    """At most one process, whose output goes to `log`."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that runs. AssertionError when none does."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether there is a process; one that is paused counts."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """SIGTERM, and waits: a shutdown in order. Nothing to do when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and waits: the process is lost, the files that it wrote are not."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-4_000:] if self.log.exists() else ""

    def launch(self, command: list[str], *, until: str) -> None:
        """Starts it and returns once it has logged `until`. AssertionError, with its log, when it ends before."""
        assert not self.running, f"{self.name} is already running"
        with self.log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self._process.poll()
            if until in self._logged(begin):
                return
            assert ended is None, f"{self.name} ended with {ended}: {self.said()}"
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"{self.name} did not start within {PATIENCE:g} s: {self.said()}")

    def _logged(self, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begin)
            return log.read().decode("utf-8", "replace")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)  # a paused process takes a SIGTERM only once it goes on
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
