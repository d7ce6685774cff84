"""What the plant's tests share: a plant, a start, and its records as events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, Final

from agents.plant.factory import Plant, build
from agents.plant.model import live
from agents.plant.senders import Sending
from schemas.instants import MINUTE

START: Final = 1_790_000_123_456  # 2026-09-21 21:35 in Shanghai, not on a full minute
SEED: Final = 7


def plant(seed: int = SEED) -> Plant:
    """The plant of a seed."""
    return build(seed)


def live_minutes(minutes: int, start: int = START, seed: int = SEED) -> list[Sending]:
    """What is sent in the first minutes."""
    return list(takewhile(lambda record: record.at < start + minutes * MINUTE, live(plant(seed), start)))


def events(records: Iterable[Sending], *kinds: str) -> list[dict[str, Any]]:
    """The events of some kinds of records."""
    return [json.loads(record.value) for record in records if record.kind in kinds]


def rate(found: Iterable[dict[str, Any]]) -> float:
    """Accepted / inspected over inspections."""
    measures = [event["measures"] for event in found]
    return float(sum(m["accepted"] for m in measures) / sum(m["inspected"] for m in measures))
