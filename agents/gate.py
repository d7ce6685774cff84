"""A chunk is applied once and in order: what the state already covers is skipped, what lies beyond it is refused."""

from __future__ import annotations

from collections.abc import Sequence

from agents.transport.errors import RecoverableError
from schemas.event import Row


class ChunkBeyond(RecoverableError):
    """A chunk begins after the next expected offset: records in between would be lost. The worker starts again."""


def admit(topic: str, rows: Sequence[Row], expected: int, first_kept: int) -> Sequence[Row]:
    """The records of a chunk that are not applied yet.

    `expected` is the state's next offset, `first_kept` the log's first: retention may have taken what is between.
    Raises ChunkBeyond when a chunk begins after both.
    """
    first = rows[0][0]
    if first > max(expected, first_kept):
        raise ChunkBeyond(f"{topic}: chunk begins at {first}, expected {expected} (the log begins at {first_kept})")
    if first >= expected:
        return rows
    return [row for row in rows if row[0] >= expected]
