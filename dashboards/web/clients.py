"""Who asks is decided here and nowhere else: limits and keys of requests are per client."""

from __future__ import annotations

from typing import Any

from litestar import Request

from dashboards.web.viewer import viewer_of


def client_of(request: Request[Any, Any, Any]) -> str:
    """The client of a request: the account or token that was let in, else the address that it comes from."""
    viewer = viewer_of(request)
    if viewer is not None:
        return viewer.account
    peer = request.client
    return f"peer {peer.host}" if peer is not None else "peer"
