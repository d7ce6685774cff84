"""A thousand screens from one process: some read what they are sent and some never do, and one in each line is timed.

A screen that is timed knows of each person on it up to which instant their events are on the board, which the stream
tells (`newest`): an event is seen with the first message that has come so far.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from schemas.instants import parse_rfc3339

PIECE: Final = 1 << 16
ROOM: Final = 4_096  # bytes that the system keeps for a screen that never reads
TRIES: Final = 60
AT_ONCE: Final = 20  # screens that connect at a time


class _Tile(msgspec.Struct):
    id: str
    newest: str | None
    person: str | None = None


class _Board(msgspec.Struct):
    people: list[_Tile] = []


_decode: Final = msgspec.json.Decoder(_Board).decode


@dataclass
class Seen:
    """What timed screens saw: per event of `sent` how long (ms) it took; `sent` loses what is seen.

    `marks`: whose tile it is, by what a screen calls them, where it shows no names.
    """

    sent: dict[str, list[int]]
    since: float = 0.0  # ms; events of before do not count
    waits: list[int] = field(default_factory=list)
    messages: int = 0
    received: int = 0
    ended: int = 0

    def take(self, who: str, newest: int, now: int) -> None:
        """Somebody's board has come to this instant."""
        waiting = self.sent[who]
        there = [at for at in waiting if at <= newest]
        if there:
            self.sent[who] = waiting[len(there) :]
            self.waits += [now - at for at in there if at >= self.since]


class Screens:
    """Connections to a web process, each with a token of its own."""

    def __init__(self, host: str, port: int, seen: Seen) -> None:
        self._address = host, port
        self._seen = seen
        self._tasks: list[asyncio.Task[None]] = []
        self._mute: list[socket.socket] = []
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def open(self, tokens: list[tuple[str, str]], called: Mapping[str, Mapping[str, str]]) -> None:
        """The first of each line is timed; of the others every second one never reads. Returns when all are there.

        `called`: per line, who is meant by what its screens call them.
        """
        timed: set[str] = set()
        waiting = []
        for number, (line, token) in enumerate(tokens):
            first = line not in timed
            timed.add(line)
            never = (number // max(1, len(called))) % 2 == 1
            waiting.append(self._screen(line, token, called[line] if first else None, mute=never and not first))
        await asyncio.gather(*waiting)

    @property
    def mute(self) -> int:
        """How many never read."""
        return len(self._mute)

    async def close(self) -> None:
        """Lets go of all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self._mute:
            one.close()

    async def _screen(self, line: str, token: str, called: Mapping[str, str] | None, *, mute: bool) -> None:
        host, port = self._address
        head = f"GET /board/{line}/stream HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {token}\r\n\r\n"
        async with self._limit:
            if mute:
                await self._never_reads(head.encode())
                return
            reader, writer = await self._connected(head.encode())
            await reader.readuntil(b"\n\n")  # the board is on its way
        follow = self._follow(reader, writer) if called is None else self._time(reader, writer, called)
        self._tasks.append(asyncio.create_task(follow))

    async def _connected(self, head: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Asks again where the answer is to come later, as every screen does."""
        for _ in range(TRIES):
            reader, writer = await asyncio.open_connection(*self._address, limit=1 << 22)
            writer.write(head)
            status = await reader.readuntil(b"\r\n\r\n")
            if status.startswith(b"HTTP/1.1 200"):
                return reader, writer
            assert status.startswith(b"HTTP/1.1 503"), status
            writer.close()
            await asyncio.sleep(1)
        raise AssertionError(f"the web process refuses to serve a screen: {status!r}")

    async def _never_reads(self, head: bytes) -> None:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        one.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(one, self._address)
        await loop.sock_sendall(one, head)
        self._mute.append(one)

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while piece := await reader.read(PIECE):
                self._seen.received += len(piece)
            self._seen.ended += 1

    async def _time(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, called: Mapping[str, str]
    ) -> None:
        rest = b""
        with contextlib.closing(writer):
            while piece := await reader.read(PIECE):
                now = time.time_ns() // 1_000_000
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line.startswith(b'data: {"unit"'):
                        self._message(line[6:].rstrip(b"\r"), called, now)
            self._seen.ended += 1

    def _message(self, data: bytes, called: Mapping[str, str], now: int) -> None:
        self._seen.messages += 1
        for tile in _decode(data).people:
            newest = None if tile.newest is None else parse_rfc3339(tile.newest)
            if newest is not None:
                self._seen.take(called[tile.id], newest, now)


async def settled(seen: Seen, patience: float) -> int:
    """Waits until every event is seen, or for so long (s); how many were not."""
    deadline = time.monotonic() + patience
    while (missing := sum(map(len, seen.sent.values()))) and time.monotonic() < deadline:  # noqa: ASYNC110 - others move it
        await asyncio.sleep(0.1)
    return missing
