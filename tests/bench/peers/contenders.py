"""Who takes part. A newcomer is one more class here, or elsewhere, and one more line in `CONTENDERS`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.bench.peers.contender import PEERS, Contender, Place, Program, UpdatePerEvent, compare
from tests.bench.peers.job import Job, Sums
from tests.bench.peers.machine import cpu
from tests.bench.peers.measure import Measured
from tests.bench.peers.ours import FullJob, PeersJob

APPS: Final = Path(__file__).parent / "apps"
STAMP: Final = "window from the record's timestamp, no dedupe"


class PythonPeer(Program):
    """A program of ours under `apps/` in the peer's own environment."""

    environment_name: str
    app: str
    options: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return PEERS / self.environment_name / "bin" / "python"

    def missing(self) -> str | None:
        installed = (PEERS / self.environment_name / "pins.txt").exists()
        return None if installed else f"{self.environment_name} is not installed"

    def command(self, job: Job, place: Place) -> list[str]:
        names = [job.bootstrap, job.topic, place.output, place.name, str(place.folder)]
        return [str(self.python), str(APPS / self.app), *names, *self.options]

    def answer(self, key: bytes, value: bytes) -> tuple[str, int, Sums]:
        told = json.loads(value)
        return key.decode(), told["start"], (told["inspected"], told["accepted"])


class PlainFaust(PythonPeer, UpdatePerEvent):
    """What users of Faust would write themselves."""

    key = "faust"
    title = "plain Faust 0.15.3, windowed table"
    less = STAMP + "; counts twice after a crash"
    part = 0.03
    environment_name = "plain_faust"
    app = "plain_faust.py"


class QuixStreams(PythonPeer, UpdatePerEvent):
    """Quix Streams with a commit interval of its own."""

    environment_name = "quix"
    app = "quix_streams.py"
    less = STAMP + "; at least once"
    part = 0.15

    def __init__(self, commit: int) -> None:
        self.key = f"quix{commit}"
        self.title = f"Quix Streams 3.28, commit {commit} s"
        self.options = (str(commit),)

    def answer(self, key: bytes, value: bytes) -> tuple[str, int, Sums]:
        told = json.loads(value)
        return key.decode(), told["start"], (told["inspected"], told["accepted"])


class FlinkSql(PythonPeer):
    """PyFlink's SQL, whose work is done by Java."""

    key = "flink"
    title = "PyFlink 2.3 SQL, parallelism 1"
    less = STAMP + "; tells a window only when it closes"
    environment_name = "pyflink"
    app = "flink_sql.py"

    @property
    def options(self) -> tuple[str, ...]:  # type: ignore[override]  # known only once it is fetched
        return tuple(map(str, self._connector()))

    def missing(self) -> str | None:
        return super().missing() or (None if self._connector() else "Flink's connector to Kafka is not there")

    def _connector(self) -> list[Path]:
        return sorted((PEERS / "flink_connector" / "dependency").glob("flink-sql-connector-kafka-*.jar"))


class KafkaStreams(Program):
    """Java, built from `kafka_streams/`."""

    less = STAMP + "; at least once"

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.key = f"streams{threads}"
        self.title = f"Kafka Streams 4.1 (Java), {threads} thread{'s' * (threads > 1)}"

    def missing(self) -> str | None:
        return None if self._built.exists() else "Kafka Streams is not built"

    def command(self, job: Job, place: Place) -> list[str]:
        folder = self._built.parent
        names = [job.bootstrap, job.topic, place.output, place.name, str(place.folder), str(self.threads)]
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", "-Xmx1g", quiet, "-cp", f"{folder}/classes:{folder}/dependency/*", "peers.MinuteSums", *names]

    def answer(self, key: bytes, value: bytes) -> tuple[str, int, Sums]:
        told = json.loads(value)
        return key.decode(), told["start"], (told["inspected"], told["accepted"])

    @property
    def _built(self) -> Path:
        return PEERS / "kafka_streams" / "built-from"


class Bytewax(PythonPeer, UpdatePerEvent):
    """Bytewax, which keeps its place in its own snapshots, not in a consumer group."""

    key = "bytewax"
    title = "Bytewax 0.21, stateful map, SQLite recovery"
    less = STAMP + "; its current window only"
    part = 0.15
    environment_name = "bytewax"
    app = "bytewax_flow.py"

    def prepare(self, job: Job, place: Place) -> None:
        super().prepare(job, place)
        recovery = place.folder / place.name
        recovery.mkdir()
        subprocess.run([str(self.python), "-m", "bytewax.recovery", str(recovery), "1"], check=True)

    def command(self, job: Job, place: Place) -> list[str]:
        names = f"{job.bootstrap} {job.topic} {place.output}"
        flow = [str(self.python), "-m", "bytewax.run", "-r", str(place.folder / place.name), "-s", "1", "-b", "0"]
        return ["env", f"PEER={names}", f"PYTHONPATH={APPS}", *flow, "bytewax_flow"]


class Ceiling(Contender):
    """Consume and decode only: no sums, no state, nothing out."""

    less = "no sums, no state, no outputs"

    def __init__(self, client: str) -> None:
        self.key = client
        self.client = client
        self.title = f"ceiling: {client}, decode only"

    def missing(self) -> str | None:
        return None

    def prepare(self, job: Job, place: Place) -> None:
        pass  # it writes nothing

    def run(self, job: Job, place: Place, patience: float) -> Measured:
        before, began = cpu(0, place.broker_pid), time.monotonic()
        told = self._told(job, "time", patience)
        spent, seconds = cpu(0, place.broker_pid) - before, time.monotonic() - began
        assert told["events"] == job.events, f"{told['events']:,} of {job.events:,} events"
        return Measured(
            rate=told["rate"],
            warm=told["rate"],
            cpu=told["cpu"],
            broker_cpu=spent.broker / job.events * 1e6,
            others=max(0.0, spent.others - told["whole_cpu"]) / seconds,
            short=False,
            stood_still=told["stood_still"],
        )

    def check(self, job: Job, place: Place) -> int:
        sums: dict[tuple[str, int], Sums] = {}
        for employee, start, inspected, accepted in self._told(job, "check", 600.0)["sums"]:
            sums[employee, start] = inspected, accepted
        return compare(self.title, sums, job.answers)

    def _told(self, job: Job, mode: str, patience: float) -> dict[str, Any]:
        app = str(APPS / "ceiling.py")
        command = [sys.executable, app, self.client, job.bootstrap, job.topic, str(job.events), mode]
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
        assert done.returncode == 0, f"{self.title}: {done.stderr[-1_500:]}"
        found: dict[str, Any] = json.loads(done.stdout)
        return found


CONTENDERS: Final[Mapping[str, Contender]] = {
    one.key: one
    for one in (
        Ceiling("librdkafka"),
        Ceiling("aiokafka"),
        PlainFaust(),
        QuixStreams(1),
        QuixStreams(5),
        KafkaStreams(1),
        KafkaStreams(2),
        FlinkSql(),
        Bytewax(),
        PeersJob(),
        FullJob(),
    )
}
