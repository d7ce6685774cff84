"""A log has all topics or is not used: whoever opens one for writing comes through here.

The number of partitions is fixed when the log is created; later the log's own number holds.
"""

from __future__ import annotations

from typing import Final

from agents.settings import SettingError, Settings
from agents.transport.log import Log
from stream.topics import TOPICS, Topic

_NO_LIMIT: Final = -1


def ensure_topics(log: Log, settings: Settings) -> int:
    """Create what is missing of stream/topics.py; the number of partitions of this log.

    SettingError when `partitions` was given and the log has another number: keys would move between partitions.
    """
    existing = log.topics()
    partitions = next((existing[topic.name].partitions for topic in TOPICS if topic.name in existing), None)
    if partitions is None:
        partitions = settings.partitions
    elif partitions != settings.partitions and settings.origins.get("partitions", "default") != "default":
        raise SettingError(
            f"partitions={settings.partitions}: this log was created with {partitions}, which stays; "
            f"leave the setting out, or create another log"
        )
    for topic in TOPICS:
        _create(log, topic, partitions, settings)
    return partitions


def _create(log: Log, topic: Topic, partitions: int, settings: Settings) -> None:
    log.create_topic(
        topic.name,
        partitions,
        compacted=topic.compacted,
        ledger=topic.ledger,
        retention_ms=_limit(settings, "retention_days", settings.retention_ms) if topic.kept else None,
        retention_bytes=_limit(settings, "retention_bytes", settings.retention_bytes) if topic.kept else None,
    )


def _limit(settings: Settings, name: str, limit: int | None) -> int | None:
    """A limit as the log takes it: None leaves what was set before (nobody asked), -1 is no limit (somebody did)."""
    if limit is None and settings.origins.get(name, "default") != "default":
        return _NO_LIMIT
    return limit
