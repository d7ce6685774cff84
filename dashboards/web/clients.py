"""Who asks is decided here and nowhere else: limits and keys of requests are per client."""

from __future__ import annotations

from typing import Any

from litestar import Request


def client_of(request: Request[Any, Any, Any]) -> str:
    """The client of a request: the address that it comes from."""
    peer = request.client
    return f"peer {peer.host}" if peer is not None else "peer"
