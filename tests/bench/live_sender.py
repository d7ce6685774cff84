"""Events of this very moment at a given rate, and what was sent of the people who are watched. A process of its own.

An event's number is counted per employee and indicator, in the order of the log, without what is sent twice: so a
reader of scores, who is told counts, knows which event it sees. One employee in EVERY is watched.
`live_sender URL RATE SECONDS EMPLOYEES EVERY PARTITIONS OUT`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.embedded.url import folder_of
from agents.transport.kafka.cluster import Cluster, servers_of
from agents.transport.log import Outgoing, partition_for
from schemas.instants import format_rfc3339
from stream.topics import BUSINESS_EVENTS, QC_EVENTS
from tests.bench.workload import REPEATED

BEAT: Final = 0.01  # s between two batches
GROUPS: Final = ("semi_finished", "finished", "output")

Sent = tuple[str, str, int, int]  # employee, group, number of the event (from 1), log time (ms)
Write = Callable[[Sequence[Outgoing]], object]


class Report(msgspec.Struct):
    """What was sent: of those watched each event; of all how many; the longest time (s) that it was behind its plan."""

    watched: list[Sent]
    sent: int
    seconds: float
    behind: float


class Plant:
    """Employees in turn; each gets a bad piece now and then, and some deliveries are repeated."""

    def __init__(self, employees: int, every: int, partitions: int, seed: int = 7) -> None:
        self._dice = Random(seed)
        self._keys = [f"E{number:07d}" for number in range(employees)]
        self._places = [partition_for(key.encode(), partitions) for key in self._keys]
        self._order = list(range(employees))
        self._every = every
        self._numbers: dict[tuple[str, str], int] = {}
        self._made = 0
        self.watched: list[Sent] = []

    def events(self, count: int, at: int) -> list[Outgoing]:
        """So many records that happen and are sent at one instant, `at` (ms)."""
        when = format_rfc3339(at)
        found: list[Outgoing] = []
        while len(found) < count:
            place = self._made % len(self._order)
            if place == 0:
                self._dice.shuffle(self._order)
            self._made += 1
            index = self._order[place]
            found.append(self._event(index, at, when))
            if self._dice.random() < REPEATED:
                found.append(found[-1])
        return found

    def _event(self, index: int, at: int, when: str) -> Outgoing:
        dice, key = self._dice.random(), self._keys[index]
        group = "output" if dice < 0.3 else "semi_finished" if dice < 0.8 else "finished"
        if index % self._every == 0:
            number = self._numbers[key, group] = self._numbers.get((key, group), 0) + 1
            self.watched.append((key, group, number, at))
        head = f'{{"event_id":"live-{at}-{self._made}","employee_id":"{key}","occurred_at":"{when}",'
        dims = f'"product":"P{index % 12:02d}","machine":"M{index % 40:02d}","line":"L{index % 25:02d}"}}}}'
        if group == "output":
            value = f'"type":"business.output","source":"mes","measures":{{"units":7}},"dims":{{{dims}'
            topic = BUSINESS_EVENTS
        else:
            bad = int(dice * 1e6) % 3 == 0
            value = (
                f'"type":"qc.inspection","source":"aoi","measures":{{"inspected":10,"accepted":{10 - bad},'
                f'"reworked":0,"scrapped":{int(bad)}}},"dims":{{"stage":"{group}",{dims}'
            )
            topic = QC_EVENTS
        return Outgoing(topic, self._places[index], at, key.encode(), (head + value).encode())


def run(plant: Plant, write: Write, rate: float, seconds: float) -> Report:
    """Sends by plan: after t seconds there are rate * t records, whatever became of the batch before."""
    began, sent, behind = time.perf_counter(), 0, 0.0
    while (now := time.perf_counter() - began) < seconds:
        due = int(rate * now) - sent
        if due > 0:
            batch = plant.events(due, time.time_ns() // 1_000_000)
            write(batch)
            sent += len(batch)
        behind = max(behind, time.perf_counter() - began - now - BEAT)
        time.sleep(max(0.0, began + now + BEAT - time.perf_counter()))
    return Report(plant.watched, sent, time.perf_counter() - began, behind)


@contextmanager
def writing(url: str) -> Iterator[Write]:
    """How records get into a log; for a broker without waiting for its answer, which `flush` does at the end."""
    if url.startswith("embedded:"):
        with EmbeddedLog.open(folder_of(url)) as log:
            yield log.append
        return
    from confluent_kafka import Producer

    options: dict[str, object] = {"linger_ms": 2, "enable_idempotence": True, "queue_buffering_max_messages": 1_000_000}
    producer = Producer(Cluster(servers_of(url)).config(**options))

    def produce(records: Sequence[Outgoing]) -> None:
        for topic, partition, at, key, value, _ in records:
            producer.produce(topic, value, key, partition, timestamp=at)
        producer.poll(0)

    yield produce
    left = producer.flush(60)
    assert left == 0, f"{left:,} records were not taken by the broker"


def main(url: str, rate: str, seconds: str, employees: str, every: str, partitions: str, out: str) -> None:
    """Sends, and writes the report."""
    plant = Plant(int(employees), int(every), int(partitions))
    with writing(url) as write:
        report = run(plant, write, float(rate), float(seconds))
    Path(out).write_bytes(msgspec.msgpack.encode(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
