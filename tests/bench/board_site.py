"""A plant for a thousand screens: lines with people in the records, a token for each screen, and events at a rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from sqlalchemy import Connection, insert

from agents.access.administration import Administration
from agents.records.database import open_records
from agents.records.tables import assignments, employees, unit_spans, units
from agents.transport.log import Log, Outgoing, partition_for
from schemas.instants import FIRST, format_rfc3339
from stream.topics import QC_EVENTS

BEAT: Final = 0.02  # s between two batches
DAYS: Final = 30
_encode: Final = msgspec.json.encode


class Plant:
    """So many lines of so many people each.

    `sent` has, per person, the instants (ms) of events on their way, `all_sent` of all that there were.
    """

    def __init__(self, lines: int, people: int, partitions: int) -> None:
        self.lines = [f"L{number:03d}" for number in range(lines)]
        self.people = {line: [f"{line}-{number:02d}" for number in range(people)] for line in self.lines}
        self.sent: dict[str, list[int]] = {who: [] for own in self.people.values() for who in own}
        self.all_sent: dict[str, list[int]] = {who: [] for who in self.sent}
        self._partitions = partitions
        self._dice = Random(11)
        self._everybody = [(who, line) for line, own in self.people.items() for who in own]
        self.made = 0

    def register(self, url: str, screens: int) -> list[tuple[str, str]]:
        """Puts the lines and their people into the records; per screen its line and its token.

        Every other line shows names.
        """
        records = open_records(url)
        try:
            records.write(self._fill)
            now = time.time_ns() // 1_000_000
            administration = Administration(records, "os:bench", now)
            found = []
            for number in range(screens):
                line = self.lines[number % len(self.lines)]
                found.append((line, administration.create_token(f"screen {number}", line, (), DAYS, True)))
            return found
        finally:
            records.close()

    def _fill(self, connection: Connection) -> None:
        names = {line: "shown" if number % 2 else "hidden" for number, line in enumerate(self.lines)}
        connection.execute(insert(units), [{"id": "plant", "kind": "company", "names": None}])
        connection.execute(insert(units), [{"id": line, "kind": "team", "names": names[line]} for line in self.lines])
        span = {"begins": FIRST, "name_zh": "", "name_en": ""}
        connection.execute(insert(unit_spans), [{**span, "unit": "plant", "parent": None}])
        connection.execute(insert(unit_spans), [{**span, "unit": line, "parent": "plant"} for line in self.lines])
        connection.execute(insert(employees), [{"id": who, "name": f"Name {who}"} for who, _ in self._everybody])
        places = [{"employee": who, "begins": FIRST, "role": "operator", "unit": line} for who, line in self._everybody]
        connection.execute(insert(assignments), places)

    def everybody(self, at: int) -> list[Outgoing]:
        """An event of each person, so that all are on their boards."""
        return [self._event(who, line, at) for who, line in self._everybody]

    def events(self, count: int, at: int) -> list[Outgoing]:
        """So many events of people by chance, which happen and are sent at one instant (ms)."""
        chosen = self._dice.choices(self._everybody, k=count)
        for who, _ in chosen:
            self.sent[who].append(at)
            self.all_sent[who].append(at)
        return [self._event(who, line, at) for who, line in chosen]

    def _event(self, who: str, line: str, at: int) -> Outgoing:
        self.made += 1
        accepted = 1 if self._dice.random() < 0.96 else 0
        event = {
            "event_id": f"b-{self.made}", "type": "qc.inspection", "employee_id": who, "source": "bench",
            "occurred_at": format_rfc3339(at), "measures": {"inspected": 1, "accepted": accepted},
            "dims": {"stage": "semi_finished", "line": line},
        }  # fmt: skip
        key = who.encode()
        return Outgoing(QC_EVENTS, partition_for(key, self._partitions), at, key, _encode(event))


async def send(log: Log, plant: Plant, rate: float, seconds: float) -> float:
    """Events at a rate for so long; how far (s) it was behind its plan at worst."""
    began, sent, worst = time.monotonic(), 0, 0.0
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * rate) - sent
        if due > 0:
            records: Sequence[Outgoing] = plant.events(due, time.time_ns() // 1_000_000)
            await asyncio.to_thread(log.append, records)
            sent += due
            worst = max(worst, time.monotonic() - began - (sent / rate))
        await asyncio.sleep(BEAT)
    return worst


def records_url(folder: Path) -> str:
    """Where the records of a benchmark are."""
    return f"sqlite:///{folder / 'records.sqlite'}"
