"""The worker as a process, watched from outside: when it has committed everything, what it weighs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Log
from stream.topics import BUSINESS_EVENTS, QC_EVENTS


def new_log(folder: Path) -> tuple[EmbeddedLog, int]:
    """A log with all topics, and its number of partitions."""
    log = EmbeddedLog.open(folder)
    return log, ensure_topics(log, Settings.load({}))


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker on a folder, ready; stopped by process id at the end."""
    command = [sys.executable, "-m", "agents.cli.main", "worker", "--broker", f"embedded://{folder}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "healthz" in line:
                break
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def ends(log: Log) -> dict[tuple[str, int], int]:
    """Where the event topics end."""
    return {place: bounds[1] for place, bounds in log.bounds().items() if place[0] in (QC_EVENTS, BUSINESS_EVENTS)}


def wait_committed(log: Log, wanted: dict[tuple[str, int], int], patience: float = 600.0) -> float:
    """Waits until everything is committed; the moment it was (perf_counter)."""
    deadline = time.perf_counter() + patience
    while time.perf_counter() < deadline:
        known = log.committed()
        if all(known.get(place, 0) >= end for place, end in wanted.items()):
            return time.perf_counter()
        time.sleep(0.02)
    raise TimeoutError(f"not committed after {patience:g} s")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of those that it started, ended or not."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text().rpartition(")")[2].split()  # from the third on, in proc(5)'s count
            if stat.parent.name == str(pid) or fields[1] == str(pid):
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory(pid: int) -> int:
    """Peak resident bytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0
