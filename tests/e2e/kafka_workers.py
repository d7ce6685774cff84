"""Workers on a broker as processes of their own, a sender that goes on through everything, and what must hold then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Final

from agents.cli.opening import NAMES
from agents.publishing import publish, publish_calendar
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.errors import RecoverableError
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing
from schemas.instants import DAY
from tests.e2e.processes import COMMAND, environment
from tests.soak.calendars import calendar
from tests.soak.evidence import Evidence
from tests.soak.invariants import contributions, earlier, outcomes, rows, told
from tests.soak.outputs import dead_letters, late_events, score_updates, unit_updates
from tests.soak.templates import case_mix, template
from tests.soak.workload import PARTITIONS, Sender, first_assignments

PATIENCE: Final = 60.0  # s: I5
BEFORE_MS: Final = 600 * 1_000  # how far in the past events begin


def until(condition: Callable[[], object], why: Callable[[], object], patience: float = PATIENCE) -> None:
    """Waits for a condition; AssertionError with the reason when it takes too long."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


class WorkerProcess:
    """`scorestream worker` on any log, with its own folder; what it says goes to a file beside it."""

    def __init__(self, broker: str, data: Path, *arguments: str) -> None:
        self.data = data
        self.output = data.with_name(f"{data.name}.txt")
        where = ["--broker", broker, "--data", str(data)]
        self._command = [*COMMAND, "worker", *where, "--log-level", "warning", *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        """Starts it, this time with these arguments too; `wait_scoring` says when it scores."""
        assert not self.running
        command = [*self._command, *arguments]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=environment(), stdout=output, stderr=output, start_new_session=True
            )

    @property
    def pid(self) -> int | None:
        """Of its process while that runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def wait_scoring(self) -> None:
        """Until /healthz is green."""

        def green() -> bool:
            assert self.running, f"ended with {self.code}: {self.said()}"
            return self.health().get("status") == "ok"

        until(green, lambda: f"not scoring: {self.health()} {self.said()}")

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

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM; AssertionError when it does not end well."""
        self._end(signal.SIGTERM)
        assert self.code == 0, f"ended with {self.code}: {self.said()}"

    def _end(self, signum: int) -> None:
        assert self._process is not None
        self._process.send_signal(signum)
        self._process.wait(PATIENCE)

    def pause(self) -> None:
        """SIGSTOP."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def said(self) -> str:
        """The end of its output."""
        return self.output.read_text(errors="replace")[-3_000:] if self.output.exists() else ""

    def close(self) -> None:
        """Whatever it does, it ends."""
        if self.running:
            with suppress(ProcessLookupError):
                self.resume()
            self.kill()


class KafkaWorker(WorkerProcess):
    """One on a broker, whose session lasts as many seconds."""

    def __init__(self, bootstrap: str, data: Path, *arguments: str, session: float = 6.0) -> None:
        super().__init__(f"kafka://{bootstrap}", data, "--kafka-session-timeout", str(session), *arguments)


@dataclass
class Feed:
    """Sends the soak's records, mistakes and all, until it is stopped; what fails is sent again, and counts once."""

    log: KafkaLog
    seed: str
    rate: int = 2_000  # records a second
    sent: int = 0
    failures: int = 0
    _stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._sender = Sender(self.seed, time.time_ns() // 1_000_000 - BEFORE_MS)
        self._thread = Thread(target=self._run, name="feed")
        self._thread.start()

    def _run(self) -> None:
        records = self._sender.records()
        while not self._stop.is_set():
            if self._sender.now > time.time_ns() // 1_000_000:  # a burst has outrun time
                self._sender.start -= BEFORE_MS
            batch = self.tried(list(islice(records, max(1, self.rate // 20))))
            while not self._stop.is_set():
                try:
                    offsets = self.log.append(batch)
                except RecoverableError:
                    self.failures += 1
                else:
                    self.acknowledged(batch, offsets)
                    self.sent += len(batch)
                    break
            self._stop.wait(0.05)

    def tried(self, batch: list[Outgoing]) -> list[Outgoing]:
        """What is sent in place of a batch."""
        return batch

    def acknowledged(self, batch: list[Outgoing], offsets: list[int]) -> None:
        """A batch is in the log, at these offsets."""

    def stop(self) -> None:
        """Ends it; what it has sent by then is in the log."""
        self._stop.set()
        self._thread.join()


class KafkaWorld:
    """A log with the soak's rules and people on a broker, and workers on it."""

    def __init__(self, bootstrap: str, folder: Path, **options: float) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.options = options
        self.settings = Settings.load({}, {"broker": f"kafka://{bootstrap}", "partitions": PARTITIONS})
        self.log = self.opened()
        self.workers: dict[str, KafkaWorker] = {}
        self.feeds: list[Feed] = []

    def opened(self) -> KafkaLog:
        """The log once more, for a thread of its own."""
        return KafkaLog(Cluster(self.bootstrap), NAMES)

    def prepare(self) -> None:
        """Topics, people, and the first versions of two templates and of a site's calendar."""
        start = time.time_ns() // 1_000_000
        ensure_topics(self.log, self.settings)
        self.log.append(first_assignments(start))
        for name in ("line", "sales"):
            publish(self.log, template(name, 1, start - 60 * DAY), start)
        publish_calendar(self.log, calendar("east", 1, start - 30 * DAY), start)

    def publish_later(self, version: int) -> None:
        """Other versions and case mix, in force soon; a third template and a second site reach into the past."""
        now = time.time_ns() // 1_000_000
        publish(self.log, template("line", version, now + 3_000), now)
        publish_calendar(self.log, calendar("east", version, now + 2_000), now)
        self.log.append(case_mix(self.log, now))
        publish_calendar(self.log, calendar("west", version - 1, now + (-30 * DAY if version == 2 else 1_000)), now)
        if version == 2:
            publish(self.log, template("training", 1, now - 30 * DAY), now)

    def worker(self, name: str, *arguments: str) -> KafkaWorker:
        """The worker of this name, made on first use."""
        if name not in self.workers:
            self.workers[name] = KafkaWorker(self.bootstrap, self.folder / name, *arguments, **self.options)
        return self.workers[name]

    def feed(self, rate: int = 2_000) -> Feed:
        """Begins to send."""
        self.feeds.append(Feed(self.log, f"feed{len(self.feeds)}", rate))
        return self.feeds[-1]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on this broker."""
        whole = [*COMMAND, *arguments, "--broker", f"kafka://{self.bootstrap}"]
        return subprocess.run(whole, env=environment(), capture_output=True, text=True, timeout=180, check=False)

    def drain(self) -> None:
        """Everything that was sent is processed and durable, and shown."""
        for feed in self.feeds:
            feed.stop()
        done = self.command("status", "--wait-idle", "--timeout", "120")
        assert done.returncode == 0, f"{done.stdout} {done.stderr} {[w.said() for w in self.workers.values()]}"

    def violations(self) -> list[str]:
        """What does not hold, once it is drained; what is shown has a moment to become true."""
        deadline = time.monotonic() + 20
        while True:
            found = self._violations()
            if not found or time.monotonic() > deadline:
                return found

    def _violations(self) -> list[str]:
        evidence, dice = Evidence(self.log, self.settings), Random(1)
        names = sorted(evidence.oracle.employees)
        chosen = dice.sample(names, min(2, len(names)))
        checks = {
            "rows": rows(evidence),
            "earlier": earlier(evidence, chosen, dice),
            "outcomes": outcomes(evidence),
            "dead letters": dead_letters(evidence),
            "late events": late_events(evidence),
            "score updates": score_updates(evidence),
            "unit updates": unit_updates(evidence),
            "contributions": contributions(evidence, chosen),
        }
        return [line for name, found in checks.items() for line in told(name, found)]

    def close(self) -> None:
        """Ends everything."""
        for feed in self.feeds:
            feed.stop()
        for worker in self.workers.values():
            worker.close()
        self.log.close()


@contextmanager
def kafka_world(bootstrap: str, folder: Path, **options: float) -> Iterator[KafkaWorld]:
    """A world that is prepared, and ended at the end."""
    world = KafkaWorld(bootstrap, folder, **options)
    try:
        world.prepare()
        yield world
    finally:
        world.close()
