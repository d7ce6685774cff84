"""A connection to Redis that never waits long and never repeats by itself: whoever uses it decides what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agents.views.port import ViewsUnavailable

Client = Any  # redis-py's own types say of its commands that they may be awaited, or not
TIME_LIMIT: Final = 2.0  # s for a connection, and for an answer


class RedisPlace(NamedTuple):
    """Where Redis is. `url` holds no password: that stands in a file, which is read at each start of a client."""

    url: str
    password_file: Path | None = None
    ca_file: Path | None = None
    prefix: str = "scorestream"


def connect(place: RedisPlace, time_limit: float = TIME_LIMIT) -> Client:
    """A client; it connects when it is used. ViewsUnavailable when the password's file cannot be read."""
    options: dict[str, Any] = {}
    if place.password_file is not None:
        options["password"] = _secret(place.password_file)
    if place.ca_file is not None and place.url.startswith("rediss://"):
        options["ssl_ca_certs"] = str(place.ca_file)
    return Redis.from_url(
        place.url,
        socket_timeout=time_limit,
        socket_connect_timeout=time_limit,
        retry=Retry(NoBackoff(), 0),
        client_name="scorestream",
        protocol=2,
        **options,
    )


@contextmanager
def told(place: RedisPlace) -> Iterator[None]:
    """Turns what goes wrong with Redis into ViewsUnavailable, naming the place."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        # Without the command that failed: it holds what people scored.
        reason = str(error).rpartition("caused error: ")[2] or type(error).__name__
        raise ViewsUnavailable(f"{place.url}: {reason}") from error


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ViewsUnavailable(f"redis_password_file={str(path)!r}: {error}; give a file that holds it") from error
