"""What OpenAPI tells of an operation beside its types: headers that come with an answer, and a body read by lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIResponse,
    Operation,
    Reference,
    Schema,
    SecurityRequirement,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType

from dashboards.web.cookies import SESSION
from dashboards.web.event_schema import body_of_events


class Described(JsonRenderPlugin):
    """The description as JSON. A number that may be whole is a number: the framework writes that it is one of both,
    which no whole number is, as it is both.
    """

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The bytes of the document."""
        return super().render(request, _plain(openapi_schema))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    one_of = value.get("oneOf")
    if isinstance(one_of, list) and _WHOLE in one_of and _NUMBER in one_of:
        value = {**value, "oneOf": [one for one in one_of if one != _WHOLE]}
    return {name: _plain(one) for name, one in value.items()}


def _header(description: str) -> OpenAPIHeader:
    return OpenAPIHeader(schema=Schema(type=OpenAPIType.STRING), description=description)


_WHOLE: Final = {"type": "integer"}
_NUMBER: Final = {"type": "number"}
_ETAG: Final = _header("The answer's name, for If-None-Match.")
_LINK: Final = _header("The address of the next page (RFC 8288), where there is one.")
_LEFT: Final = _header("What the client has left (draft-ietf-httpapi-ratelimit-headers).")
_REPLAYED: Final = _header("`true`: the answer that the same request got before.")
_SCHEME: Final = _header("`Bearer`: what to show.")
_WAIT: Final = _header("Seconds after which to come again.")


# What a request shows: either of them. docs/security.md says who has which.
SCHEMES: Final[dict[str, SecurityScheme | Reference]] = {
    "token": SecurityScheme(
        type="http", scheme="bearer",
        description="Of a service or a screen (`scorestream access token create`), with scopes, an end, and the unit "
        "that it is bound to, if any. In the header only: in an address it is not looked at.",
    ),
    "session": SecurityScheme(
        type="apiKey", name=SESSION, security_scheme_in="cookie",
        description="Of a browser that is signed in; over TLS its name begins with `__Host-`. What changes something "
        "takes the session's own token besides, in the header `x-csrf-token`.",
    ),
}  # fmt: skip
EITHER: Final[list[SecurityRequirement]] = [{name: []} for name in SCHEMES]


@dataclass
class Limited(Operation):
    """Tells clients what they have left, and when to come again."""

    def __post_init__(self) -> None:
        """Adds headers to the answers that have them."""
        for status in ("429", "503"):
            self._add(status, {"Retry-After": _WAIT})
        self._add("401", {"WWW-Authenticate": _SCHEME})
        for status in ("200", "202", "429"):
            self._add(status, {"RateLimit": _LEFT})

    def _add(self, status: str, headers: dict[str, OpenAPIHeader]) -> None:
        found = (self.responses or {}).get(status)
        if isinstance(found, OpenAPIResponse):
            found.headers = {**(found.headers or {}), **headers}


@dataclass
class Named(Limited):
    """Gives an answer a name; who has it already gets 304."""

    def __post_init__(self) -> None:
        """As above."""
        super().__post_init__()
        for status in ("200", "304"):
            self._add(status, {"ETag": _ETAG})


@dataclass
class Paged(Named):
    """Gives a list in pages."""

    def __post_init__(self) -> None:
        """As above."""
        super().__post_init__()
        self._add("200", {"Link": _LINK})


@dataclass
class TakesEvents(Limited):
    """Reads its body line by line."""

    def __post_init__(self) -> None:
        """As above, and the body."""
        super().__post_init__()
        self._add("202", {"Idempotent-Replayed": _REPLAYED})
        self.request_body = body_of_events()
