"""Local state is a copy of the changelog: key by key, once no worker is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agents.store import Position, Store
from stream.keys import ALERTED, EMPLOYEE, HOLDING, IDENTITIES, REVIEWED, STIRRED, TOLD
from stream.meta import KEY
from stream.topics import CHANGELOG
from tests.soak.evidence import Evidence, whole

_PREFIXES = (ALERTED, EMPLOYEE, HOLDING, IDENTITIES, REVIEWED, STIRRED, TOLD, KEY)


def stores(evidence: Evidence, state: Path) -> Iterator[object]:
    """Every partition's."""
    for number in range(evidence.partitions):
        expected = {record[2]: record[3] for record in whole(evidence.log, CHANGELOG, number) if record[2] is not None}
        store = Store(state / str(number))
        try:
            given = {key: value for prefix in _PREFIXES for key, value in store.items(prefix)}
            position = store.position()
        finally:
            store.close()
        end = Position(evidence.log.log_id, evidence.log.end(CHANGELOG, number))
        if position != end:
            yield f"partition {number}: at {position}, the changelog ends at {end}"
        for key in sorted(expected.keys() | given.keys()):
            if expected.get(key) != given.get(key):
                yield f"partition {number}: {key!r} is not what the changelog says"
