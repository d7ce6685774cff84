"""A chunk is applied once and in order: what the state already covers is skipped, what lies beyond it is refused."""

from __future__ import annotations

from agents.decoded import DecodedChunk
from agents.transport.errors import RecoverableError


class ChunkBeyond(RecoverableError):
    """A chunk begins after the next expected offset: records in between would be lost. The worker starts again."""


def admits(topic: str, chunk: DecodedChunk, expected: int, first_kept: int) -> bool:
    """Whether anything in a chunk is not applied yet; what of it is, each state knows by its own offset.

    `expected` is the state's next offset, `first_kept` the log's first: retention may have taken what is between.
    Raises ChunkBeyond when a chunk begins after both.
    """
    if chunk.first > max(expected, first_kept):
        raise ChunkBeyond(
            f"{topic}: chunk begins at {chunk.first}, expected {expected} (the log begins at {first_kept})"
        )
    return chunk.last >= expected
