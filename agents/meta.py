"""What the last commit of each partition says of itself, read from the changelog."""

from __future__ import annotations

from agents.transport.log import Log
from stream.meta import KEY, Meta, decode_meta
from stream.topics import CHANGELOG

_TAIL = 64


def read_meta(log: Log) -> list[Meta]:
    """The meta of every partition as of its last commit; an empty one where nothing was committed yet."""
    info = log.topics().get(CHANGELOG)
    return [] if info is None else [meta_of(log, number) for number in range(info.partitions)]


def meta_of(log: Log, number: int) -> Meta:
    """The meta of one partition. The last record of a commit is its meta: looked for from the end backwards, wider each
    time.
    """
    end, back = log.end(CHANGELOG, number), _TAIL
    begin = log.start(CHANGELOG, number)
    while True:
        low = max(begin, end - back)
        found = None
        offset = low
        while rows := log.read(CHANGELOG, number, offset, 10_000):
            offset = rows[-1][0] + 1
            found = next((row[3] for row in reversed(rows) if row[2] == KEY), found)
        if found is not None:
            return decode_meta(found)
        if low == begin:
            return Meta()
        back *= 16
