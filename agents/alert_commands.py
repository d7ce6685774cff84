"""What a person does to an alert goes into the log; what became of it is read from there, too."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from agents.alerting import REFUSED
from agents.dead_letters import dead_letter
from agents.meta import meta_of
from agents.told import latest_alerts
from agents.transport.log import Log, Outgoing, partition_for, records
from agents.unit_pool import UNITS_HOME
from schemas.alerts import AlertCommand, AlertReview, AlertRow
from schemas.unreadable import UNREADABLE
from stream.topics import COMMANDS, DEAD_LETTERS

_encoder: Final = msgspec.json.Encoder()
_review: Final = msgspec.json.Decoder(AlertReview)


class Sent(NamedTuple):
    """Where a command is in the log, and where the dead letters of its partition ended before.

    `to_unit`: it is about a unit's own alert, so the units' home answers it.
    """

    partition: int
    offset: int
    letters: int
    to_unit: bool


class Answer(NamedTuple):
    """What became of a command: the alert's latest row, or why it was refused."""

    row: AlertRow | None
    refused: str


def send_command(log: Log, row: AlertRow, command: AlertCommand, at: int) -> Sent:
    """Appends a command about an alert, to the partition of whom the alert is about; durable when it returns."""
    key, to_unit = _key(row), row.employee_id is msgspec.UNSET
    if to_unit:
        command = replace(command, unit=row.unit)
    partition = partition_for(key, log.topics()[COMMANDS].partitions)
    letters = log.end(DEAD_LETTERS, partition)
    (offset,) = log.append([Outgoing(COMMANDS, partition, at, key, _encoder.encode(command))])
    return Sent(partition, offset, letters, to_unit)


def send_review(log: Log, row: AlertRow, review: AlertReview, at: int) -> None:
    """Appends what somebody found of an alert, open or over; durable when it returns."""
    key = _key(row)
    partition = partition_for(key, log.topics()[COMMANDS].partitions)
    log.append([Outgoing(COMMANDS, partition, at, key, _encoder.encode(review))])


def reviews_of(log: Log) -> dict[str, AlertReview]:
    """What was found last of each alert, by id."""
    found: dict[str, AlertReview] = {}
    for number in range(log.topics()[COMMANDS].partitions):
        for record in records(log, COMMANDS, number):
            with suppress(*UNREADABLE):  # another command
                review = _review.decode(record.value or b"")
                found[review.alert_id] = review
    return found


def _key(row: AlertRow) -> bytes:
    return (row.employee_id if isinstance(row.employee_id, str) else row.unit).encode()


def answer_to(log: Log, sent: Sent, alert_id: str) -> Answer | None:
    """What became of a command; None while it is not decided."""
    refused = refusal_of(log, sent)
    if refused is None:
        return None
    return Answer(None, refused) if refused else Answer(latest_alerts(log).get(alert_id), "")


def refusal_of(log: Log, sent: Sent) -> str | None:
    """Why a command was refused; "" where it was obeyed, None while it is not decided."""
    if _decided(log, sent) <= sent.offset:
        return None
    for record in records(log, DEAD_LETTERS, sent.partition, sent.letters):
        letter = dead_letter(record)
        if (letter.topic, letter.offset, letter.reason) == (COMMANDS, sent.offset, REFUSED):
            return letter.detail
    return ""


def _decided(log: Log, sent: Sent) -> int:
    """Up to which offset the commands of its sort are decided in its partition."""
    if sent.to_unit:
        return meta_of(log, UNITS_HOME).handled.obeyed.get(sent.partition, 0)
    return meta_of(log, sent.partition).applied.get(COMMANDS, 0)
