"""Commands as processes of their own, started from this checkout and stopped by process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

COMMAND = (sys.executable, "-m", "agents.cli.main")
ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """This process's, without settings from outside, and with this checkout on the path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SCORESTREAM_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def call(*arguments: str, code: int = 0) -> str:
    """Runs a command to its end; its output. AssertionError with its errors when it ends otherwise."""
    done = subprocess.run([*COMMAND, *arguments], env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    *arguments: str, until: str, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that goes on, and the line of its output (or errors) that contains `until`; ended with SIGTERM.

    `settings` are variables of its environment.
    """
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env={**environment(), **(settings or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if until in line:
                break
        else:
            raise AssertionError(f"{' '.join(arguments)} ended without {until!r}: {''.join(said)}")
        yield process, line
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
