"""A real Kafka broker on loopback that a test may kill, freeze, wipe and start again on the same port.

One process in KRaft mode is broker and controller. Its jars come from `scripts/kafka.sh`; `missing()` says why there
is none. What it says goes to `broker.log` in its folder, and an AssertionError shows the end of that.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.certificates import Certificates, make_certificates
from tests.e2e.processes import ROOT, free_port
from tests.e2e.server_process import PATIENCE, ServerProcess

JARS: Final = ROOT / ".cache" / "kafka"
STARTED: Final = "Kafka Server started"  # about 4 s after the start of the process on an idle machine


def missing(*, secured: bool = False) -> str | None:
    """Why no broker (or none with users) can be started here; None when one can."""
    if shutil.which("java") is None:
        return "no Java: a real Kafka needs Java 17 or newer"
    if not (JARS / "pom.xml").is_file():
        return "no Kafka jars: `make kafka` brings them"
    if secured and shutil.which("openssl") is None:
        return "no openssl, which makes the certificates"
    return None


@dataclass(frozen=True, slots=True)
class User:
    """Who may sign in at the secured listener (SASL_SSL, SCRAM-SHA-512)."""

    name: str
    password: str


class KafkaBroker(ServerProcess):
    """One broker with its own folder and ports. `settings` go over those below; with `users` it has a TLS listener.

    With `proxy_port` one more listener tells its clients that port: point a proxy on it at `proxied`. Topics are never
    made on use: make them with an admin client. `heap` and `jvm` are for what is measured.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Iterable[User] = (),
        proxy_port: int | None = None,
        settings: Mapping[str, str] | None = None,
        heap: str = "512m",
        jvm: Iterable[str] = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("the broker", folder / "broker.log")
        self.folder = folder
        self.users = tuple(users)
        self.certificates: Certificates | None = None
        names = ["PLAINTEXT", "CONTROLLER"] + ["SASL_SSL"] * bool(self.users) + ["PROXIED"] * (proxy_port is not None)
        self._ports = {name: free_port() for name in names}
        self._told = {**self._ports, **({} if proxy_port is None else {"PROXIED": proxy_port})}
        self._own_settings = dict(settings or {})
        self._java = ["java", f"-Xmx{heap}", *jvm, *_LOGGING, "-cp", f"{JARS}/*"]

    @property
    def bootstrap(self) -> str:
        """`host:port` of the listener without TLS."""
        return f"127.0.0.1:{self._ports['PLAINTEXT']}"

    @property
    def secure_bootstrap(self) -> str:
        """`host:port` of the listener with TLS and SCRAM."""
        return f"127.0.0.1:{self._ports['SASL_SSL']}"

    @property
    def proxied(self) -> tuple[str, int]:
        """Where a proxy on `proxy_port` connects to."""
        return "127.0.0.1", self._ports["PROXIED"]

    def start(self) -> None:
        """Starts it, formatting its folder first when that is new; returns when it serves."""
        if not self._data.exists():
            self._format()
        self.launch([*self._java, "kafka.Kafka", str(self._properties)], until=STARTED)

    def wipe(self) -> None:
        """Takes all data of a broker that does not run; the next start is an empty cluster with another id."""
        assert not self.running, "stop or kill the broker before its data is taken"
        shutil.rmtree(self._data, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _format(self) -> None:
        if self.users and self.certificates is None:
            self.certificates = make_certificates(self.folder / "tls")
        lines = (f"{name}={value}\n" for name, value in self._settings().items())
        self._properties.write_text("".join(lines), "utf-8")
        scram = [f"SCRAM-SHA-512=[name={user.name},password={user.password}]" for user in self.users]
        added = [word for one in scram for word in ("--add-scram", one)]
        command = ["kafka.tools.StorageTool", "format", "--config", str(self._properties)]
        command += ["--cluster-id", _cluster_id(), *added]
        with self.log.open("ab") as log:
            done = subprocess.run([*self._java, *command], stdout=log, stderr=log, timeout=PATIENCE)
        if done.returncode:
            self.wipe()
            raise AssertionError(f"the broker's folder was not formatted: {self.said()}")

    def _settings(self) -> dict[str, str]:
        secured = {} if self.certificates is None else _secured(self.certificates)
        told = {name: port for name, port in self._told.items() if name != "CONTROLLER"}
        return {
            **_SETTINGS,
            "listeners": _addresses(self._ports),
            "advertised.listeners": _addresses(told),
            "controller.quorum.voters": f"1@127.0.0.1:{self._ports['CONTROLLER']}",
            "log.dirs": str(self._data),
            **secured,
            **self._own_settings,
        }


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


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
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,SASL_SSL:SASL_SSL",
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
    # a killed broker may come back once its last session is over (default 9 s); on a busy machine a shorter one ends
    # sessions of brokers that live
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "6000",
    # 128 MB of the heap otherwise
    "log.cleaner.dedupe.buffer.size": "16777216",
}
