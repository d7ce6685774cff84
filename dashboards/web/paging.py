"""A list that goes on says where: `next` in the answer, and a link to the next page (RFC 8288) beside it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request


def link_to_next(request: Request[Any, Any, Any], after: str | None) -> dict[str, str]:
    """The header with the address of the page behind `after`, with the same filters; nothing on the last page."""
    if after is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    query = urlencode([*kept, ("after", after)])
    return {"link": f'<{request.scope["path"]}?{query}>; rel="next"'}
