"""What it costs to write final results: `python -m tests.bench.closing [PEOPLE [DAYS [EVENTS A DAY]]]`.

A log of a month is made and scored, and closed by a process of its own, whose seconds and memory are printed; then
one correction is made and closed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agents.records.database import open_records
from agents.results import close
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from agents.transport.murmur2 import partition_for
from schemas.event import INPUT_TOPICS
from stream.pipeline import Limits
from stream.topics import TEMPLATES, TICKS
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, MIDNIGHT, MINUTE, YIELD, template

PARTITIONS: Final = 4
WINDOWS: Final = "[rolling 60m, day, week, month]"
STAGES: Final = ("semi", "final", "rework")


def main() -> None:
    """Prints the figures."""
    if sys.argv[1:2] == ["--close"]:
        _close(Path(sys.argv[2]), int(sys.argv[3]))
        return
    people, days, events = [*map(int, sys.argv[1:]), *(10_000, 31, 3)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        wall = asyncio.run(_prepare(Path(folder), people, days, events))
        _say(f"{people:,} people, {days} days, {people * days * events:,} events, {PARTITIONS} partitions\n")
        for what in ("all of it", "again, nothing new", "one correction"):
            if what == "one correction":
                asyncio.run(_correct(Path(folder), wall))
            _say(f"{what}: ")
            subprocess.run([sys.executable, "-m", "tests.bench.closing", "--close", folder, str(wall)], check=True)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _close(folder: Path, wall: int) -> None:
    records = open_records(f"sqlite:///{folder / 'records.sqlite'}")
    began = time.perf_counter()
    with EmbeddedLog.open(folder / "log", create=False) as log:
        done = close(log, records, Limits(), wall)
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text("utf-8")
    memory = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    size = (folder / "records.sqlite").stat().st_size / 1e6
    rows = f"{done.written:,} rows ({done.restated:,} restated)"
    _say(f"{rows}, {seconds:.1f} s, {memory:.0f} MB at most, the store has {size:.0f} MB\n")
    records.close()


async def _prepare(folder: Path, people: int, days: int, events: int) -> int:
    indicators = [
        YIELD.replace("id: yield", f"id: {stage}_yield, where: {{stage: {stage}}}").replace("[day]", WINDOWS)
        for stage in STAGES
    ]
    rig = Rig(folder, PARTITIONS, MIDNIGHT, Limits())
    rig.append([Outgoing(TEMPLATES, 0, MIDNIGHT - DAY, b"op@1", template(*indicators).encode())])
    rig.refresh()
    try:
        for day in range(days):
            rig.append(list(_day(people, day, events)))
            rig.wall = MIDNIGHT + (day + 1) * DAY
            for topic in (*INPUT_TOPICS, TICKS):
                rig.feed(topic, 1_000_000)
            await rig.commit()
        rig.wall = MIDNIGHT + (days + 40) * DAY
        await rig.drain()
        return rig.wall
    finally:
        rig.close()


async def _correct(folder: Path, wall: int) -> None:
    rig = Rig(folder, PARTITIONS, wall, Limits())
    try:
        rig.append([_record("E1", "c", MIDNIGHT + 8 * 60 * MINUTE, wall, 0, corrects="0-0")])
        await rig.drain()
    finally:
        rig.close()


def _day(people: int, day: int, events: int) -> Iterator[Outgoing]:
    for number in range(events):
        for person in range(people):
            at = MIDNIGHT + day * DAY + (8 * 60 + number * 97 % 480) * MINUTE + person
            yield _record(f"E{person}", f"{day}-{number}", at, at, number)


def _record(employee: str, event_id: str, at: int, logged: int, number: int, corrects: str | None = None) -> Outgoing:
    value: dict[str, object] = {
        "event_id": event_id, "type": "qc.inspection", "employee_id": employee, "occurred_at": at, "source": "aoi",
        "measures": {"inspected": 10, "accepted": 10 - number % 3} if corrects is None else {"accepted": -1},
        "dims": {"stage": STAGES[number % 3], "line": f"L{int(employee[1:]) % 200:03}"},
    }  # fmt: skip
    if corrects is not None:
        value["corrects"] = corrects
    key = employee.encode()
    return Outgoing("qc-events", partition_for(key, PARTITIONS), logged, key, json.dumps(value).encode())


if __name__ == "__main__":
    main()
