"""One connection through the proxy: frames are read, wait for what is wrong with the link, and go on in order."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Direction = Literal["up", "down"]  # up: to the target (requests); down: back to the client (answers, acknowledgements)
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_WAITING: Final = 1_000  # frames of a direction between reader and writer
_CHUNK: Final = 65_536


@dataclass(slots=True)
class Faults:
    """What is wrong with all connections just now, and what came of it; `changed` is notified of both."""

    delay: float = 0.0
    stalled: frozenset[Direction] = frozenset()
    held_requests: frozenset[int] = frozenset()
    cut_next: Direction | None = None
    refuses: bool = False
    held: int = 0
    cuts: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def change(self, **values: Any) -> None:
        """Sets fields and tells those who wait."""
        async with self.changed:
            for name, value in values.items():
                setattr(self, name, value)
            self.changed.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Returns when `holds()`, at once or after a change."""
        async with self.changed:
            await self.changed.wait_for(holds)


class Link:
    """A client's connection and its twin to the target. `frames`: Kafka's; else what one read returns."""

    def __init__(self, client: Ends, target: Ends, faults: Faults, *, frames: bool) -> None:
        self._client, self._target, self._faults, self._frames = client, target, faults, frames
        self._asked: dict[bytes, int] = {}  # the kind of each unanswered request, by correlation id
        self._task = asyncio.current_task()

    async def run(self) -> None:
        """Passes frames until both ends have closed; an error of one end closes both."""
        try:
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._pass("up", self._client[0], self._target[1]))
                directions.create_task(self._pass("down", self._target[0], self._client[1]))
        except* OSError:
            pass
        finally:
            self._client[1].close()
            self._target[1].close()

    def cut(self) -> None:
        """Both ends see a reset, whatever was under way."""
        reset(self._client[1])
        reset(self._target[1])
        if self._task is not None:
            self._task.cancel()

    async def _pass(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._read(direction, reader, waiting))
            ends.create_task(self._write(direction, waiting, writer))

    async def _read(
        self, direction: Direction, reader: asyncio.StreamReader, waiting: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        clock = asyncio.get_running_loop().time
        async for frame in self._each(reader):
            if direction == "up" and self._frames:
                self._asked[frame[8:12]] = int.from_bytes(frame[4:6], "big")
            await waiting.put((clock() + self._faults.delay, frame))
        await waiting.put((0.0, b""))

    async def _each(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """Whole frames to the end; a piece of one that its sender never finished goes no further."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                if self._frames:
                    head = await reader.readexactly(4)
                    yield head + await reader.readexactly(int.from_bytes(head, "big"))
                elif chunk := await reader.read(_CHUNK):
                    yield chunk
                else:
                    return

    async def _write(
        self, direction: Direction, waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        clock, faults = asyncio.get_running_loop().time, self._faults
        while True:
            due, frame = await waiting.get()
            await asyncio.sleep(max(0.0, due - clock()))
            await faults.until(lambda: direction not in faults.stalled)
            if not frame:
                return writer.write_eof()
            if direction == "down" and self._frames:
                await self._hold(self._asked.pop(frame[4:8], -1))
            if faults.cut_next == direction:
                await self._send_half(writer, frame)
            writer.write(frame)
            await writer.drain()

    async def _hold(self, request: int) -> None:
        faults = self._faults
        if request not in faults.held_requests:
            return
        await faults.change(held=faults.held + 1)
        try:
            await faults.until(lambda: request not in faults.held_requests)
        finally:
            faults.held -= 1

    async def _send_half(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        """Half a frame and an end, no reset: that could take back what has not been read yet."""
        self._faults.cut_next = None  # before any await: only one connection may take it
        await self._faults.change(cuts=self._faults.cuts + 1)
        writer.write(frame[: len(frame) // 2])
        writer.write_eof()
        raise ConnectionAbortedError("cut within a frame")


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection at once, so that the other side sees a reset."""
    end = writer.get_extra_info("socket")
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
