"""What OpenAPI tells of an operation beside its types: headers that come with an answer, and a body read by lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import OpenAPIHeader, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType

from dashboards.web.event_schema import body_of_events


def _header(description: str) -> OpenAPIHeader:
    return OpenAPIHeader(schema=Schema(type=OpenAPIType.STRING), description=description)


_ETAG: Final = _header("The answer's name, for If-None-Match.")
_LINK: Final = _header("The address of the next page (RFC 8288), where there is one.")
_LEFT: Final = _header("What the client has left (draft-ietf-httpapi-ratelimit-headers).")
_REPLAYED: Final = _header("`true`: the answer that the same request got before.")
_WAIT: Final = _header("Seconds after which to come again.")


@dataclass
class Limited(Operation):
    """Tells clients what they have left, and when to come again."""

    def __post_init__(self) -> None:
        """Adds headers to the answers that have them."""
        for status in ("429", "503"):
            self._add(status, {"Retry-After": _WAIT})
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
