"""The alerts that the log holds beside those that the oracle finds in its inputs, as of a commit.

What is decided and not committed yet is left out on both sides: a unit decides minutes after its members have closed
them, and what it says to a member is heard at a later tick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict

from agents.oracle.compare import Difference, alert_differences, fold_differences
from agents.oracle.recompute import Recomputed
from agents.oracle.units import Decided
from agents.transport.log import Log, records
from agents.unit_pool import UNITS_HOME
from schemas.alerts import WITHDRAWN, AlertRow
from schemas.unreadable import UNREADABLE
from stream.meta import Meta
from stream.topics import COMMANDS
from stream.unit_rules import UNIT


class _Word(msgspec.Struct, frozen=True):
    """What of a command tells whether a unit has said it."""

    command: str
    by: str = ""


_word: Final = msgspec.json.Decoder(_Word)


def decided(log: Log, metas: Sequence[Meta]) -> Decided:
    """How far units have come, as of these metas; `log` tells what members have not heard of it yet."""
    handled = metas[UNITS_HOME].handled
    heard = {number: _heard(log, number, meta, handled.minute) for number, meta in enumerate(metas)}
    return Decided(handled.minute, dict(handled.obeyed), heard)


def _heard(log: Log, number: int, meta: Meta, until: int) -> int:
    """The last minute (ms) of which members have heard all: that before the first word that waits for a tick."""
    for record in records(log, COMMANDS, number, meta.applied.get(COMMANDS, 0)):
        with suppress(*UNREADABLE):  # somebody else's, or none
            word = _word.decode(record.value or b"")
            if word.command == "unit-verdict" or word.by == UNIT:
                until = min(until, record.timestamp - 1)
    return until


def compared(
    oracle: Recomputed, units: Decided, rows: Iterable[AlertRow], moving: Collection[str] = ()
) -> Iterator[Difference]:
    """Where alerts differ, by their last rows; those that are `moving` (ids), and what was withdrawn, left out."""
    said = oracle.unit_alerts(units)
    given = [{**asdict(row), "employee_id": _whose(row)} for row in rows if row.reason != WITHDRAWN]
    expected = [alert for alert in (*oracle.alerts(), *said.alerts) if alert.alert_id not in moving]
    yield from alert_differences(expected, given)
    yield from fold_differences(said, given)


def _whose(row: AlertRow) -> str:
    return "" if row.employee_id is UNSET else str(row.employee_id)
