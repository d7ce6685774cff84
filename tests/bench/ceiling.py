"""The ceiling: read the log and decode every record into a struct, and nothing else."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import msgspec

from agents.transport.embedded.log import EmbeddedLog
from tests.bench.service import ends


class Decoded(msgspec.Struct, gc=False):
    """All fields of an event."""

    event_id: str
    type: str
    employee_id: str
    occurred_at: str
    source: str
    measures: dict[str, float]
    dims: dict[str, str] = {}


def run(folder: Path) -> tuple[float, float]:
    """Events per second, and CPU seconds per million events."""
    decoder = msgspec.json.Decoder(list[Decoded])
    gc.set_threshold(100_000, 50, 1000)
    with EmbeddedLog.open(folder) as log:
        began, spent, total = time.perf_counter(), time.process_time(), 0
        for topic, partition in ends(log):
            offset = 0
            while rows := log.read(topic, partition, offset, 10_000):
                offset = rows[-1][0] + 1
                total += len(decoder.decode(b"[" + b",".join([row[3] or b"" for row in rows]) + b"]"))
        return total / (time.perf_counter() - began), (time.process_time() - spent) / total * 1e6
