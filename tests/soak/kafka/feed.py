"""A sender that remembers what it was told: each record that was acknowledged, and where it is said to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.transport.log import Outgoing, Record
from agents.transport.log import TopicPartition as Where
from agents.transport.murmur2 import partition_for
from tests.e2e.kafka_workers import Feed
from tests.soak.evidence import Place
from tests.soak.workload import EMPLOYEES, PARTITIONS

HOT: Final = EMPLOYEES[0]


@dataclass
class Witness(Feed):
    """A feed whose every record is looked for in the end. While it is `hot`, half of all events are one employee's."""

    hot: bool = False
    known: dict[Place, Outgoing] = field(default_factory=dict)
    attempts: set[Outgoing] = field(default_factory=set)
    ends: dict[Where, int] = field(default_factory=dict)  # per topic and partition, behind what was acknowledged

    def tried(self, batch: list[Outgoing]) -> list[Outgoing]:
        """The batch, or half of it under another's name."""
        sent = [_hot(record) if self.hot and number % 2 else record for number, record in enumerate(batch)]
        self.attempts.update(sent)
        return sent

    def acknowledged(self, batch: list[Outgoing], offsets: list[int]) -> None:
        """Remembers what has to be there now."""
        for record, offset in zip(batch, offsets, strict=True):
            place = record.topic, record.partition
            self.known[*place, offset] = record
            self.ends[place] = max(offset + 1, self.ends.get(place, 0))


def _hot(record: Outgoing) -> Outgoing:
    """The same event of the one employee, or the record as it is when it has no employee."""
    key = record.key
    if key is None or not record.value or key not in record.value:
        return record
    hot = HOT.encode()
    return record._replace(partition=partition_for(hot, PARTITIONS), key=hot, value=record.value.replace(key, hot))


def witnessed(records: Mapping[Place, Record], feeds: Iterable[Witness]) -> Iterator[object]:
    """Whatever was acknowledged is where it was said to be, byte for byte; what was never sent is not there."""
    attempts: set[Outgoing] = set()
    for feed in feeds:
        attempts |= feed.attempts
        for place, sent in feed.known.items():
            found = records.get(place)
            if found is None:
                yield f"{place}: acknowledged and not in the log"
            elif found[1:4] != sent[2:5]:
                yield f"{place}: not what was sent"
    for place, (_, timestamp, key, value, _) in records.items():
        if Outgoing(*place[:2], timestamp, key, value) not in attempts and not (value or b"").startswith(_FIRST):
            yield f"{place}: in the log and never sent"


_FIRST: Final = b'{"event_id": "first-'
