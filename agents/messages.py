"""Whole messages between two processes, through a socket.

One is received by one system call, however large: a thread that asks for every piece waits for the interpreter each
time, behind a loop that is busy.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

_LENGTH: Final = struct.Struct("<Q")
_TIMEVAL: Final = struct.Struct("@ll")


def limit(connection: socket.socket, seconds: float) -> None:
    """Waiting for the other side, to send or to take something, is given up after so long."""
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL.pack(int(seconds), 0))


def send(connection: socket.socket, message: bytes) -> None:
    """Blocks until the other side has taken nearly all of it. OSError when it is gone or takes nothing."""
    connection.sendall(_LENGTH.pack(len(message)))
    connection.sendall(message)


def receive(connection: socket.socket) -> bytearray:
    """The next message. EOFError when there will be none, TimeoutError when none comes, or another OSError."""
    return _take(connection, _LENGTH.unpack(_take(connection, _LENGTH.size))[0])


def _take(connection: socket.socket, size: int) -> bytearray:
    taken = bytearray(size)
    try:
        count = connection.recv_into(taken, size, socket.MSG_WAITALL) if size else 0
    except BlockingIOError as error:
        raise TimeoutError("no answer") from error
    if count < size:
        raise EOFError("a message that ended early" if count else "no answer")
    return taken
