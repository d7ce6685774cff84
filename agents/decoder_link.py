"""The worker's end of one process that decodes."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import ClassVar, Final

import msgspec

from agents.transport.access import Access
from agents.transport.hooks import Wanted

PATIENCE: Final = 30  # s for an answer
_TIMEVAL: Final = struct.Struct("@ll")


class DecoderLink:
    """A process that runs from here on, and what it was asked for; by one thread at a time.

    Whatever goes wrong with it is an OSError or EOFError, and its end.
    """

    IDLE: ClassVar = 60  # s after which it ends by itself, without a question or with an answer that nobody takes

    def __init__(self, broker: str, access: Access) -> None:
        self.asked: deque[Wanted] = deque()  # and not yet answered
        self._greeted = False
        self._socket, theirs = socket.socketpair()
        for end, seconds in ((self._socket, PATIENCE), (theirs, self.IDLE)):
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                end.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL.pack(seconds, 0))
        self._connection = Connection(os.dup(self._socket.fileno()))
        with theirs:
            command = [sys.executable, "-P", "-m", "agents.decoder_process", str(theirs.fileno())]
            try:
                self.process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)
                self._connection.send((broker, access))  # a password stands on no command line
            except OSError:
                self._let_go()
                raise

    @property
    def over(self) -> bool:
        """Whether the process has ended by itself, as it does when nobody asks."""
        return self.process.poll() == 0

    @property
    def ready(self) -> bool:
        """Whether it has said that it reads the log; it takes a second to."""
        if not self._greeted and self._connection.poll(0):
            self._greet()
        return self._greeted

    def _greet(self) -> None:
        self._received()
        self._greeted = True

    def begins(self, wanted: Wanted) -> bool:
        """Whether this is what its next answer will be of."""
        return bool(self.asked) and self.asked[0][:3] == wanted[:3]

    def has(self, wanted: Wanted) -> bool:
        """Whether it was asked for this, and has not answered yet."""
        return any(asked[:3] == wanted[:3] for asked in self.asked)

    def ask(self, wanted: Wanted) -> None:
        """It begins with it when it has answered what it was asked before."""
        self._connection.send_bytes(msgspec.msgpack.encode(wanted))
        self.asked.append(wanted)

    def receive(self) -> bytes:
        """The answer to what was asked first."""
        if not self._greeted:
            self._greet()
        answer = self._received()
        self.asked.popleft()
        return answer

    def _received(self) -> bytes:
        try:
            return self._connection.recv_bytes()
        except BlockingIOError as error:
            raise TimeoutError(f"no answer within {PATIENCE} s") from error

    def interrupt(self) -> None:
        """From any thread: whoever waits for an answer gets an EOFError, now."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the process."""
        self._let_go()
        try:
            self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _let_go(self) -> None:
        self._connection.close()
        self._socket.close()
