"""Where a benchmark runs: a log of its own, embedded or on its own broker, and workers on it, seen from outside."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.cli.opening import NAMES
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Log
from tests.bench.peers.machine import Cpu, cpu
from tests.bench.service import ends, peak_memory
from tests.e2e import kafka_broker
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.processes import COMMAND, environment

BROKERS: Final = ("embedded", "kafka")
BROKER_MEMORY: Final = "1g"
PATIENCE: Final = 600.0  # s for a worker to be there, or to have done everything
STEP: Final = 0.02  # s between two looks at what is committed
# Events may be dated long ago: nothing may be taken away for that. And no session ends under full load.
QUIET: Final = {
    "log.retention.ms": "-1",
    "log.retention.check.interval.ms": "86400000",
    "broker.session.timeout.ms": "60000",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A log with all topics. `broker` is 0 for the embedded log, which has no process of its own."""

    kind: str
    url: str
    folder: Path
    log: Log
    partitions: int
    broker: int

    def data(self, name: str) -> Path:
        """The folder of a worker's local state."""
        return self.folder / ("log" if self.kind == "embedded" else name)

    def wait_committed(self, patience: float = PATIENCE) -> float:
        """Waits until every event that is in the log now is committed; the moment it was (perf_counter)."""
        wanted = ends(self.log)
        deadline = time.perf_counter() + patience
        while time.perf_counter() < deadline:
            known = self.log.committed()
            if all(known.get(place, 0) >= end for place, end in wanted.items()):
                return time.perf_counter()
            time.sleep(STEP)
        raise TimeoutError(f"{self.kind}: not committed after {patience:g} s")


@contextmanager
def site(kind: str, folder: Path, partitions: int = 4) -> Iterator[Site]:
    """A new log of a kind in a folder, which is removed at the end."""
    folder.mkdir(parents=True)
    try:
        with (_embedded if kind == "embedded" else _kafka)(folder, partitions) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _embedded(folder: Path, partitions: int) -> Iterator[Site]:
    with EmbeddedLog.open(folder / "log") as log:
        count = ensure_topics(log, Settings.load({}, {"partitions": partitions}))
        yield Site("embedded", f"embedded://{folder / 'log'}", folder, log, count, 0)


@contextmanager
def _kafka(folder: Path, partitions: int) -> Iterator[Site]:
    broker = KafkaBroker(folder / "kafka", heap=BROKER_MEMORY, jvm=(), settings=QUIET)
    broker.start()
    try:
        url = f"kafka://{broker.bootstrap}"
        with closing(KafkaLog(Cluster(broker.bootstrap), NAMES)) as log:
            count = ensure_topics(log, Settings.load({}, {"broker": url, "partitions": partitions}))
            yield Site("kafka", url, folder, log, count, broker.pid)
    finally:
        broker.stop()


def missing(kind: str) -> str | None:
    """Why a kind of broker cannot be here; None when it can."""
    return kafka_broker.missing() if kind == "kafka" else None


class Worker:
    """`scorestream worker` as a session of its own; `settings` are given as flags."""

    def __init__(self, at: Site, name: str = "worker", settings: Mapping[str, object] | None = None) -> None:
        self.site = at
        self.data = at.data(name)
        self._said = at.folder / f"{name}.txt"
        flags = [text for key, value in (settings or {}).items() for text in (f"--{key.replace('_', '-')}", str(value))]
        where = [] if at.kind == "embedded" else ["--data", str(self.data)]
        self._command = [*COMMAND, "worker", "--broker", at.url, *where, "--log-level", "warning", *flags]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """Its process, which leads its session."""
        assert self._process is not None, "the worker was not started"
        return self._process.pid

    def start(self) -> None:
        """Starts it; `wait_scoring` says when it scores."""
        (self.data / "worker.port").unlink(missing_ok=True)
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                self._command, env=environment(), stdout=said, stderr=said, start_new_session=True
            )

    def wait_scoring(self, patience: float = PATIENCE) -> float:
        """Waits until /healthz is green; the moment it was (perf_counter)."""
        deadline = time.perf_counter() + patience
        while not healthy(self.data):
            self._alive()
            if time.perf_counter() > deadline:
                raise TimeoutError(f"not scoring after {patience:g} s: {self.said()}")
            time.sleep(STEP)
        return time.perf_counter()

    def _alive(self) -> None:
        assert self._process is not None, "the worker was not started"
        assert self._process.poll() is None, f"the worker ended with {self._process.returncode}: {self.said()}"

    def cpu(self) -> Cpu:
        """CPU seconds of all its processes, of the broker, and of everybody."""
        self._alive()
        return cpu(self.pid, self.site.broker)

    def memory(self) -> int:
        """Peak resident bytes of its first process."""
        return peak_memory(self.pid)

    def end(self, how: signal.Signals) -> None:
        """Ends it, and waits."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)

    def said(self) -> str:
        """The end of its output."""
        return self._said.read_text("utf-8", "replace")[-3_000:] if self._said.exists() else ""


def healthy(data: Path) -> bool:
    """Whether the worker whose local state is in a folder says that it scores."""
    try:
        port = int((data / "worker.port").read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return json.load(answer).get("status") == "ok"  # type: ignore[no-any-return]
    except (OSError, ValueError, urllib.error.URLError):
        return False
