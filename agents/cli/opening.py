"""Commands open the log here: readers never create one, writers find or create it with all topics."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from agents.cli.errors import UsageError
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.errors import LogIncomplete, LogMissing
from agents.transport.log import Log
from agents.transport.opening import opened
from stream.topics import TOPICS

NAMES: Final = tuple(topic.name for topic in TOPICS)


@contextmanager
def existing_log(settings: Settings) -> Iterator[Log]:
    """The log of these settings, to read; LogMissing when there is none."""
    with opened(settings.broker, NAMES, create=False, access=settings.access) as log:
        there = log.topics()
        if log.shared and not there:
            raise LogMissing(log.name, "there is none of its topics")
        if log.shared and (missing := [name for name in NAMES if name not in there]):
            raise LogIncomplete(f"{log.name}: topics {', '.join(missing)} are missing; a worker that starts makes them")
        yield log


@contextmanager
def writable_log(settings: Settings) -> Iterator[tuple[Log, int]]:
    """The log of these settings, made when absent, with all topics; and its number of partitions."""
    with opened(settings.broker, NAMES, access=settings.access) as log:
        yield log, ensure_topics(log, settings)


def demand_topic(name: str) -> None:
    """UsageError, with the nearest name, when there is no such topic at all."""
    if name in NAMES:
        return
    near = difflib.get_close_matches(name, NAMES, n=1)
    meant = f"did you mean {near[0]}? There" if near else "there"
    raise UsageError(f"topic {name!r} does not exist; {meant} are {', '.join(NAMES)}")


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
