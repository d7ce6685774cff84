"""A real Kafka broker on loopback that a test may kill, freeze, wipe and start again on the same port.

One process in KRaft mode is broker and controller. Its jars come from `scripts/kafka.sh`; `missing()` says why there
is none. What it says goes to `broker.log` in its folder, and an AssertionError shows the end of that.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tests.e2e.certificates import Certificates, make_certificates
from tests.e2e.processes import ROOT, free_port

JARS: Final = ROOT / ".cache" / "kafka"
STARTED: Final = "Kafka Server started"
PATIENCE: Final = 60.0  # seconds; a start takes about 4 on an idle machine


def missing() -> str | None:
    """Why no broker can be started here; None when one can."""
    if shutil.which("java") is None:
        return "no Java: a real Kafka needs Java 17 or newer"
    if not (JARS / "pom.xml").is_file():
        return "no Kafka jars: `make kafka` brings them"
    return None


@dataclass(frozen=True, slots=True)
class User:
    """Who may sign in at the secured listener (SASL_SSL, SCRAM-SHA-512)."""

    name: str
    password: str


class KafkaBroker:
    """One broker with its own folder and ports. `settings` go over those below; with `users` it has a TLS listener.

    Topics are never made on use: make them with an admin client. `heap` and `jvm` are for what is measured.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Iterable[User] = (),
        settings: Mapping[str, str] | None = None,
        heap: str = "512m",
        jvm: Iterable[str] = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    ) -> None:
        self.folder = folder
        self.users = tuple(users)
        self.certificates: Certificates | None = None
        self._port, self._secure_port, self._controller_port = free_port(), free_port(), free_port()
        self._own_settings = dict(settings or {})
        self._java = ["java", f"-Xmx{heap}", *jvm, *_LOGGING, "-cp", f"{JARS}/*"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` of the listener without TLS."""
        return f"127.0.0.1:{self._port}"

    @property
    def secure_bootstrap(self) -> str:
        """`host:port` of the listener with TLS and SCRAM."""
        assert self.users, "a broker without users has no secured listener"
        return f"127.0.0.1:{self._secure_port}"

    @property
    def pid(self) -> int:
        """The process that runs. AssertionError when none does."""
        assert self._process is not None, "the broker is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether there is a process; one that is paused counts."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it, formatting its folder first when that is new; returns when it serves."""
        assert not self.running, "the broker is already running"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._data.exists():
            self._format()
        with self._log.open("ab") as log:
            begin = log.tell()
            self._process = self._run("kafka.Kafka", str(self._properties), log=log)
        self._wait_started(begin)

    def stop(self) -> None:
        """SIGTERM, and waits: a broker that shuts down in order. Nothing to do when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and waits: what was not on disk is lost with the process, not with the machine."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def wipe(self) -> None:
        """Takes all data of a broker that does not run; the next start is an empty cluster with another id."""
        assert not self.running, "stop or kill the broker before its data is taken"
        shutil.rmtree(self._data, ignore_errors=True)

    def said(self) -> str:
        """The end of what it logged."""
        return self._log.read_text("utf-8", "replace")[-4_000:] if self._log.exists() else ""

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "broker.log"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _run(self, main: str, *arguments: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self._java, main, *arguments], stdout=log, stderr=log, start_new_session=True)

    def _format(self) -> None:
        if self.users and self.certificates is None:
            self.certificates = make_certificates(self.folder / "tls")
        lines = (f"{name}={value}\n" for name, value in self._settings().items())
        self._properties.write_text("".join(lines), "utf-8")
        scram = [f"SCRAM-SHA-512=[name={user.name},password={user.password}]" for user in self.users]
        added = [word for one in scram for word in ("--add-scram", one)]
        command = ["format", "--config", str(self._properties), "--cluster-id", _cluster_id(), *added]
        with self._log.open("ab") as log:
            code = self._run("kafka.tools.StorageTool", *command, log=log).wait(PATIENCE)
        if code:
            self.wipe()
            raise AssertionError(f"the broker's folder was not formatted: {self.said()}")

    def _settings(self) -> dict[str, str]:
        listeners = {"PLAINTEXT": self._port, "CONTROLLER": self._controller_port}
        secured = {}
        if self.certificates is not None:
            listeners["SASL_SSL"] = self._secure_port
            secured = _secured(self.certificates)
        return {
            **_SETTINGS,
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items()),
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "log.dirs": str(self._data),
            **secured,
            **self._own_settings,
        }

    def _wait_started(self, begin: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with self._log.open("rb") as log:
                log.seek(begin)
                if STARTED.encode() in log.read():
                    return
            if self._process.poll() is not None:
                raise AssertionError(f"the broker ended with {self._process.returncode}: {self.said()}")
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the broker did not start within {PATIENCE:g} s: {self.said()}")

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


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def _secured(certificates: Certificates) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }


_LOGGING: Final = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dlog4j2.disable.jmx=true",
)
_SETTINGS: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # a killed broker may come back once its last session is over (default 9 s)
    "broker.heartbeat.interval.ms": "1000",
    "broker.session.timeout.ms": "4000",
    # 128 MB of the heap otherwise
    "log.cleaner.dedupe.buffer.size": "16777216",
}
