"""A batch goes into the log as `scorestream send` puts it there, and each of its lines is told what is wrong with it.

Every line that has a place is appended, whatever it holds: a worker rejects it there, with the same reason, and counts
it. So a batch ends in the same rows, counters and dead letters whichever way it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from typing import Any, Final, Literal, NamedTuple

import msgspec

from agents.cli.lines import Block
from agents.cli.routing import Router
from agents.transport.log import Outgoing
from schemas.chunk import valid_ids
from schemas.event import ID, Rejection, Row, decode_one, parse_object
from schemas.memo import Memo
from schemas.unreadable import UNREADABLE
from stream.topics import INPUTS

FORBIDDEN: Final = "forbidden"
_TEXT: Final = 300  # characters of a detail: a value in it may be as long as an event


class LineAnswer(msgspec.Struct, frozen=True, gc=False):
    """What became of a line. `line`: its number in the batch, from 1. `in_log`: whether it was appended.

    `accepted`: a valid event, on disk. `refused`: for this `reason` of the contract; where it is in the log all the
    same, it becomes a dead letter with that reason. `forbidden`: the sender may not send it, and it stays out.
    """

    line: int
    status: Literal["accepted", "refused"]
    in_log: bool
    event_id: str | None
    reason: str | None = None
    detail: str | None = None


class Judged(NamedTuple):
    """The records that a batch puts into the log, and the answer to each of its lines that is not blank."""

    records: list[Outgoing]
    answers: list[LineAnswer]


May = Callable[[Sequence[Outgoing]], Mapping[int, str]]
"""Which of a batch's records the sender may not send, by their place in it, with the field, its value and why."""


def anything(_: Sequence[Outgoing]) -> Mapping[int, str]:
    """A sender whom nothing is forbidden."""
    return {}


class _Id(msgspec.Struct, gc=False):
    event_id: Any = None


_id: Final = msgspec.json.Decoder(_Id).decode


class Judge:
    """Places and judges batches, one at a time: it remembers what they repeat."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._memos = {topic: Memo(topic, _its_own) for topic in INPUTS}

    def judge(self, blocks: Iterable[Block], at: int, may: May = anything) -> Judged:
        """A batch's records with log time `at` (ms) that the sender may send, and what each line is told."""
        left_out: dict[int, tuple[bytes, str]] = {}

        def note(number: int, line: bytes, reason: str) -> None:
            left_out[number] = (line, reason)

        router = Router(None, self._partitions, note)
        records: list[Outgoing] = []
        numbers: list[int] = []
        for block in blocks:
            records += router.route(block, repeat(at))
            numbers += [
                number
                for line, number in zip(block.lines, block.numbers, strict=True)
                if number not in left_out and line.strip()
            ]
        answers = {number: _placeless(number, line, at, said) for number, (line, said) in left_out.items()}
        if forbidden := may(records):
            for place, why in forbidden.items():
                line = records[place].value or b""
                answers[numbers[place]] = _refused(numbers[place], line, Rejection(FORBIDDEN, why), in_log=False)
            allowed = [place not in forbidden for place in range(len(records))]
            records, numbers = list(compress(records, allowed)), list(compress(numbers, allowed))
        for answer in self._judged(records, numbers):
            answers[answer.line] = answer
        return Judged(records, [answers[number] for number in sorted(answers)])

    def _judged(self, records: list[Outgoing], numbers: list[int]) -> Iterator[LineAnswer]:
        """As a worker will decode each record in its partition."""
        rows: dict[str, list[Row]] = {}
        for record, number in zip(records, numbers, strict=True):
            topic, _, at, key, value, _ = record
            rows.setdefault(topic, []).append(Row(number, at, key, value, None))
        for topic, some in rows.items():
            valid, refused = valid_ids(some, self._memos[topic])
            for number, event_id in valid:
                yield LineAnswer(number, "accepted", True, event_id)
            for row, rejection in refused:
                yield _refused(row.offset, row.value or b"", rejection, in_log=True)


def _its_own(_: bytes) -> bool:
    """A record stands in the partition of its key: it was placed there."""
    return True


def _placeless(number: int, line: bytes, at: int, said: str) -> LineAnswer:
    """The answer to a line that no topic takes: the first reason that holds against it anywhere."""
    parsed = parse_object(line)
    who = parsed.get("employee_id") if isinstance(parsed, dict) else None
    key = who.encode("utf-8", "replace") if isinstance(who, str) else None
    found = decode_one(line, key, "", at, _its_own)
    # What only the router's reader refuses is no JSON by its own account.
    rejection = found if isinstance(found, Rejection) else Rejection("not_json", said)
    return _refused(number, line, rejection, in_log=False)


def _refused(number: int, line: bytes, rejection: Rejection, *, in_log: bool) -> LineAnswer:
    detail = rejection.detail[:_TEXT].encode("utf-8", "replace").decode()
    return LineAnswer(number, "refused", in_log, _event_id(line), rejection.reason, detail)


def _event_id(line: bytes) -> str | None:
    """The id that a refused line gives itself; None where that is none."""
    try:
        found = _id(line).event_id
    except UNREADABLE:
        return None
    return found if isinstance(found, str) and ID.fullmatch(found) else None


Clock = Callable[[], int]
"""Milliseconds since 1970 UTC."""
