"""Why somebody looks at what takes a reason: asked once on a page, then remembered for that person for 15 minutes.

The browser keeps it, signed for its own session: it is good for nobody else, about nobody else, and not any longer.
What is looked at with it is in the audit log each time, with the reason.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from agents.access.matrix import MATRIX, Right
from agents.access.secrets import derived, same
from agents.access.viewer import Subject
from dashboards.web.cookies import cookie, credentials_of, read

HEADER: Final = "scorestream-reason"  # in which a program gives its reason
LASTS: Final = 15 * 60  # s
LONGEST: Final = 500  # characters
TAKES: Final = frozenset(
    right for right, roles in MATRIX.items() if any("reason" in cells.values() for cells in roles.values())
)
_NAME: Final = "scorestream-reason"


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What the cookie says; `until` in ms."""

    employee: str
    until: int
    reason: str


def kept(session: str, employee: str, reason: str, now: int, secure: bool) -> Cookie:
    """The cookie to set for a reason that was given at `now` (ms)."""
    said = msgspec.json.encode(_Kept(employee, now + LASTS * 1000, reason))
    body = base64.urlsafe_b64encode(said).rstrip(b"=").decode()
    return cookie(_NAME, f"{body}.{_signature(session, body)}", secure, LASTS)


def reason_of(connection: ASGIConnection[Any, Any, Any, Any], right: Right, subject: Subject | None, now: int) -> str:
    """What the request says by its header, else what was given before for this person; "" for nothing."""
    said = connection.headers.get(HEADER, "")[:LONGEST]
    if said or right not in TAKES or subject is None or subject.kind != "employee":
        return said
    session, (body, _, signature) = credentials_of(connection).session, (read(connection, _NAME) or "").partition(".")
    if session is None or not same(signature, _signature(session, body)):
        return ""
    found = _read(body)
    return found.reason if found is not None and found.employee == subject.id and now < found.until else ""


def _signature(session: str, body: str) -> str:
    return derived(session, f"reason:{body}")


def _read(body: str) -> _Kept | None:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Kept)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return None
