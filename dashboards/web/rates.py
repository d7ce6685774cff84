"""A client's requests and events are counted in buckets that fill at a steady rate; who finds one empty waits.

What is left is told in every answer of the API (draft-ietf-httpapi-ratelimit-headers), so that nobody has to guess.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from litestar import Request
from litestar.types import Message, Scope

from dashboards.web.clients import client_of
from dashboards.web.problems import RequestProblem

MOST_CLIENTS: Final = 10_000  # remembered; who was not heard of for longest is forgotten, with a full bucket
_TOLD: Final = "rate-limits"  # in a request's state


@dataclass(slots=True)
class Bucket:
    """What a client has left, as of a moment (s)."""

    left: float
    at: float


class Rate:
    """Buckets of one kind. `rate`: what comes in a second; `most`: what a bucket holds. `clock` in s, never back."""

    def __init__(self, name: str, rate: int, most: int, clock: Callable[[], float]) -> None:
        self.name = name
        self.rate = rate
        self.most = most
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, client: str, number: int) -> int:
        """Takes so many out of the client's bucket: 0; or nothing, and the seconds after which to come again."""
        bucket = self._filled(client)
        if number <= bucket.left:
            bucket.left -= number
            return 0
        return max(1, ceil((min(number, self.most) - bucket.left) / self.rate))

    def told(self, client: str) -> str:
        """What is left, for the header RateLimit."""
        bucket = self._filled(client)
        return f'"{self.name}";r={int(bucket.left)};t={ceil((self.most - bucket.left) / self.rate)}'

    @property
    def policy(self) -> str:
        """For the header RateLimit-Policy: the quota and the window in which it comes."""
        return f'"{self.name}";q={self.most};w={max(1, ceil(self.most / self.rate))}'

    def _filled(self, client: str) -> Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(client, Bucket(self.most, now))
        self._buckets.move_to_end(client)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        bucket.left = min(self.most, bucket.left + (now - bucket.at) * self.rate)
        bucket.at = now
        return bucket


class Rates:
    """The limits of the API; None where there is none."""

    def __init__(self, requests: Rate | None = None, events: Rate | None = None) -> None:
        self.requests = requests
        self.events = events

    @classmethod
    def of(cls, requests: int | None, events: int | None, clock: Callable[[], float], *, least: int) -> Rates:
        """Limits of so many a second. `least`: events that a full bucket holds at least: the largest batch."""
        return cls(
            None if requests is None else Rate("requests", requests, requests, clock),
            None if events is None else Rate("events", events, max(events, least), clock),
        )

    def admit(self, request: Request[Any, Any, Any]) -> None:
        """Counts a request; RequestProblem 429 when there were too many."""
        self._take(request, self.requests, 1)

    def admit_events(self, request: Request[Any, Any, Any], number: int) -> None:
        """Counts a batch of events; RequestProblem 429, and none is counted, when there were too many."""
        self._take(request, self.events, number)

    def _take(self, request: Request[Any, Any, Any], rate: Rate | None, number: int) -> None:
        if rate is None:
            return
        client = client_of(request)
        wait = rate.take(client, number)
        told = request.scope["state"].setdefault(_TOLD, {})
        told[rate.policy] = rate.told(client)
        if wait:
            detail = (
                f"{rate.name}: {rate.rate:,} a second for each client, {rate.most:,} at once; "
                f"come again in {wait} s with the same request: nothing was taken of this one"
            )
            raise RequestProblem(429, detail, headers={"retry-after": str(wait)})


async def add_rates(message: Message, scope: Scope) -> None:
    """Hook before each message of an answer: what its client has left."""
    told: dict[str, str] = scope.get("state", {}).get(_TOLD, {})
    if told and message["type"] == "http.response.start":
        message["headers"] = [
            *message["headers"],
            (b"ratelimit-policy", ", ".join(told).encode()),
            (b"ratelimit", ", ".join(told.values()).encode()),
        ]
