"""A tick as a record: so late it is, and so far the inputs are applied when it counts."""

from __future__ import annotations

import msgspec

from schemas.event import Row


class Tick(msgspec.Struct, frozen=True):
    """A record of topic ticks: it is `at` (ms), and every input is applied up to `follows`."""

    at: int
    follows: dict[str, int]


def tick_of(row: Row) -> Tick | None:
    """The tick in a record; None where it is none: nobody but a worker writes ticks, a stranger's moves nothing."""
    try:
        return msgspec.json.decode(row[3] or b"", type=Tick)
    except msgspec.MsgspecError:
        return None
