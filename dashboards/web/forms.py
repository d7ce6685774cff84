"""What somebody sent with a form."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict

from dashboards.web.problems import RequestProblem
from schemas.unreadable import UNREADABLE


async def form_of(request: Request[Any, Any, Any]) -> FormMultiDict:
    """The form, its files among its fields; RequestProblem for what is none."""
    try:
        return await request.form()
    except (ValueError, *UNREADABLE) as error:
        raise RequestProblem(400, f"this is no form: {error}") from None


async def texts_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The fields of a form that are texts, by name."""
    return {name: value for name, value in (await form_of(request)).items() if isinstance(value, str)}
