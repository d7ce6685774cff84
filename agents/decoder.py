"""A process beside the worker that reads and decodes its backlog, so that the worker's own loop only scores.

It decides nothing and keeps nothing: whatever happens to it, the worker reads and decodes the same by itself. It is
started when there is a backlog, ends when nobody has asked for a while, and with the worker.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Final, cast

import msgspec

from agents.decoded import DecodedChunk, decode_pieces, memo_of, pack_chunk, unpack_chunk
from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import Log
from agents.transport.opening import opened
from agents.tuning import tune_collector
from schemas.event import INPUT_TOPICS, Row
from schemas.memo import Memo

logger: Final = logging.getLogger(__name__)
PIECE: Final = 1_000  # records read at once: they are decoded while they are in the processor's cache
IDLE: Final = 60.0  # s without a question, then it ends
PATIENCE: Final = 30.0  # s for an answer
PAUSE: Final = 10.0  # s before another one is started after one failed


class Question(msgspec.Struct, array_like=True):
    """Records of a partition from `start` on: at most `limit`, and not much more than `size` bytes."""

    topic: str
    partition: int
    start: int
    limit: int
    size: int


class Decoder:
    """The worker's end. It is asked for chunks of `worth` records or more, by one thread at a time."""

    def __init__(self, broker: str, worth: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._worth = worth
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._not_before = 0.0

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process, None while there is none."""
        return self._process

    @property
    def pid(self) -> int | None:
        """Its number."""
        return None if self._process is None else self._process.pid

    def read(self, topic: str, partition: int, start: int, end: int, limit: int, size: int) -> DecodedChunk | None:
        """Decoded records from `start` on of a partition that ends at `end`; None: better read them yourself."""
        if topic not in INPUT_TOPICS or end - start < self._worth or self._clock() < self._not_before:
            return None
        try:
            connection = self._connection or self._start()
            connection.send_bytes(msgspec.msgpack.encode(Question(topic, partition, start, limit, size)))
            if not connection.poll(PATIENCE):
                raise TimeoutError(f"no answer within {PATIENCE:g} s")
            answer = connection.recv_bytes()
        except (OSError, EOFError) as error:
            logger.warning("the process that decodes is gone (%s): the worker decodes by itself", error or "no answer")
            self.close()
            self._not_before = self._clock() + PAUSE
            return None
        return unpack_chunk(answer) if answer else None

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "agents.decoder", self._broker, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)
        self._connection = Connection(ours.detach())
        return self._connection

    def close(self) -> None:
        """Ends the process; the next `read` would start another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            try:
                self._process.wait(1.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def serve(broker: str, connection: Connection) -> None:
    """The process's end: answers until nobody asks any more. No bytes: nothing there, or nothing that could be read."""
    memos: dict[tuple[str, int], Memo] = {}
    with opened(broker, INPUT_TOPICS, create=False) as log:
        partitions = log.topics()[INPUT_TOPICS[0]].partitions
        while connection.poll(IDLE):
            asked = msgspec.msgpack.decode(connection.recv_bytes(), type=Question)
            place = (asked.topic, asked.partition)
            memo = memos.get(place) or memos.setdefault(place, memo_of(*place, partitions))
            chunk = decode_pieces(_pieces(log, asked), memo)
            connection.send_bytes(pack_chunk(chunk) if chunk else b"")


def _pieces(log: Log, asked: Question) -> Iterator[list[Row]]:
    """The records asked for, a piece at a time; about as many bytes as asked for."""
    start, left, room = asked.start, asked.limit, asked.size
    while left > 0 and room > 0:
        rows = cast("list[Row]", log.read(asked.topic, asked.partition, start, min(left, PIECE), room))
        if not rows:
            return
        yield rows
        start, left = rows[-1][0] + 1, left - len(rows)
        room -= sum(len(row[3] or b"") for row in rows)


def main(broker: str, descriptor: int) -> None:
    """Serves one worker, which stops it by letting go of the connection: signals for the group are not for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_collector()
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError, LogError, RecoverableError):
        serve(broker, connection)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
