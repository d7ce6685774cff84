"""What is remembered per partition besides the employees: how far its inputs are applied, and how records ended."""

from __future__ import annotations

from typing import Final

import msgspec

KEY: Final = b"@meta"


class Handled(msgspec.Struct):
    """What is decided about units, in the meta of the units' home: up to `minute` (ms), commands up to `obeyed`.

    `obeyed`: next offset in `commands`, by partition. `quiet`: unit, template and indicator of those that were cleared
    by hand and not over since.
    """

    obeyed: dict[int, int] = {}
    quiet: list[tuple[str, str, str]] = []
    minute: int = -1


class Meta(msgspec.Struct):
    """`applied`: next offset per topic; `outcomes`: records by how they ended (`scored`, `rejected:bad_id`, ...).

    Instants in ms since 1970 UTC, -1 for none: `last` newest occurred_at of a scored event, `measured` the same over
    unused ones too, `now` newest tick, `logged` newest log time applied, `committed_at` wall clock of the commit,
    `shared` the last minute that is closed for units.
    Template versions (`id@version`): `rules` that the states are computed under, `shown` that everybody's last
    score update knows.
    """

    applied: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    last: int = -1
    measured: int = -1
    now: int = -1
    shared: int = -1
    logged: int = -1
    committed_at: int = -1
    topics: dict[str, str] = {}  # the ids of the topics that the offsets are of
    limits: dict[str, int] = {}  # the limits (ms, see stream/pipeline.py) that records were decided by; they stay
    rules: list[str] = []
    shown: list[str] = []
    handled: Handled = msgspec.field(default_factory=Handled)
    format: int = 2  # FORMAT of the states (stream/state.py); what does not say is of the first that had one

    def count(self, outcome: str, number: int) -> None:
        """Adds records that ended so."""
        if number:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + number


def encode_meta(meta: Meta) -> bytes:
    """The durable value."""
    return msgspec.json.encode(meta)


def decode_meta(raw: bytes) -> Meta:
    """The meta in a durable value."""
    return msgspec.json.decode(raw, type=Meta)
