"""The job that is timed: three indicators, two windows each, ten thousand people, some deliveries repeated.

One event per employee and 10 s of event time, in the order in which a plant would send them. Seeded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Final

from agents.publishing import publish
from agents.transport.log import Log, Outgoing, partition_for

START: Final = 1_772_409_600_000  # 2026-03-02T00:00:00Z
REPEATED: Final = 0.02
_BATCH: Final = 20_000

TEMPLATE: Final = """\
template: bench
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 测速, en: Bench}
indicators:
  - id: semi_finished_yield
    name: {zh: 半成品良品率, en: Semi-finished yield}
    definition: {zh: 半成品经检验合格的比例, en: accepted / inspected semi-finished units}
    dimension: performance
    from: qc.inspection
    where: {stage: semi_finished}
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.95
    weight: 0.5
    windows: [rolling 20m, day]
    min_sample: 30
    alerts: default
  - id: finished_yield
    name: {zh: 成品良品率, en: Finished-goods yield}
    definition: {zh: 成品经检验合格的比例, en: accepted / inspected finished units}
    dimension: performance
    from: qc.inspection
    where: {stage: finished}
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.97
    weight: 0.3
    windows: [rolling 20m, day]
    min_sample: 30
    alerts: default
  - id: output
    name: {zh: 产量, en: Output}
    definition: {zh: 产出件数, en: units produced}
    dimension: performance
    from: business.output
    value: units
    unit: units
    target: 1000
    weight: 0.2
    windows: [rolling 20m, day]
"""


def records(events: int, employees: int, partitions: int, seed: int = 1) -> Iterator[Outgoing]:
    """`events` records for the log, repeated deliveries included; log time is event time plus a second."""
    dice = Random(seed)
    order = list(range(employees))
    keys = [f"E{number:07d}" for number in order]
    places = [partition_for(key.encode(), partitions) for key in keys]
    made = 0
    round_ = 0
    while made < events:
        dice.shuffle(order)
        for index in order:
            at = START + round_ * 10_000 + index * 10_000 // employees
            topic, value = _event(dice, keys[index], at, made, index)
            record = Outgoing(topic, places[index], at + 10_000, keys[index].encode(), value)
            for _ in range(2 if dice.random() < REPEATED else 1):
                yield record
                made += 1
                if made == events:
                    return
        round_ += 1


def _event(dice: Random, key: str, at: int, number: int, index: int) -> tuple[str, bytes]:
    when = _time(at)
    place = f'"product":"P{index % 12:02d}","machine":"M{index % 40:02d}","line":"L{index % 25:02d}"'
    if dice.random() < 0.3:
        text = (
            f'{{"event_id":"out-{number:08d}","type":"business.output","employee_id":"{key}","occurred_at":"{when}",'
            f'"source":"mes-{index % 25:02d}","measures":{{"units":{dice.randrange(1, 40)}}},"dims":{{{place}}}}}'
        )
        return "business-events", text.encode()
    stage = "semi_finished" if dice.random() < 0.7 else "finished"
    accepted = 10 - (dice.random() < 0.4) - (dice.random() < 0.1)
    text = (
        f'{{"event_id":"pol-{number:08d}","type":"qc.inspection","employee_id":"{key}","occurred_at":"{when}",'
        f'"source":"aoi-{index % 25:02d}","measures":{{"inspected":10,"accepted":{accepted},"reworked":0,'
        f'"scrapped":{10 - accepted}}},"dims":{{"stage":"{stage}",{place}}}}}'
    )
    return "qc-events", text.encode()


def _time(at: int) -> str:
    from schemas.instants import format_rfc3339

    return format_rfc3339(at)[:-5] + "+00:00"


def fill(log: Log, events: int, employees: int, partitions: int) -> None:
    """Appends the workload."""
    batch: list[Outgoing] = []
    for record in records(events, employees, partitions):
        batch.append(record)
        if len(batch) == _BATCH:
            log.append(batch)
            batch = []
    if batch:
        log.append(batch)


def publish_template(log: Log, text: str) -> None:
    """Publishes a template now."""
    publish(log, text, time.time_ns() // 1_000_000)
