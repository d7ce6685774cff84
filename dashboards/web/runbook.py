"""`/runbook`: what to do when an alert comes, as docs/operations.md has it; the links in alerts lead here.

It is open, as nothing is in it that the documentation does not say: whoever is called at night need not sign in first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency

from dashboards.web.framing import Frame
from dashboards.web.web import Web

_HERE: Final = Path(__file__).parent
_PLACES: Final = (_HERE / "operations.md", _HERE.parent.parent / "docs" / "operations.md")  # installed, or as it lies
_BEGIN: Final = "\n## Runbook\n"


class Chapter(NamedTuple):
    """What to do about one alert. `anchor` is what a link to it ends with."""

    anchor: str
    title: str
    text: str


@lru_cache(maxsize=1)
def chapters() -> tuple[str, tuple[Chapter, ...]]:
    """What always comes first, and the chapters of the runbook."""
    whole = next(place for place in _PLACES if place.exists()).read_text("utf-8")
    first, *rest = re.split(r"\n### ", whole.partition(_BEGIN)[2].partition("\n## ")[0])
    return first.strip(), tuple(_chapter(text) for text in rest)


def _chapter(text: str) -> Chapter:
    title, _, body = text.partition("\n")
    return Chapter(title.lower().replace(" ", "-"), title, body.strip())


@get("/runbook", opt={"right": "open"}, include_in_schema=False)
async def runbook(request: Request[Any, Any, Any], web: NamedDependency[Web]) -> Response[str]:
    """All of it: a link leads to its chapter."""
    first, rest = chapters()
    return Frame(request, web).page("runbook.html", {"first": first, "chapters": rest})
