"""A tick as a record: so late it is, and so far the inputs are applied when it counts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import msgspec

from agents.transport.log import Log
from schemas.event import INPUT_TOPICS, Row
from schemas.unreadable import UNREADABLE
from stream.topics import COMMANDS, TICKS

logger: Final = logging.getLogger(__name__)


class Tick(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of topic ticks: it is `at` (ms), and every input is applied up to `follows`.

    `knows`: the rules are those of `templates` below these offsets, by partition; None: nobody has said.
    """

    at: int
    follows: dict[str, int]
    knows: list[int] | None = None


def tick_of(row: Row) -> Tick | None:
    """The tick in a record; None where it is none: nobody but a worker writes ticks, a stranger's moves nothing."""
    try:
        return msgspec.json.decode(row[3] or b"", type=Tick)
    except UNREADABLE:
        return None


def reachable(tick: Tick, offset: int, partition: int, log: Log, applied: Mapping[str, int]) -> Tick:
    """A tick follows what is in the log: one that follows more (of another log, say) would wait for ever."""
    follows = {topic: tick.follows.get(topic, 0) for topic in (*INPUT_TOPICS, COMMANDS)}
    for topic, until in follows.items():
        if until > applied.get(topic, 0) and until > (end := log.end(topic, partition)):
            logger.warning(
                "%s/%d offset %d follows offset %d of %s, which ends at %d: taken as %d",
                *(TICKS, partition, offset, until, topic, end, end),
            )
            follows[topic] = end
    return Tick(tick.at, follows, tick.knows)
