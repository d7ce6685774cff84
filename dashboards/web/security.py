"""Every answer carries these headers, errors and streams too: a page may load from here and nowhere else.

Only pages with a form say where it may go. Over TLS browsers are told to stay there.
"""

from __future__ import annotations

from typing import Final

from litestar.types import Message, Scope

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), screen-wake-lock=(self)"),
)


STAY: Final = (b"strict-transport-security", b"max-age=31536000")


def with_forms(*origins: str) -> str:
    """The policy of a page with a form: it is sent here, and may lead on to these origins."""
    return POLICY.replace("form-action 'none'", " ".join(("form-action 'self'", *origins)))


async def add_headers(message: Message, scope: Scope) -> None:
    """Hook before each message of an answer."""
    if message["type"] == "http.response.start":
        own = {name.lower() for name, _ in message["headers"]}
        more = [header for header in HEADERS if header[0] not in own]
        web = scope["litestar_app"].state.get("web")
        if web is not None and web.secure:
            more.append(STAY)
        message["headers"] = [*message["headers"], *more]
