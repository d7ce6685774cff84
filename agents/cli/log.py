"""`scorestream log`: a topic as it is, in a form that `send --raw-records` takes back byte for byte."""

from __future__ import annotations

import sys
import time
from typing import Annotated, BinaryIO, Final

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

    Parameters
    ----------
    topic
        name of the topic
    from_
        first offset of each partition (default: the oldest kept)
    follow
        go on with what is appended, until Ctrl-C
    partition
        this partition only
    limit
        stop after this many records
    """
    settings = flags.settings()
    demand_topic(topic)
    with existing_log(settings) as opened:
        if topic in opened.topics():
            positions = dict.fromkeys(_partitions(opened, topic, partition), from_ or 0)
            _print(opened, topic, positions, limit, follow=follow)
    return 0


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
