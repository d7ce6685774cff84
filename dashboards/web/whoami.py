"""In a demo every page says who one looks as, and leads to where one chooses; anywhere else it says nothing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from litestar.connection import ASGIConnection

from agents.access.viewer import NOBODY
from dashboards.web.carried import asking, kept_of
from dashboards.web.cast import Cast
from dashboards.web.cookies import credentials_of
from dashboards.web.languages import Words
from dashboards.web.web import Web

PATH: Final = "/choose"


class Role(NamedTuple):
    """The link to `/choose`."""

    label: str
    href: str


def role_of(connection: ASGIConnection[Any, Any, Any, Any], web: Web, said: Words) -> Role | None:
    """Whom a demo's visitor is now, in words; None where there is nobody to be, and where one chooses."""
    if not isinstance(web.gate, Cast) or connection.url.path == PATH:
        return None
    viewer = web.gate.still(credentials_of(connection)) or NOBODY
    if "screen" in viewer.roles:
        label = said("role.screen", unit=viewer.unit)
    elif ":" in viewer.actor:
        label = said("role.account", name=viewer.actor.partition(":")[2])
    else:
        label = said("role.nobody")
    return Role(label, PATH + asking(kept_of(connection.query_params)))
