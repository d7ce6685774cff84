"""A log with events that a worker has scored, without a worker process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import cast

from agents.metrics import Metrics
from agents.publishing import publish
from agents.scoring import Scoring
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, Outgoing, partition_for
from schemas.event import INPUT_TOPICS, TOPIC_OF, Row
from schemas.instants import parse_rfc3339
from stream.pipeline import Limits

NOON = "2026-03-02T12:00:00Z"
TEMPLATE = """\
template: yield
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 良品率, en: Yield}
indicators:
  - id: yield
    name: {zh: 良品率, en: Yield}
    definition: {zh: 合格数除以检验数, en: accepted / inspected}
    dimension: performance
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    target: 0.95
    weight: 0.6
    windows: [rolling 60m, day]
    min_sample: 30
  - id: output
    name: {zh: 产量, en: Output}
    definition: {zh: 产出件数, en: units produced}
    dimension: performance
    from: business.output
    value: units
    target: 50
    weight: 0.4
    windows: [day]
"""


def inspection(
    event_id: str, employee: str, at: str, inspected: int, accepted: int, **more: object
) -> dict[str, object]:
    """A qc.inspection."""
    measures = {"inspected": inspected, "accepted": accepted}
    return {
        "event_id": event_id, "type": "qc.inspection", "employee_id": employee, "occurred_at": at, "source": "aoi",
        "measures": measures, "dims": {"line": "L01"}, **more,
    }  # fmt: skip


def output(event_id: str, employee: str, at: str, units: int) -> dict[str, object]:
    """A business.output."""
    return {
        "event_id": event_id, "type": "business.output", "employee_id": employee, "occurred_at": at, "source": "mes",
        "measures": {"units": units},
    }  # fmt: skip


def append(folder: Path, events: list[dict[str, object]], *, template: str | None = TEMPLATE, later: int = 0) -> None:
    """Publishes a template and appends events, each logged `later` ms after it happened."""
    with EmbeddedLog.open(folder) as log:
        partitions = ensure_topics(log, Settings.load({}))
        if template is not None:
            publish(log, template, 1_772_000_000_000)
        log.append([_outgoing(event, partitions, later) for event in events])


def _outgoing(event: dict[str, object], partitions: int, later: int) -> Outgoing:
    key = str(event["employee_id"]).encode()
    topic = TOPIC_OF[str(event["type"]).partition(".")[0]]
    at = parse_rfc3339(str(event["occurred_at"])) or 0
    return Outgoing(topic, partition_for(key, partitions), at + later, key, json.dumps(event).encode())


def score(folder: Path) -> None:
    """Applies and commits everything in the log, as a worker would."""
    with EmbeddedLog.open(folder) as log:
        scoring = Scoring.open(log, folder, Limits(), Metrics(), 1000)
        for topic in INPUT_TOPICS:
            for number in scoring.partitions:
                rows = log.read(topic, number, scoring.start_offsets([(topic, number)])[topic, number], 10_000)
                if rows:
                    asyncio.run(scoring.handle(topic, number, cast("list[Row]", rows)))
        asyncio.run(scoring.commit())
        scoring.close()


def work(folder: Path) -> None:
    """A new tick everywhere, as a worker has it every second, and commits; then what units make of it, and theirs."""

    async def work() -> None:
        with EmbeddedLog.open(folder) as log:
            scoring = Scoring.open(log, folder, Limits(), Metrics(), 1000)
            before = {number: partition.meta.now for number, partition in scoring.partitions.items()}
            while any(partition.meta.now <= before[number] for number, partition in scoring.partitions.items()):
                await scoring.beat(0)
                for number in scoring.partitions:
                    start = scoring.start_offsets([("ticks", number)])["ticks", number]
                    ticks = log.read("ticks", number, start, 10)
                    await scoring.handle("ticks", number, cast("list[Row]", ticks))
                await asyncio.sleep(0.02)
            await scoring.commit()
            scoring.resume()  # looks at once where the log ends
            await scoring.beat(0)
            await scoring.pool()
            await scoring.commit()
            scoring.close()

    asyncio.run(work())
