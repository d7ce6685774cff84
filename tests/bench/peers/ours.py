"""ScoreStream among the others: `scorestream worker` on the same broker, on topics that its own code makes.

It tells employees' newest values, conflated, not each event's. So its answers are compared by state: the newest window
of everybody, as of that employee's newest event, and `scorestream verify` over everything. Commits of a backlog are
ten seconds apart, too few to tell a start from the rest: it is timed whole, from the moment that it scores to the last
commit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec

from agents.cli.opening import NAMES
from agents.publishing import publish
from agents.query import committed
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.access import Access
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing
from schemas.instants import MINUTE, format_rfc3339, parse_rfc3339
from stream.score import score_rows
from stream.topics import BUSINESS_EVENTS, QC_EVENTS, SCORE_UPDATES
from tests.bench.peers.contender import Place, Program, agree
from tests.bench.peers.job import PARTITIONS, Job
from tests.bench.peers.machine import cpu
from tests.bench.peers.measure import Sample
from tests.bench.peers.topics import send
from tests.bench.site import healthy, remove
from tests.bench.workload import TEMPLATE, records
from tests.e2e.processes import COMMAND, environment

MORE: Final = (
    "the newest only, conflated; timed whole; MORE: no id twice in 35 days, corrections, exact after a kill -9"
)
ONE_MINUTE: Final = """\
template: bench
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 测速, en: Bench}
indicators:
  - id: yield
    name: {zh: 良品率, en: Yield}
    definition: {zh: 经检验合格的比例, en: accepted / inspected units}
    dimension: performance
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.95
    weight: 1
    windows: [rolling 1m]
"""

Where = tuple[str, str, str]  # employee, indicator, window
Answer = tuple[int, tuple[float, ...]]  # the window's start (ms), sums by the measures' names
_CHINA: Final = 8 * 60 * MINUTE  # the template's zone, which knows no summer time
_DAY: Final = 24 * 60 * MINUTE
VERIFIED: Final = 50_000  # events up to which the oracle recomputes everything too: it takes minutes for millions
_AT_ONCE: Final = 20_000


class Told(msgspec.Struct):
    """What the check needs of an update."""

    employee_id: str
    newest: str | None


class ScoreStream(Program):
    """A worker with all its processes; `place.name` is its group and its folder."""

    whole = True
    template: str

    def __init__(self) -> None:
        self.expected: Mapping[Where, Answer] = {}
        self.newest: Mapping[str, int] = {}

    @abstractmethod
    def filled(self, job: Job, log: KafkaLog) -> tuple[dict[Where, Answer], dict[str, int]]:
        """Fills the input topics; the right answers, and everybody's newest instant (ms)."""

    def missing(self) -> str | None:
        return None

    def inputs(self, job: Job) -> list[str]:
        return [QC_EVENTS, BUSINESS_EVENTS]

    def prepare(self, job: Job, place: Place) -> None:
        remove(job.bootstrap)
        with opened(job, place) as log:
            ensure_topics(log, Settings.load({}, {"broker": f"kafka://{job.bootstrap}", "partitions": PARTITIONS}))
            self.expected, self.newest = self.filled(job, log)
            publish(log, self.template, time.time_ns() // 1_000_000)

    def command(self, job: Job, place: Place) -> list[str]:
        data = str(place.folder / place.name)
        return [*COMMAND, "worker", *options(job, place), "--data", data, "--log-level", "warning"]

    def environment(self) -> Mapping[str, str]:
        return environment()

    def watch(self, job: Job, place: Place, process: subprocess.Popen[bytes], patience: float) -> list[Sample]:
        """Samples from the moment that it scores; it goes on until it has told everybody's newest."""
        deadline = time.monotonic() + patience
        while not healthy(place.folder / place.name):
            assert process.poll() is None, f"ended with {process.returncode} before it scored"
            if time.monotonic() > deadline:
                raise TimeoutError(f"not scoring after {patience:g} s")
            time.sleep(0.01)
        began = Sample(time.monotonic(), 0, cpu(process.pid, place.broker_pid))
        samples = [began, *super().watch(job, place, process, patience)]
        with opened(job, place) as log:
            told = self.all_told(log, time.monotonic() + patience)
        text = f"{told - samples[-1].at:.1f} s after the last commit"
        sys.stdout.write(f"  {self.title}: updates out of all {len(self.newest):,} employees' newest, {text}\n")
        return samples

    def all_told(self, log: KafkaLog, deadline: float) -> float:
        """Waits until everybody's last update is of their newest event; the moment it was (monotonic)."""
        missing = {employee: format_rfc3339(at) for employee, at in self.newest.items()}
        decode = msgspec.json.Decoder(Told).decode
        starts = [0] * PARTITIONS
        while missing:
            for number in range(PARTITIONS):
                rows = log.read(SCORE_UPDATES, number, starts[number], _AT_ONCE)
                starts[number] = rows[-1][0] + 1 if rows else starts[number]
                for told in (decode(value) for _, _, _, value, _ in rows if value):
                    if missing.get(told.employee_id) == told.newest:
                        del missing[told.employee_id]
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(missing):,} employees' newest were not told: {list(missing.items())[:3]}")
        return time.monotonic()

    def answer(self, key: bytes, value: bytes) -> tuple[str, int, tuple[int, int]]:
        raise NotImplementedError("its answers are read from its state")

    def check(self, job: Job, place: Place) -> int:
        found: dict[Where, Answer] = {}
        with opened(job, place) as log:
            for persons in committed(log).persons:
                for person in persons.values():
                    for row in score_rows(person, person.state.newest):
                        sums = tuple(row.sums[name] for name in sorted(row.sums))
                        found[person.id, row.indicator, row.window] = instant(row.window_start), sums
        found = {where: answer for where, answer in found.items() if not where[1].startswith("@")}
        told = {where: answer for where, answer in found.items() if where[0] in self.newest}
        count = agree(self.title, told, self.expected)
        if job.events > VERIFIED:
            return count
        verify = [*COMMAND, "verify", *options(job, place)]
        done = subprocess.run(verify, env=environment(), capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{self.title}: verify: {done.stdout[-1_500:]} {done.stderr[-1_500:]}"
        return count


class PeersJob(ScoreStream):
    """The job of the others: one-minute sums."""

    key = "ours"
    title = "ScoreStream, the same job"
    less = MORE
    template = ONE_MINUTE

    def filled(self, job: Job, log: KafkaLog) -> tuple[dict[Where, Answer], dict[str, int]]:
        answers = send(job.bootstrap, QC_EVENTS, job.events - PARTITIONS, job.employees)
        last = dict(sorted(answers))
        expected = {
            (employee, "yield", "rolling 1m"): (start, tuple(map(float, reversed(answers[employee, start]))))
            for employee, start in last.items()
        }
        return expected, newest_of(log, set(last))


class FullJob(ScoreStream):
    """The product's own: three indicators, two windows each, 30 % of another type, 2 % delivered twice."""

    key = "ours-full"
    title = "ScoreStream, 3 indicators x 2 windows"
    less = "its own events (30 % business.output, 2 % repeated), 20 minutes and the day; " + MORE
    template = TEMPLATE

    def filled(self, job: Job, log: KafkaLog) -> tuple[dict[Where, Answer], dict[str, int]]:
        sums = Sums()
        batch: list[Outgoing] = []
        for record in records(job.events, job.employees, PARTITIONS):
            batch.append(record)
            sums.count(json.loads(record.value or b""))
            if len(batch) == _AT_ONCE:
                log.append(batch)
                batch = []
        log.append(batch)
        return sums.answers(), sums.newest


class Sums:
    """The full job done by hand: minutes and days of each employee and indicator; an id counts once."""

    def __init__(self) -> None:
        self.newest: dict[str, int] = {}
        self._ids: set[str] = set()
        self._sums: dict[tuple[str, str, str, int], list[int]] = {}

    def count(self, event: dict[str, object]) -> None:
        """Adds one event, unless it is known."""
        employee, measures, dims = str(event["employee_id"]), event["measures"], event["dims"]
        assert isinstance(measures, dict)
        assert isinstance(dims, dict)
        if event["event_id"] in self._ids:
            return
        self._ids.add(str(event["event_id"]))
        at = instant(str(event["occurred_at"]))
        self.newest[employee] = max(at, self.newest.get(employee, 0))
        indicator, own = _indicator(dims.get("stage"), measures)
        for window, start in (("minute", at - at % MINUTE), ("day", _day(at))):
            sums = self._sums.setdefault((employee, indicator, window, start), [0] * len(own))
            for index, value in enumerate(own):
                sums[index] += value

    def answers(self) -> dict[Where, Answer]:
        """The rows of everybody, as of their own newest event."""
        found: dict[Where, Answer] = {}
        for employee, at in self.newest.items():
            for indicator, count in (("semi_finished_yield", 2), ("finished_yield", 2), ("output", 1)):
                first = at - at % MINUTE - 19 * MINUTE
                minutes = [
                    self._sums.get((employee, indicator, "minute", first + n * MINUTE), [0] * count) for n in range(20)
                ]
                total = tuple(float(sum(column)) for column in zip(*minutes, strict=True))
                found[employee, indicator, "rolling 20m"] = first, total
                day = self._sums.get((employee, indicator, "day", _day(at)), [0] * count)
                found[employee, indicator, "day"] = _day(at), tuple(map(float, day))
        return found


def _indicator(stage: object, measures: Mapping[str, int]) -> tuple[str, tuple[int, ...]]:
    """Which indicator an event is of, and what it adds, by the measures' names."""
    if stage is None:
        return "output", (measures["units"],)
    return f"{stage}_yield", (measures["accepted"], measures["inspected"])


def instant(text: str) -> int:
    """Milliseconds since 1970 UTC."""
    at = parse_rfc3339(text)
    assert at is not None, f"{text!r} is no instant"
    return at


def _day(at: int) -> int:
    return (at + _CHINA) // _DAY * _DAY - _CHINA


def newest_of(log: KafkaLog, employees: set[str]) -> dict[str, int]:
    """The newest record's timestamp per employee, which in this job is its event's instant."""
    found: dict[str, int] = {}
    for number in range(PARTITIONS):
        start = 0
        while rows := log.read(QC_EVENTS, number, start, _AT_ONCE):
            start = rows[-1][0] + 1
            found.update(((key or b"").decode(), at) for _, at, key, _, _ in rows)
    return {employee: at for employee, at in found.items() if employee in employees}


def options(job: Job, place: Place) -> list[str]:
    """Which log a command is about."""
    return ["--broker", f"kafka://{job.bootstrap}", "--kafka-group", place.name]


@contextmanager
def opened(job: Job, place: Place) -> Iterator[KafkaLog]:
    """The log of a run."""
    log = KafkaLog(Cluster(job.bootstrap, Access(group=place.name)), NAMES)
    try:
        yield log
    finally:
        log.close()
