"""The worker's backlog is read and decoded by a process beside it: its own loop only scores.

The process decides nothing and keeps nothing: whatever happens to it, the worker reads and decodes the same by
itself. It is started when there is a backlog, ends when nobody has asked for a while, and with the worker.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

import msgspec

from agents.decoded import DecodedChunk, unpack_chunk
from agents.transport.hooks import Wanted
from agents.transport.log import READ_BYTES, Log
from schemas.event import INPUT_TOPICS

logger: Final = logging.getLogger(__name__)
PATIENCE: Final = 30.0  # s for an answer
PAUSE: Final = 10.0  # s before another one is started after one failed


class Decoder:
    """The worker's end. It is asked for chunks of `worth` records or more, by one thread at a time.

    What will probably be wanted next is asked for before the answer is there, so that the process goes on with it.
    """

    def __init__(self, broker: str, worth: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._worth = worth
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self.asked: deque[Wanted] = deque()  # and not yet answered
        self._not_before = 0.0

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process, None while there is none."""
        return self._process

    @property
    def pid(self) -> int | None:
        """Its number."""
        return None if self._process is None else self._process.pid

    def warm(self, log: Log, records: int) -> None:
        """Starts the process when there is a backlog, with what a round of so many records begins with.

        Not for a log that workers share: what reads that brings records by itself, and asks nobody.
        """
        if log.shared:
            return
        known = log.committed()
        for (topic, partition), (start, end) in sorted(log.bounds().items()):
            first = Wanted(topic, partition, max(start, known.get((topic, partition), 0)), end, records, READ_BYTES)
            if self._takes(first):
                try:
                    self._ask(self._start(), first)
                except OSError as error:
                    self._gone(error)
                return

    def read(self, wanted: Wanted, following: Wanted | None = None) -> DecodedChunk | None:
        """Decoded records; None: better read them yourself."""
        if not self._takes(wanted) or self._clock() < self._not_before:
            return None
        try:
            connection = self._connection or self._start()
            while self.asked and self.asked[0][:3] != wanted[:3]:
                self._receive(connection)  # nobody wants it any more
            if not self.asked:
                self._ask(connection, wanted)
            if following is not None and self._takes(following):
                self._ask(connection, following)
            answer = self._receive(connection)
        except (OSError, EOFError) as error:
            self._gone(error)
            return None
        return unpack_chunk(answer) if answer else None

    def _takes(self, wanted: Wanted) -> bool:
        return wanted.topic in INPUT_TOPICS and wanted.end - wanted.start >= self._worth

    def _ask(self, connection: Connection, wanted: Wanted) -> None:
        connection.send_bytes(msgspec.msgpack.encode(wanted))
        self.asked.append(wanted)

    def _receive(self, connection: Connection) -> bytes:
        """The answer to what was asked first."""
        if not connection.poll(PATIENCE):
            raise TimeoutError(f"no answer within {PATIENCE:g} s")
        answer = connection.recv_bytes()
        self.asked.popleft()
        return answer

    def _gone(self, error: Exception) -> None:
        logger.warning("the process that decodes is gone (%s): the worker decodes by itself", str(error) or "no answer")
        self.close()
        self._not_before = self._clock() + PAUSE

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "agents.decoder_process", self._broker, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)
        self._connection = Connection(ours.detach())
        return self._connection

    def close(self) -> None:
        """Ends the process; the next `read` would start another one."""
        self.asked.clear()
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
