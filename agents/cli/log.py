"""`scorestream log`: a topic as it is, in a form that `send --raw-records` takes back byte for byte."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from agents.cli.errors import UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.opening import demand_topic, existing_log
from agents.cli.raw_records import to_line
from agents.cli.reading import present
from agents.transport.log import Log

_POLL_S: Final = 0.1

Natural = Annotated[int | None, Parameter(validator=Number(gte=0))]
Positions = dict[int, int]
"""Next offset to print, by partition."""


def log(
    topic: str,
    /,
    *,
    from_: Annotated[Natural, Parameter(name="--from")] = None,
    after: Path | None = None,
    follow: Switch = False,
    partition: Natural = None,
    limit: Natural = None,
    flags: Flags = NO_FLAGS,
) -> int:
    """Print a topic's records as NDJSON, one object per record.

    {"key", "timestamp" (ms), "value", "headers", "partition", "offset"}; bytes that
    are no UTF-8 text stand under key_base64 and value_base64. Partitions are merged
    by timestamp; within a partition the order is that of the log.

    For example

        scorestream log qc-events --limit 10
        scorestream log dead-letters --follow
        scorestream log qc-events > qc.log
        scorestream send qc.log --raw-records --topic qc-events --data ./copy
        scorestream log qc-events --after qc.log > since.log

    Parameters
    ----------
    topic
        name of the topic
    from_
        first offset of each partition (default: the oldest kept)
    after
        only what follows a file that this command has written before, in each
        partition: to move what came since
    follow
        go on with what is appended, until Ctrl-C
    partition
        this partition only
    limit
        stop after this many records
    """
    settings = flags.settings()
    demand_topic(topic)
    if after is not None and from_ is not None:
        raise UsageError(f"--from {from_}: --after {after} says where to begin; leave one of them out")
    behind = {} if after is None else _behind(after)
    with existing_log(settings) as opened:
        if topic in opened.topics():
            numbers = _partitions(opened, topic, partition)
            positions = {number: behind.get(number, from_ or 0) for number in numbers}
            _print(opened, topic, positions, limit, follow=follow)
    return 0


class _Place(msgspec.Struct):
    partition: int
    offset: int


def _behind(file: Path) -> Positions:
    """The offset behind the last record of each partition that a file of records holds."""
    decode, found = msgspec.json.Decoder(_Place).decode, Positions()
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    place = decode(line)
                except msgspec.MsgspecError as error:
                    text = f"--after {file}: line {number} is no record with its place: {error}"
                    raise UsageError(f"{text}; give what `scorestream log` has printed") from error
                found[place.partition] = max(found.get(place.partition, 0), place.offset + 1)
    except OSError as error:
        raise UsageError(f"--after {file}: {error.strerror}") from error
    return found


def _partitions(opened: Log, topic: str, partition: int | None) -> range:
    count = opened.topics()[topic].partitions
    if partition is None:
        return range(count)
    if partition >= count:
        raise UsageError(f"--partition {partition}: topic {topic} has partitions 0 to {count - 1}")
    return range(partition, partition + 1)


def _print(opened: Log, topic: str, positions: Positions, limit: int | None, *, follow: bool) -> None:
    out = sys.stdout.buffer
    while True:
        version = opened.version()
        limit = _print_present(opened, topic, positions, limit, out)
        out.flush()
        if not follow or limit == 0:
            return
        while opened.version() == version:
            time.sleep(_POLL_S)


def _print_present(opened: Log, topic: str, positions: Positions, limit: int | None, out: BinaryIO) -> int | None:
    """Print what is there now and move the positions on; what is left of the limit."""
    for partition, record in present(opened, topic, positions):
        if limit is not None:
            if limit == 0:
                return 0
            limit -= 1
        out.write(to_line(record, partition) + b"\n")
        positions[partition] = record[0] + 1
    return limit
