"""What employees weigh: bytes of state, memory with very many of them, seconds until scoring again after SIGKILL."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from agents.transport.embedded.log import EmbeddedLog, Outgoing, partition_for
from stream.keys import EMPLOYEE, IDENTITIES
from stream.state import decode_state, encode_state
from stream.topics import CHANGELOG, QC_EVENTS
from tests.bench.service import ends, new_log, peak_memory, wait_committed, worker
from tests.bench.workload import TEMPLATE, fill, publish_template, records


def weigh(folder: Path) -> None:
    """Bytes per employee of the last states in a changelog, identities apart."""
    states: dict[bytes, bytes] = {}
    blocks: dict[bytes, bytes] = {}
    with EmbeddedLog.open(folder) as log:
        for partition in range(log.topics()[CHANGELOG].partitions):
            offset = 0
            while rows := log.read(CHANGELOG, partition, offset, 20_000):
                offset = rows[-1][0] + 1
                states.update((r[2], r[3]) for r in rows if r[2] and r[3] and r[2][:1] == EMPLOYEE)
                blocks.update((r[2], r[3]) for r in rows if r[2] and r[3] and r[2][:1] == IDENTITIES)
        events = sum(ends(log).values())
    bare = tail = panes = 0
    for raw in states.values():
        state = decode_state(raw)
        panes += sum(len(p) for s in state.segments for g in s.groups for p in g.panes)
        state.lanes = [None] * len(state.lanes)
        bare += (size := len(encode_state(state, 0)))
        tail += len(raw) - size
    count = max(1, len(states))
    cold = sum(len(key) + len(value) for key, value in blocks.items())
    say(
        f"state per employee without identities: {bare / count:,.0f} bytes ({panes / count:.0f} panes); unsealed "
        f"identities {tail / count:,.0f} bytes; all identities {(tail + cold) / max(1, events):.1f} bytes per event, "
        f"{(tail + cold) / max(1, events) * 8640 / 1000:,.0f} kB per employee and day at one event per 10 s"
    )


def run(folder: Path, employees: int) -> None:
    """Scores two events of each employee, kills the worker, and times how soon it scores again."""
    log, partitions = new_log(folder)
    fill(log, 2 * employees, employees, partitions)
    publish_template(log, TEMPLATE)
    with worker(folder) as process:
        began = time.perf_counter()
        rate = 2 * employees / (wait_committed(log, ends(log)) - began)
        say(f"\n{employees:,} employees: {rate:,.0f} events/s, peak memory {peak_memory(process.pid) / 1e9:.2f} GB")
        process.kill()
        process.wait()
    _append_one(log, partitions)
    began = time.perf_counter()
    with worker(folder) as process:
        ready = time.perf_counter() - began
        scored = wait_committed(log, ends(log)) - began
        memory = peak_memory(process.pid) / 1e9
        say(f"after SIGKILL: ready in {ready:.1f} s, scoring again in {scored:.1f} s, memory {memory:.2f} GB")
    log.close()


def _append_one(log: EmbeddedLog, partitions: int) -> None:
    one = next(r for r in records(100, 10, partitions, seed=99) if r.topic == QC_EVENTS)
    log.append([Outgoing(one.topic, partition_for(one.key or b"", partitions), one.timestamp, one.key, one.value)])


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
