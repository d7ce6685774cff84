"""Real processes: a worker that is watched from outside, senders that are started again until all is acknowledged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COMMAND: Final = (sys.executable, "-m", "agents.cli.main")
ROOT: Final = Path(__file__).parents[2]
STARTS_WITHIN: Final = 60.0  # s, I5
STOPS_WITHIN: Final = 60.0  # s


class Violation(Exception):
    """Something that must not happen did; the text says what."""


def environment(**more: str) -> dict[str, str]:
    """Of processes under test: this source tree, no settings from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCORESTREAM_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@dataclass
class Worker:
    """One worker process of a folder; what it says goes to a file beside it."""

    folder: Path
    fail_points: str = ""
    arguments: tuple[str, ...] = ()
    output: Path | None = None
    seconds: float = 0.0  # until it was scoring
    peak: int = 0  # bytes resident at most, as far as seen

    def __post_init__(self) -> None:
        self.output = self.output or self.folder.with_name(f"{self.folder.name}.worker.txt")
        self.began = time.monotonic()
        command = [*COMMAND, "worker", "--broker", f"embedded://{self.folder}", "--log-level", "warning"]
        if self.fail_points:
            command += ["--fail-points", self.fail_points]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *self.arguments], env=environment(), stdout=output, stderr=output, start_new_session=True
            )

    @property
    def data(self) -> Path:
        """Where its state and its port are: the folder itself, or what --data names."""
        given = dict(zip(self.arguments, self.arguments[1:], strict=False))
        return Path(given.get("--data", self.folder))

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_dead(self, seconds: float) -> bool:
        """Whether it ended by itself within so many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.watch()
            if not self.alive:
                return True
            time.sleep(0.02)
        return False

    def wait_scoring(self) -> None:
        """Until /healthz is green; Violation when it takes longer than I5 allows, or the worker ends."""
        while not self.seconds:
            self.watch()
            if not self.alive:
                raise Violation(f"the worker ended with {self.process.returncode}: {self.told()}")
            if self.health().get("status") == "ok":
                self.seconds = time.monotonic() - self.began
            elif time.monotonic() - self.began > STARTS_WITHIN:
                raise Violation(f"I5: not scoring after {STARTS_WITHIN:g} s: {self.health()} {self.told()}")
            time.sleep(0.02)

    def health(self) -> dict[str, object]:
        """What /healthz says; empty when nobody answers."""
        try:
            port = int((self.data / "worker.port").read_text())
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except (OSError, ValueError):
            return {}

    def watch(self) -> None:
        """Notes how much memory it takes."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return
        for line in status.splitlines():
            if line.startswith("VmHWM"):
                self.peak = max(self.peak, int(line.split()[1]) * 1024)

    def kill(self) -> None:
        """SIGKILL, whatever it does."""
        self.watch()
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM; Violation when it does not end well."""
        self.watch()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Violation(f"SIGTERM: still there after {STOPS_WITHIN:g} s: {self.told()}") from None
        if code != 0:
            raise Violation(f"SIGTERM: exit code {code}: {self.told()}")

    def told(self) -> str:
        """The last it said."""
        assert self.output is not None
        return self.output.read_text(errors="replace")[-3_000:]
