"""A parameter that an address does not know is refused: a filter that is misspelt would give everything otherwise."""

from __future__ import annotations

import difflib
import inspect
from typing import Any, get_type_hints

from litestar import Request
from litestar.params import QueryParameter

from dashboards.web.problems import RequestProblem


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Hook before a handler: RequestProblem that names the first unknown parameter, and those that there are."""
    known = known_queries(request.route_handler.fn)
    for name, value in request.query_params.multi_items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}? It" if near else "it"
            there = f"takes {', '.join(known)}" if known else "takes none"
            shown = name[:64]
            raise RequestProblem(
                400, f"there is no parameter {shown!r} at {request.url.path}; {meant} {there}", shown, value
            )


def known_queries(handler: Any) -> list[str]:
    """The query parameters that a handler declares, in its order."""
    hints = get_type_hints(inspect.unwrap(handler), include_extras=True)
    return [
        one.name or name
        for name, hint in hints.items()
        for one in getattr(hint, "__metadata__", ())
        if isinstance(one, QueryParameter)
    ]
