"""HTTP/1.1 as a web process reads and writes it: uvicorn on llhttp, which costs a third less a message than on h11.

llhttp has no limit for what stands before and behind a request's body; h11 had.
"""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST: Final = 64 << 10  # bytes of a request's line and headers, and of what is no body behind them


class Wire(HttpToolsProtocol):
    """One connection. Who sends headers that do not end is answered 400 and let go."""

    _idle = 0  # bytes that came since the last that brought a request on

    def data_received(self, data: bytes) -> None:
        """What came from the other side."""
        self._idle += len(data)
        super().data_received(data)
        if self._idle > MOST and not self.transport.is_closing():
            self.send_400_response(f"More than {MOST} bytes of headers.")

    def on_headers_complete(self) -> None:
        """Its body follows, or nothing."""
        self._idle = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of it."""
        self._idle = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        self._idle = 0
        super().on_message_complete()
