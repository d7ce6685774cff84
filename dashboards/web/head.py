"""HEAD is answered as GET is, with the same status and headers, and without a body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Litestar

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Application(Litestar):
    """The application, which also knows HEAD wherever it knows GET."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await _headers_only(super().__call__, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _headers_only(app: Asgi, scope: Any, receive: Any, send: Any) -> None:
    """Serves it as a GET whose asker is gone once the headers are out: a stream would go on for ever otherwise."""
    answered = False

    async def told() -> Any:
        return {"type": "http.disconnect"} if answered else await receive()

    async def tell(message: Any) -> None:
        nonlocal answered
        if answered:
            return
        await send(message)
        if message["type"] == "http.response.start":
            answered = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    await app({**scope, "method": "GET"}, told, tell)
