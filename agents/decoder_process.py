"""The process that reads and decodes a worker's backlog, a chunk a question.

It ends with the worker, or when nobody has asked, or taken an answer, for a while.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final, cast

import msgspec

from agents.decoded import decode_pieces, memo_of, pack_chunk
from agents.transport.errors import LogError, RecoverableError
from agents.transport.hooks import Wanted
from agents.transport.log import Log, TopicPartition
from agents.transport.opening import opened
from agents.tuning import tune_collector
from schemas.event import INPUT_TOPICS, Row
from schemas.memo import Memo

PIECE: Final = 4_000  # records read at once
NICE: Final = 5  # the worker's loop is served first


def _pieces(log: Log, asked: Wanted) -> Iterator[list[Row]]:
    """The records asked for, a piece at a time; about as many bytes as asked for."""
    start, left, room = asked.start, asked.records, asked.size
    while left > 0 and room > 0:
        rows = cast("list[Row]", log.read(asked.topic, asked.partition, start, min(left, PIECE), room))
        if not rows:
            return
        yield rows
        start, left = rows[-1][0] + 1, left - len(rows)
        room -= sum(len(row[3] or b"") for row in rows)


def serve(connection: Connection) -> None:
    """Is told which log, says that it reads it, and answers until nobody asks any more.

    No bytes: nothing there, or nothing that could be read.
    """
    memos: dict[TopicPartition, Memo] = {}
    broker, access = connection.recv()
    with opened(broker, INPUT_TOPICS, create=False, access=access) as log:
        partitions = log.topics()[INPUT_TOPICS[0]].partitions
        connection.send_bytes(b"")
        while True:
            asked = msgspec.msgpack.decode(connection.recv_bytes(), type=Wanted)
            place = (asked.topic, asked.partition)
            memo = memos.get(place) or memos.setdefault(place, memo_of(*place, partitions))
            chunk = decode_pieces(_pieces(log, asked), memo)
            connection.send_bytes(pack_chunk(chunk) if chunk else b"")


def main(descriptor: int) -> None:
    """Serves one worker, which stops it by letting go of the connection: signals for the group are not for it.

    It ends by itself where the connection allows no longer wait: without a question, or with an answer not taken.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_collector()
    os.nice(NICE)
    ends = contextlib.suppress(EOFError, OSError, LogError, RecoverableError)
    with Connection(descriptor) as connection, ends:
        serve(connection)


if __name__ == "__main__":
    main(int(sys.argv[1]))
