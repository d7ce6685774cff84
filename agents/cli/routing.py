"""A line goes into the log as it is; only where to is read from it: topic from the type, key from the employee.

What is wrong with an event is the worker's to say (a dead letter with its reason). Only a line that names no place at
all stays out: it is reported and counted, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec

from agents.cli.lines import Block
from agents.cli.progress import say
from agents.cli.table import visible
from agents.transport.log import Outgoing, partition_for
from schemas.instants import FIRST, LAST, parse_rfc3339
from stream.topics import INPUTS, topic_of

REPORTED: Final = 100  # problems shown one by one
_TEXT: Final = 160  # characters of a line that are shown


class _Address(msgspec.Struct, gc=False):
    employee_id: str
    type: str


class _AnyAddress(msgspec.Struct, gc=False):
    employee_id: Any = None
    type: Any = None


class _Time(msgspec.Struct, gc=False):
    occurred_at: int | str


_ERRORS: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
_SECONDS: Final = {f"{second:02d}": 1000 * second for second in range(60)}
_address: Final = msgspec.json.Decoder(_Address).decode
_any_address: Final = msgspec.json.Decoder(_AnyAddress).decode
_time: Final = msgspec.json.Decoder(_Time).decode


class Problems:
    """Lines that stay out: said on stderr with number and text, and counted."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, number: int, line: bytes, reason: str) -> None:
        """Report one line."""
        self.count += 1
        if self.count <= REPORTED:
            text = visible(line[: 4 * _TEXT].decode("utf-8", "replace"))
            say(f"line {number}: {reason}: {text[:_TEXT]}{'…' if len(text) > _TEXT else ''}")
        elif self.count == REPORTED + 1:
            say("… further lines with problems are only counted")


class Misplaced:
    """Records that go, as they say, where the worker will reject them: counted, and told once."""

    def __init__(self, partitions: int) -> None:
        self.count = 0
        self._partitions = partitions
        self._first = ""

    def see(self, number: int, record: Outgoing) -> None:
        """Looks at the record of a line: an event belongs in the partition of its key."""
        if record.topic not in INPUTS or record.key is None:
            return
        right = partition_for(record.key, self._partitions)
        if record.partition == right:
            return
        self.count += 1
        if self.count == 1:
            key = visible(record.key[:64].decode("utf-8", "replace"))
            self._first = f"line {number}, key {key!r} in {record.topic}/{record.partition}, which belongs in {right}"

    def tell(self) -> None:
        """Says how many there were and which was the first; nothing when there was none."""
        if self.count:
            say(
                f"warning: {self.count:,} records are in a partition that is not their key's and will be rejected as "
                f"key_mismatch; the first: {self._first}. Without `partition` a record goes where its key belongs"
            )


class Router:
    """Gives each line its topic, partition and key. `topic`: for every line, whatever its type; None: by the type.

    `left_out` is told of each line without a place: its number, the line, why.
    """

    def __init__(self, topic: str | None, partitions: int, left_out: Callable[[int, bytes, str], None]) -> None:
        self._topic = topic
        self._partitions = partitions
        self._left_out = left_out

    def route(self, block: Block, times: Iterable[int]) -> list[Outgoing]:
        """The records of a block's lines with their log times (ms); lines without a place are reported."""
        routed: list[Outgoing] = []
        append = routed.append
        topic, partitions = self._topic, self._partitions
        for line, number, at in zip(block.lines, block.numbers, times, strict=False):
            try:
                address = _address(line)
                key = address.employee_id.encode()
            except _ERRORS:
                if (odd := self._odd(line, number, at)) is not None:
                    append(odd)
                continue
            where = topic or topic_of(address.type)
            if where is None:
                self._left_out(number, line, _no_topic(address.type))
                continue
            append(Outgoing(where, partition_for(key, partitions), at, key, line))
        return routed

    def _odd(self, line: bytes, number: int, at: int) -> Outgoing | None:
        """The record of a line that is not an object with a text employee_id and type; None when it stays out."""
        if not line.strip():
            return None
        key, reason = _key_or_reason(line)
        if self._topic is None:
            self._left_out(number, line, reason)
            return None
        # Without a key any partition will do: it becomes a dead letter there.
        partition = partition_for(key, self._partitions) if key is not None else number % self._partitions
        return Outgoing(self._topic, partition, at, key, line)


def _key_or_reason(line: bytes) -> tuple[bytes | None, str]:
    """The key when there is one; and why the line has no place without a given topic."""
    try:
        address = _any_address(line)
    except msgspec.ValidationError:
        return None, "not a JSON object"
    except _ERRORS as error:
        return None, f"not JSON ({error})"
    if not isinstance(address.employee_id, str):
        return None, "no employee_id"
    try:
        key = address.employee_id.encode()
    except UnicodeError as error:
        return None, f"not JSON ({error})"
    return key, _no_topic(address.type)


def _no_topic(kind: object) -> str:
    named = "no type" if kind is None else f"no topic for the type {kind!r}"
    return f"{named} (business.*, qc.*, people.* have one; --topic gives it)"


def event_time(line: bytes) -> int | None:
    """The line's occurred_at in ms since 1970 UTC; None when it has none that can be read."""
    try:
        at = _time(line).occurred_at
    except _ERRORS:
        return None
    moment = _instant(at) if isinstance(at, str) else at
    return moment if moment is not None and FIRST <= moment <= LAST else None


def _instant(text: str) -> int | None:
    """As parse_rfc3339, with each minute parsed once."""
    second = _SECONDS.get(text[17:19])
    if second is None:
        return parse_rfc3339(text)
    minute = _minute(f"{text[:17]}00{text[19:]}")
    return None if minute is None else minute + second


@lru_cache(maxsize=1 << 16)
def _minute(text: str) -> int | None:
    return parse_rfc3339(text)


def topic_of_value(value: bytes | None) -> str | None:
    """The topic that the type of an event names; None when there is no such event in `value`."""
    try:
        kind = None if value is None else _any_address(value).type
    except _ERRORS:
        return None
    return topic_of(kind) if isinstance(kind, str) else None
