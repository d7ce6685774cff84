"""A contender is a small class: `missing`, `prepare`, `run`, `check`. Whoever joins the comparison writes one.

One that reads topics of its own names fills them in `prepare` (`topics.send`), which is not timed.

Most are programs that commit consumer offsets when what they did is durable and sent: `Program` starts one, watches
its progress and the CPU time of all its processes, ends it, and compares what it sent with the job's answers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from tests.bench.peers.job import END, PARTITIONS, Answers, Job, Sums
from tests.bench.peers.machine import cpu
from tests.bench.peers.measure import Measured, Sample, measured
from tests.bench.peers.topics import KEPT, PATIENCE, outputs
from tests.e2e.kafka_topics import admin, create_topic
from tests.e2e.processes import ROOT

PEERS: Final = ROOT / ".cache" / "peers"
EVERY: Final = 0.05  # seconds between samples

Window = TypeVar("Window")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens: its own folder and names, and the broker's process."""

    folder: Path
    name: str
    broker_pid: int

    @property
    def output(self) -> str:
        """The topic that updates go to."""
        return f"{self.name}-updates"


class Contender(ABC):
    """One line of the table. `less`: what it does less than the job, or otherwise. `part`: of the events."""

    key: str
    title: str
    less: str = ""
    part: float = 1.0

    @abstractmethod
    def missing(self) -> str | None:
        """Why it cannot run here; None when it can."""

    @abstractmethod
    def prepare(self, job: Job, place: Place) -> None:
        """Whatever must be there before it starts; nothing of this is timed."""

    @abstractmethod
    def run(self, job: Job, place: Place, patience: float) -> Measured:
        """Does the whole job once. TimeoutError when it is not done after `patience` seconds."""

    @abstractmethod
    def check(self, job: Job, place: Place) -> int:
        """The number of answers that were compared. AssertionError when one differs or is missing."""


class Program(Contender):
    """A contender that is a process with a consumer group. `whole`: timed from its first sample to its last."""

    whole: bool = False

    @abstractmethod
    def command(self, job: Job, place: Place) -> list[str]:
        """How it is started; the group's name is `place.name`."""

    @abstractmethod
    def answer(self, key: bytes, value: bytes) -> tuple[str, int, Sums]:
        """Employee, window's start and sums that one of its updates tells."""

    def environment(self) -> Mapping[str, str]:
        """What it needs beside this process's environment."""
        return {}

    def group(self, place: Place) -> str:
        """The consumer group whose commits tell how far it is."""
        return place.name

    def inputs(self, job: Job) -> list[str]:
        """The topics that it reads."""
        return [job.topic]

    def prepare(self, job: Job, place: Place) -> None:
        create_topic(job.bootstrap, place.output, PARTITIONS, KEPT)

    def run(self, job: Job, place: Place, patience: float) -> Measured:
        log = place.folder / f"{place.name}.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                self.command(job, place),
                cwd=place.folder, env={**os.environ, **self.environment()}, start_new_session=True,
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            return measured(self.watch(job, place, process, patience), whole=self.whole)
        except (AssertionError, TimeoutError) as error:
            text = log.read_text("utf-8", "replace")
            raise type(error)(f"{self.title}: {error}; it said: {text[:1_500]} ... {text[-1_500:]}") from None
        finally:
            end(process)

    def watch(self, job: Job, place: Place, process: subprocess.Popen[bytes], patience: float) -> list[Sample]:
        """Samples until everything is done."""
        samples: list[Sample] = []
        deadline = time.monotonic() + patience
        with closing(self.progress(job, place)) as progress:
            while time.monotonic() < deadline:
                done = next(progress)
                samples.append(Sample(time.monotonic(), done, cpu(process.pid, place.broker_pid)))
                if done >= job.events:
                    return samples
                assert process.poll() is None, f"ended with {process.returncode} after {done:,} events"
                time.sleep(EVERY)
        raise TimeoutError(f"{samples[-1].done:,} of {job.events:,} events after {patience:g} s")

    def progress(self, job: Job, place: Place) -> Generator[int]:
        """How many events are done, whenever it is asked: those that its group has committed."""
        names = {"bootstrap.servers": job.bootstrap, "group.id": self.group(place), "log_level": 0}
        # Offsets in a transaction that is under way are not done yet; nobody waits for them here.
        consumer = Consumer({**names, "isolation.level": "read_uncommitted"})
        places = [TopicPartition(topic, number) for topic in self.inputs(job) for number in range(PARTITIONS)]
        done = 0
        try:
            while True:
                with suppress(KafkaException):  # a broker that has only just started does not know the group yet
                    done = sum(max(0, one.offset) for one in consumer.committed(places, timeout=PATIENCE))
                yield done
        finally:
            consumer.close()

    def check(self, job: Job, place: Place) -> int:
        told: dict[tuple[str, int], Sums] = {}
        for key, value in outputs(job.bootstrap, place.output):
            employee, start, sums = self.answer(key, value)
            told[employee, start] = sums
        return compare(self.title, told, job.answers)


class UpdatePerEvent(Program):
    """A program that sends one update for each event, however late or odd its commits are."""

    def progress(self, job: Job, place: Place) -> Generator[int]:
        """The number of updates that were sent."""
        client = admin(job.bootstrap)
        ends = {TopicPartition(place.output, number): OffsetSpec.latest() for number in range(PARTITIONS)}
        sent = 0
        while True:
            with suppress(KafkaException):  # a busy broker may answer with an error that it takes back
                sent = sum(one.result(PATIENCE).offset for one in client.list_offsets(ends).values())
            yield sent


def compare(title: str, told: Answers, expected: Answers) -> int:
    """The number of windows that agree; the last records' own are nobody's business. AssertionError as in `agree`."""
    return agree(title, {window: sums for window, sums in told.items() if not window[0].startswith(END)}, expected)


def agree(title: str, found: Mapping[Window, Value], expected: Mapping[Window, Value]) -> int:
    """The number of windows that agree. AssertionError, with the first that do not."""
    wrong = [window for window in expected if found.get(window) != expected[window]]
    wrong += [window for window in found if window not in expected]
    examples = [(window, found.get(window), expected.get(window)) for window in wrong[:3]]
    assert not wrong, f"{title}: {len(wrong):,} of {len(expected):,} windows differ; told, expected: {examples}"
    return len(expected)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a program and all that it started."""
    for how, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 15.0)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
