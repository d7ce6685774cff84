"""Faust's options for a new topic, in the log's words."""

import asyncio
from typing import Any

from mode.utils.times import want_seconds

from agents.transport.embedded.log import EmbeddedLog


async def create_topic(
    log: EmbeddedLog, topic: str, partitions: int, *, retention: Any = None, compacting: bool | None = None, **_: Any
) -> None:
    """Create a topic of `log.sqlite`. `retention`: seconds or timedelta; broker options mean nothing here."""
    retention_ms = None if retention is None else int(want_seconds(retention) * 1000)

    def create() -> None:
        log.create_topic(topic, partitions, compacted=bool(compacting), retention_ms=retention_ms)

    await asyncio.to_thread(create)
