"""A worker's folder remembers which log its state is of, and under which name it is a member of the group.

It lies beside the state and is no part of it: when broker and state are lost together, this still knows that there
was something. An empty broker is refused then; silent zeros are not a score.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from agents.transport.errors import LogError, LogReplaced
from agents.transport.kafka.log import KafkaLog

_NAME: Final = "instance"
_LOG: Final = "log.json"
_VALID: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")


class Remembered(msgspec.Struct, frozen=True):
    """The cluster's id, and the ids of the topics."""

    cluster: str
    topics: dict[str, str]


def instance_of(data: Path) -> str:
    """The worker's name: whoever starts again on the same folder takes the place of the one before at once."""
    path = data / _NAME
    if not path.exists():
        _write(path, f"scorestream-{uuid4().hex[:12]}")
    name = path.read_text("utf-8").strip()
    if not _VALID.fullmatch(name):
        raise LogError(f"{path}: {name!r} is no name of a worker; remove the file, a new name is made")
    return name


def demand_same(data: Path, log: KafkaLog) -> None:
    """LogReplaced when the folder's state is of another log than this one, or of topics that are gone or made anew."""
    path = data / _LOG
    if not path.exists():
        return
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Remembered)
    except msgspec.MsgspecError as error:
        raise LogError(f"{path}: cannot be read ({error}); restore it, or start with another --data") from error
    if known.cluster != log.log_id:
        raise LogReplaced(
            f"{log.name}: this is cluster {log.log_id}, and the state in {data} is of cluster {known.cluster}. "
            "Its log is not here: give the broker its data back, or name the right one. To begin anew, with nothing, "
            "start with another --data"
        )
    demand_topics(known.topics, log.topic_ids(known.topics), f"the state in {data}")


def demand_topics(known: Mapping[str, str], found: Mapping[str, str], whose: str) -> None:
    """LogReplaced when a topic of these ids is not there, or is another one under its name."""
    for topic, known_id in known.items():
        if found.get(topic) != known_id:
            what = "was made anew" if topic in found else "is gone"
            raise LogReplaced(
                f"topic {topic} {what}: {whose} is of the one before, whose records are not there any more. "
                "Give the broker its data back; to begin anew, remove all topics and start with another --data"
            )


def remember(data: Path, log: KafkaLog, topics: Collection[str]) -> None:
    """From here on the folder's state is of this log."""
    found = Remembered(log.log_id, dict(sorted(log.topic_ids(topics).items())))
    path = data / _LOG
    if not path.exists() or msgspec.json.decode(path.read_bytes(), type=Remembered) != found:
        _write(path, msgspec.json.format(msgspec.json.encode(found)).decode())


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and on the disk."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
