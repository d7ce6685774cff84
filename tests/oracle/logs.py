"""Logs made by hand: a few records, each with a default that is valid, so that a test states only what it is about."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agents.oracle import LogRecord, Recomputed, recompute
from agents.oracle.murmur2 import partition_of

PARTITIONS = 4
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
MIDNIGHT = 1_772_409_600_000  # 2026-03-02T00:00:00Z, a Monday
NOON = MIDNIGHT + 12 * HOUR
TOPICS = {"business": "business-events", "qc": "qc-events", "people": "people-events"}

EVERYONE = """
template: {template}
version: {version}
effective_from: {effective_from}
timezone: {timezone}
applies_to: {applies_to}
indicators: {indicators}
"""
YIELD = (
    "{id: yield, from: qc.inspection, value: accepted / inspected, rate: {good: accepted, of: inspected}, "
    "target: 0.5, windows: [day]}"
)
MIXED = YIELD.replace("windows:", "case_mix: [stage, product], windows:")


def template(
    *indicators: str,
    name: str = "op",
    version: int = 1,
    effective_from: str = "2020-01-01T00:00:00Z",
    timezone: str = "UTC",
    applies_to: str = "everyone",
) -> str:
    """The YAML of a template; without indicators it has the one of YIELD."""
    return EVERYONE.format(
        template=name, version=version, effective_from=effective_from, timezone=timezone, applies_to=applies_to,
        indicators=f"[{', '.join(indicators or (YIELD,))}]",
    )  # fmt: skip


def calendar(**fields: str | int | None) -> str:
    """The YAML of a shift calendar of UTC for everyone; a field given as None is left out.

    It has an early, a late and a night shift; the early one is worked every day, and counts from 06:00 sharp on.
    """
    valid: dict[str, str | int | None] = {
        "calendar": "hall", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "timezone": "UTC",
        "units": "everyone", "early": "0m",
        "shifts": "{early: {start: '06:00', end: '14:00'}, late: {start: '14:00', end: '22:00'}, "
        "night: {start: '22:00', end: '06:00'}}",
        "cycle": "{first: 2026-03-02, days: [[early]]}",
    }  # fmt: skip
    return "".join(f"{name}: {value}\n" for name, value in {**valid, **fields}.items() if value is not None)


def event(**fields: Any) -> dict[str, Any]:
    """A valid qc.inspection at NOON with one accepted unit; a field given as None is left out."""
    valid = {
        "event_id": "e1", "type": "qc.inspection", "employee_id": "E1", "occurred_at": NOON, "source": "aoi",
        "measures": {"inspected": 1, "accepted": 1},
    }  # fmt: skip
    return {name: value for name, value in {**valid, **fields}.items() if value is not None}


def model(**fields: Any) -> dict[str, Any]:
    """A valid model of op's yield from NOON - HOUR on: of 100 units 95 are good, of stage semi 90.

    A field given as None is left out.
    """
    valid = {
        "template": "op", "indicator": "yield", "number": 1, "effective_from": NOON - HOUR, "by": ["stage", "product"],
        "base": 0.95, "cells": [{"dims": ["semi"], "expected": 0.90}],
    }  # fmt: skip
    return {name: value for name, value in {**valid, **fields}.items() if value is not None}


@dataclass
class Log:
    """Records in the order of sending; offsets per topic partition are given out as they come."""

    records: list[LogRecord] = field(default_factory=list)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    def append(self, topic: str, partition: int, timestamp: int, key: bytes | None, value: bytes | None) -> LogRecord:
        """One record, byte for byte."""
        offset = self.ends.get((topic, partition), 0)
        self.ends[topic, partition] = offset + 1
        self.records.append(LogRecord(topic, partition, offset, timestamp, key, value))
        return self.records[-1]

    def send(self, sent_at: int | None = None, **fields: Any) -> LogRecord:
        """An event (see `event`) in its topic and partition, sent when it occurred unless told otherwise."""
        content = event(**fields)
        key = content["employee_id"].encode()
        topic = TOPICS[content["type"].split(".")[0]]
        sent_at = content["occurred_at"] if sent_at is None else sent_at
        return self.append(topic, partition_of(key, PARTITIONS), sent_at, key, json.dumps(content).encode())

    def assign(self, at: int, sent_at: int | None = None, **dims: str) -> LogRecord:
        """A people.assignment of E1 with these dims."""
        identity = f"assign-{len(self.records)}"
        return self.send(sent_at, event_id=identity, type="people.assignment", occurred_at=at, measures={}, dims=dims)

    def target(self, at: int, corrects: str | None = None, sent_at: int | None = None, **amounts: float) -> LogRecord:
        """A people.target of E1 with these measures."""
        identity = f"target-{len(self.records)}"
        return self.send(
            sent_at, event_id=identity, type="people.target", occurred_at=at, measures=amounts, corrects=corrects
        )

    def publish(self, text: str, at: int = MIDNIGHT) -> LogRecord:
        """A template's publication."""
        return self.append("templates", 0, at, None, text.encode())

    def calendar(self, at: int = MIDNIGHT, *, key: str = "calendar:", **fields: str | int | None) -> LogRecord:
        """A shift calendar's publication (see `calendar`)."""
        return self.append("templates", 0, at, key.encode(), calendar(**fields).encode())

    def model(self, at: int = MIDNIGHT, *, partition: int = 0, key: str | None = None, **fields: Any) -> LogRecord:
        """A model of case mix (see `model`), under the key of its value unless told otherwise."""
        content = model(**fields)
        own = "case-mix:{template}/{indicator}@{number}".format_map({**model(), **content})
        raw = json.dumps(content).encode()
        return self.append("templates", partition, at, (own if key is None else key).encode(), raw)

    def tick(self, at: int, employee: str = "E1") -> LogRecord:
        """A tick of the employee's partition that follows everything sent so far."""
        partition = partition_of(employee.encode(), PARTITIONS)
        follows = {topic: self.ends.get((topic, partition), 0) for topic in TOPICS.values()}
        value = json.dumps({"at": at, "follows": follows}).encode()
        return self.append("ticks", partition, at, str(partition).encode(), value)

    def recompute(self, known_at: int | None = None) -> Recomputed:
        """What the oracle makes of the log."""
        return recompute(self.records, partitions=PARTITIONS, known_at=known_at)

    def outcomes(self) -> dict[str, int]:
        """How many records of the input topics ended in what."""
        return self.recompute().outcomes

    def row(
        self, as_of: int = NOON, indicator: str = "yield", window: str = "day", employee: str = "E1"
    ) -> dict[str, Any]:
        """The one row of that key; it is an error when there is none or more than one."""
        (found,) = self.rows(as_of, indicator, window, employee)
        return found

    def rows(self, as_of: int, indicator: str, window: str, employee: str = "E1") -> list[dict[str, Any]]:
        """The rows of that key, over all templates."""
        return [
            row
            for row in self.recompute().rows(as_of, employee)
            if row["indicator"] == indicator and row["window"] == window
        ]

    def ids(self, as_of: int = NOON, indicator: str = "yield", window: str = "day", name: str = "op") -> list[str]:
        """The ids of the events that count in E1's row of that key."""
        found = self.recompute().contributions("E1", name, indicator, window, as_of)
        return [contribution.event_id for contribution in found]


def published(*texts: str, at: int = MIDNIGHT) -> Log:
    """A log that begins with these publications, or with the one of `template()`."""
    log = Log()
    for text in texts or (template(),):
        log.publish(text, at)
    return log


def outcome_of(value: dict[str, Any] | bytes | None, *, topic: str = "qc-events", sent_at: int = NOON) -> str:
    """How a single record of E1 ends, in the partition of E1 and with its key."""
    raw = json.dumps(value).encode() if isinstance(value, dict) else value
    log = published()
    log.append(topic, partition_of(b"E1", PARTITIONS), sent_at, b"E1", raw)
    (outcome,) = log.outcomes()
    return outcome


def total(outcomes: dict[str, int], names: Iterable[str] | None = None) -> int:
    """The number of records that ended in one of `names`, or in anything."""
    return sum(count for name, count in outcomes.items() if names is None or name in names)
