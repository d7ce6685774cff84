"""An answer is named by a digest of its bytes; who has it already is told so, and gets nothing else.

The names are strong: another name is another answer, byte by byte. `private, no-cache`: the scores of people may be
kept by whoever asked for them, to ask again with their name, by nobody in between, and never shown unasked.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from litestar import MediaType, Request, Response

KEEP: Final = {"cache-control": "private, no-cache"}
T = TypeVar("T", bound=msgspec.Struct)


def conditional(request: Request[Any, Any, Any], answer: T, headers: Mapping[str, str] = {}) -> Response[T]:
    """The answer under its name, or 304 when the request's If-None-Match has that name."""
    return named(request, msgspec.json.encode(answer), headers)


def named(request: Request[Any, Any, Any], body: bytes, headers: Mapping[str, str] = {}) -> Response[Any]:
    """As `conditional`, of an answer that is encoded already."""
    name = etag(body)
    told = {**KEEP, **headers, "etag": name}
    if matches(name, request.headers.getall("if-none-match", [])):
        return Response(None, status_code=304, headers=told, media_type=MediaType.TEXT)
    return Response(body, headers=told, media_type=MediaType.JSON)


def etag(body: bytes) -> str:
    """The name of these bytes."""
    return f'"{base64.urlsafe_b64encode(hashlib.blake2b(body, digest_size=15).digest()).decode()}"'


def matches(name: str, asked: list[str]) -> bool:
    """Whether If-None-Match has this name, or `*`; a name marked weak counts too (RFC 9110, 13.1.2)."""
    names = [one.strip().removeprefix("W/") for line in asked for one in line.split(",")]
    return name in names or names == ["*"]
