"""What a log's records weigh, read from the log itself: bytes per event, state, sealed identities, update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from agents.rules import rulebook
from agents.transport.log import Log
from stream.keys import EMPLOYEE, IDENTITIES
from stream.person import Person
from stream.state import decode_state, encode_state
from stream.topics import BUSINESS_EVENTS, CHANGELOG, QC_EVENTS, SCORE_UPDATES, TICKS, UNIT_UPDATES
from stream.update import score_update
from tests.bench.site import Ground, Site

_AT_ONCE: Final = 20_000
_UPDATES: Final = 1_000  # states of which the update is made
_TOPICS: Final = (QC_EVENTS, BUSINESS_EVENTS, CHANGELOG, SCORE_UPDATES, UNIT_UPDATES, TICKS)


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of keys and values, on average; `tail`: identities that are still in the state."""

    events: int
    event: float
    state: float  # as it lies in the changelog
    bare: float  # without identities
    panes: float  # in use per state
    identity: float  # per event: tail and sealed blocks
    update: float  # with all windows that its events reach

    def told(self) -> str:
        """One line."""
        return (
            f"bytes of key and value: an event {self.event:,.0f}, a state {self.state:,.0f} (without identities "
            f"{self.bare:,.0f}, {self.panes:.0f} panes), identities {self.identity:.1f} per event, a score update "
            f"{self.update:,.0f}"
        )


def weigh(log: Log) -> Weights:
    """Averages over one partition: of events over all of them, else over the newest record of each key."""
    newest, rules, encode = dict(_records(log, CHANGELOG)), rulebook(log), msgspec.json.encode
    states = {key: value for key, value in newest.items() if key[:1] == EMPLOYEE}
    bare = tail = panes = 0
    for raw in states.values():
        state = decode_state(raw)
        panes += sum(len(cells) for segment in state.segments for group in segment.groups for cells in group.panes)
        state.lanes = [None] * len(state.lanes)
        size = len(encode_state(state, 0))
        bare, tail = bare + size, tail + len(raw) - size
    sealed = sum(len(key) + len(value) for key, value in newest.items() if key[:1] == IDENTITIES)
    people = [Person(key[1:].decode(), decode_state(raw), rules) for key, raw in islice(states.items(), _UPDATES)]
    updates = {person.id: score_update(person, person.state.newest) for person in people}
    sizes = [len(key) + len(value) for topic in (QC_EVENTS, BUSINESS_EVENTS) for key, value in _records(log, topic)]
    return Weights(
        events=len(sizes),
        event=sum(sizes) / max(1, len(sizes)),
        state=_average(states),
        bare=bare / max(1, len(states)),
        panes=panes / max(1, len(states)),
        identity=(tail + sealed) / max(1, len(sizes)),
        update=_average({name.encode(): encode(update) for name, update in updates.items()}),
    )


def on_disk(ground: Ground, site: Site) -> str:
    """What the topics (of an embedded log: its files) take on disk per event sent, whatever compaction has done."""
    if site.kind == "embedded":
        sizes = Counter({path.name: path.stat().st_size for path in (site.folder / "log").glob("*.sqlite*")})
    else:
        sizes = _topics(ground.data)
    bounds = site.log.bounds()
    events = sum(end - start for (topic, _), (start, end) in bounds.items() if topic in (QC_EVENTS, BUSINESS_EVENTS))
    parts = ", ".join(f"{name} {size / max(1, events):,.0f}" for name, size in sorted(sizes.items()) if size)
    return f"bytes on disk per event: {parts}"


def _topics(folder: Path) -> Counter[str]:
    """Bytes of the segments of each of our topics that is not deleted."""
    found: Counter[str] = Counter()
    for path in folder.glob("*/*.log"):
        topic = path.parent.name.rpartition("-")[0]
        if topic in _TOPICS:
            found[topic] += path.stat().st_size
    return found


def _records(log: Log, topic: str) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    while rows := log.read(topic, 0, offset, _AT_ONCE):
        offset = rows[-1][0] + 1
        yield from ((key, value) for _, _, key, value, _ in rows if key is not None and value is not None)


def _average(records: dict[bytes, bytes]) -> float:
    return sum(len(key) + len(value) for key, value in records.items()) / max(1, len(records))
