"""Cookies of this application: for this host alone, out of reach of scripts, not sent along by other sites' forms.

Over TLS their names begin with `__Host-`, which browsers give only to cookies that this host set, for all of it.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from dashboards.web.gate import Credentials

SESSION: Final = "scorestream-session"
CHOSEN: Final = "scorestream-demo"  # whom the visitor of a demo has chosen to be
SIGN_IN: Final = "scorestream-sign-in"  # while somebody is at the identity provider
_HOST: Final = "__Host-"
_BEARER: Final = "bearer "


def cookie(name: str, value: str, secure: bool, seconds: int) -> Cookie:
    """One to set, for so many seconds. `secure`: over TLS."""
    key = _HOST + name if secure else name
    return Cookie(key=key, value=value, path="/", httponly=True, secure=secure, samesite="lax", max_age=seconds)


def gone(name: str, secure: bool) -> Cookie:
    """One to take away."""
    return cookie(name, "", secure, 0)


def read(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> str | None:
    """The cookie's value. Over TLS only the one that nobody else can have set."""
    secure = connection.app.state.web.secure
    return connection.cookies.get(_HOST + name if secure else name) or None


def credentials_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Credentials:
    """What a request shows. A token in an address is not looked at: addresses are kept in logs and histories.

    In a demo nobody has a session; there it is whom they chose to be.
    """
    authorization = connection.headers.get("authorization", "")
    if authorization.lower().startswith(_BEARER):
        return Credentials(token=authorization[len(_BEARER) :].strip())
    return Credentials(session=read(connection, CHOSEN if connection.app.state.web.gate.demo else SESSION))
