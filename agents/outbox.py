"""What has to leave with the next commit: outputs wait here until the transaction that also holds their cause."""

from __future__ import annotations

import msgspec

from agents.transport.log import Outgoing, pack_headers
from schemas.event import Rejection, Row
from schemas.updates import ScoreUpdate
from stream.topics import DEAD_LETTERS, LATE_EVENTS, SCORE_UPDATES

_encoder = msgspec.json.Encoder()


def dead_letter(topic: str, partition: int, row: Row, refused: Rejection) -> Outgoing:
    """A refused record with its original bytes, where it came from and why it is here."""
    headers = {"reason": refused.reason, "detail": refused.detail, **_origin(topic, partition, row)}
    return _passed_on(DEAD_LETTERS, partition, row, headers)


def late_event(topic: str, partition: int, row: Row) -> Outgoing:
    """A record that came too late, as it was."""
    return _passed_on(LATE_EVENTS, partition, row, {"reason": "late", **_origin(topic, partition, row)})


def score_update(partition: int, timestamp: int, update: ScoreUpdate) -> Outgoing:
    """The latest values of an employee."""
    return Outgoing(SCORE_UPDATES, partition, timestamp, update.employee_id.encode(), _encoder.encode(update))


def _origin(topic: str, partition: int, row: Row) -> dict[str, str]:
    return {"topic": topic, "partition": str(partition), "offset": str(row[0]), "timestamp": str(row[1])}


def _passed_on(to: str, partition: int, row: Row, headers: dict[str, str]) -> Outgoing:
    packed = pack_headers([(name, text.encode("utf-8", "backslashreplace")) for name, text in headers.items()])
    return Outgoing(to, partition, row[1], row[2], row[3], packed)
