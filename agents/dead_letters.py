"""A dead letter is the rejected record as it was; retrying it appends those bytes again where they came from.

Its id is the place of the rejected record: `topic/partition/offset`. Every retry leaves a record in `commands`: who,
when, what; so that a second "retry all" does not send the same again.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from agents.transport.log import Log, Outgoing, Record, partition_for, unpack_headers
from stream.topics import COMMANDS

RETRY: Final = "retry-dead-letter"
_LOCK: Final = "retrying"


class DeadLetter(NamedTuple):
    """A rejected record: why, where it was, and what it held. `timestamp`: its log time in ms."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None

    @property
    def id(self) -> str:
        """The place of the rejected record."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Retry(msgspec.Struct, frozen=True, tag_field="command", tag=RETRY):
    """A command record: `by` sent the dead letter with this id again, at `at` (ms)."""

    dead_letter: str
    at: int
    by: str


_command: Final = msgspec.json.Decoder(Retry).decode


def dead_letter(record: Record) -> DeadLetter:
    """The dead letter in a record of topic dead-letters."""
    _, timestamp, key, value, packed = record
    headers = {name: (text or b"").decode("utf-8", "replace") for name, text in unpack_headers(packed)}
    return DeadLetter(
        headers["reason"],
        headers.get("detail", ""),
        headers["topic"],
        int(headers["partition"]),
        int(headers["offset"]),
        int(headers.get("timestamp", timestamp)),
        key,
        value,
    )


def retried(records: Iterable[Record]) -> dict[str, int]:
    """When each dead letter was last retried (ms), by id, from the records of topic commands."""
    found: dict[str, int] = {}
    for record in records:
        try:
            command = _command(record[3] or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # another command
        found[command.dead_letter] = max(command.at, found.get(command.dead_letter, 0))
    return found


def retry(log: Log, letters: Sequence[DeadLetter], now: int, by: str) -> None:
    """Append the letters' records again, with original key, timestamp and place, and say so in `commands`.

    One transaction: a record is sent again if and only if its retry is noted.
    """
    partitions = log.topics()[COMMANDS].partitions
    with log.alone(_LOCK) as append:
        append([record for letter in letters for record in _again(letter, partitions, now, by)])


def _again(letter: DeadLetter, partitions: int, now: int, by: str) -> Iterator[Outgoing]:
    yield Outgoing(letter.topic, letter.partition, letter.timestamp, letter.key, letter.value)
    key = letter.id.encode() if letter.key is None else letter.key
    yield Outgoing(COMMANDS, partition_for(key, partitions), now, key, msgspec.json.encode(Retry(letter.id, now, by)))


def this_user() -> str:
    """The account that runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
