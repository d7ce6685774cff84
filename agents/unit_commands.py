"""What people do to units' own alerts lies in any partition: passed on at the tick that follows it, obeyed once.

So it has its place among the minutes that its partition closes, whoever reads it when.
"""

from __future__ import annotations

from typing import Final

import msgspec

from agents.transport.log import Outgoing
from agents.unit_minutes import Ordered
from schemas.alerts import AlertCommand
from schemas.event import Row
from schemas.shares import ORDER_KEY, UnitOrder
from stream.topics import UNIT_SHARES

_decoder: Final = msgspec.json.Decoder(AlertCommand)
_encoder: Final = msgspec.json.Encoder()


def passed_on(partition: int, row: Row, alert_id: str, at: int) -> Outgoing:
    """A command of a partition, for the units' home, by the tick `at` (ms) that follows it."""
    value = _encoder.encode(UnitOrder(at, *row))
    return Outgoing(UNIT_SHARES, partition, at, ORDER_KEY + alert_id.encode("utf-8", "backslashreplace"), value)


def ordered(found: Ordered) -> tuple[Row, AlertCommand]:
    """The record as it lies in `commands`, and the command that it is."""
    order = found.order
    row = Row(order.offset, order.timestamp, order.key, order.value, order.headers)
    return row, _decoder.decode(row.value or b"")
