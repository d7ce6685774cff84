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
from agents.transport.access import Access
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Log
from tests.bench.peers.machine import Cpu, cpu
from tests.bench.service import ends, peak_memory
from tests.e2e import kafka_broker
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import PATIENCE as TOPICS_PATIENCE
from tests.e2e.kafka_topics import admin, topics
from tests.e2e.processes import COMMAND, environment

BROKERS: Final = ("embedded", "kafka")
BROKER_MEMORY: Final = "1g"
PATIENCE: Final = 600.0  # s for a worker to be there, or to have done everything
PARTITIONS: Final = 4  # the product's own number
STEP: Final = 0.02  # s between two looks at what is committed
# Events may be dated long ago: nothing may be taken away for that. And no session ends under full load.
QUIET: Final = {
    "log.retention.ms": "-1",
    "log.retention.check.interval.ms": "86400000",
    "broker.session.timeout.ms": "60000",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A new log with all topics. `broker` is 0 for the embedded log, which has no process of its own."""

    kind: str
    url: str
    group: str
    folder: Path
    log: Log
    partitions: int
    broker: int

    def data(self, name: str) -> Path:
        """The folder of a worker's local state."""
        return self.folder / ("log" if self.kind == "embedded" else name)

    def flags(self) -> list[str]:
        """What tells a command which log it is about."""
        return ["--broker", self.url] + (["--kafka-group", self.group] if self.kind == "kafka" else [])

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


class Ground:
    """Where logs of a kind can be, one after the other: a folder, with a broker in it for Kafka."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.data = folder / "kafka" / "data"  # the broker's
        self._runs = 0
        self._broker: KafkaBroker | None = None

    def __enter__(self) -> Ground:
        self.folder.mkdir(parents=True)
        if self.kind == "kafka":
            self._broker = KafkaBroker(self.folder / "kafka", heap=BROKER_MEMORY, jvm=(), settings=QUIET)
            self._broker.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._broker is not None:
            self._broker.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def site(self, partitions: int = PARTITIONS) -> Iterator[Site]:
        """A new log; the one before is gone, and so is this one at the end."""
        self._runs += 1
        group = f"run{self._runs}"
        folder = self.folder / group
        folder.mkdir()
        try:
            with closing(self._log(folder, group)) as log:
                count = ensure_topics(log, Settings.load({}, {"partitions": partitions}))
                yield Site(self.kind, self._url(folder), group, folder, log, count, self._pid())
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _log(self, folder: Path, group: str) -> Log:
        if self._broker is None:
            return EmbeddedLog.open(folder / "log")
        remove(self._broker.bootstrap)
        return KafkaLog(Cluster(self._broker.bootstrap, Access(group=group)), NAMES)

    def _url(self, folder: Path) -> str:
        return f"embedded://{folder / 'log'}" if self._broker is None else f"kafka://{self._broker.bootstrap}"

    def _pid(self) -> int:
        return 0 if self._broker is None else self._broker.pid


def remove(bootstrap: str) -> None:
    """Takes our topics, if they are there."""
    names = sorted(topics(bootstrap) & set(NAMES))
    if names:
        client = admin(bootstrap)  # held until the last answer is there
        for done in client.delete_topics(names, operation_timeout=TOPICS_PATIENCE).values():
            done.result(TOPICS_PATIENCE)


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
        self._command = [*COMMAND, "worker", *at.flags(), *where, "--log-level", "warning", *flags]
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
