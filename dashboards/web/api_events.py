"""Events over HTTP end as they would through a broker: the same bytes, in the same place, judged by the same worker.

What `scorestream send` would leave out is left out, what a worker would reject goes in and becomes its dead letter.
The answer leaves when all of it is on disk.
"""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, Final

from litestar import MediaType, Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import HeaderParameter

from agents.access.audit import Entry
from agents.intake.sender import Sender
from dashboards.web.api_examples import EVENT_PROBLEMS, EVENTS, answers
from dashboards.web.api_types import EventAnswers
from dashboards.web.clients import client_of
from dashboards.web.event_schema import JSON, NDJSON
from dashboards.web.intake import MOST_BYTES, MOST_LINES
from dashboards.web.operations import TakesEvents
from dashboards.web.problems import RequestProblem
from dashboards.web.repeated import Asked
from dashboards.web.sight import LISTED, Sight
from dashboards.web.web import Web

BODY_S: Final = 30.0  # a batch comes within it, or its room is given to others
KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")

Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="1 to 128 visible ASCII characters. The same request again within 24 hours gets the same answer "
        "and appends nothing. Without one a repeat is harmless too: an event counts once.",
        schema_extra={"pattern": f"^{KEY.pattern}$"},  # told, and tested by the handler, which says it in words
    ),
]


@post(
    "/events",
    tags=["events"],
    summary="Events into the log",
    status_code=202,
    operation_class=TakesEvents,
    responses=answers(EVENTS, "All lines that have a place are on disk.", *EVENT_PROBLEMS, status=202),
    request_max_body_size=MOST_BYTES,
    opt={"right": "send-events", "filters": True},
)
async def send_events(
    request: Request[Any, Any, Any],
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    idempotency_key: Key = None,
) -> Response[EventAnswers]:
    """Appends a batch (NDJSON, at most 8 MiB and 10,000 lines) or one JSON object, byte for byte; durable at 202.

    Each line is answered: `accepted`, or `refused` with the contract's reason. A refused line with a usable `type` and
    `employee_id` is in the log all the same (`in_log`) and becomes a dead letter; one without is left out, and so is
    what you may not send (`forbidden`): of people who did not work in or below the unit that your token is bound to
    when it happened, and `people.*` without the scope `send-people`. Whether an accepted event is late, a duplicate or
    a conflict is the worker's to say, and shows in its counters.
    """
    lines = _lines(request)
    if idempotency_key is not None and KEY.fullmatch(idempotency_key) is None:
        raise RequestProblem(400, "it is 1 to 128 visible ASCII characters", "Idempotency-Key", idempotency_key)
    sender = Sender(sight.rules(), sight.viewer)
    with web.batches.room.portion() as take:
        body = await _body(request, take)
        web.rates.admit_events(request, _count(body) if lines else 1)
        if idempotency_key is None:
            answer, before = await web.batches.take(body, lines=lines, may=sender.may_not), False
        else:
            asked = Asked(client_of(request), idempotency_key, (b"lines" if lines else b"one", body))
            answer, before = await web.repeats.once(
                asked, lambda: web.batches.take(body, lines=lines, may=sender.may_not)
            )
    await _written(sight, sender)
    told = {"cache-control": "no-store"} | ({"idempotent-replayed": "true"} if before else {})
    return Response(answer, status_code=202, media_type=MediaType.JSON, headers=told)  # type: ignore[arg-type]


async def _written(sight: Sight, sender: Sender) -> None:
    """In the audit log, before the answer: of whom the sender had events that stayed out."""
    if sender.refused:
        listed = sorted(sender.refused)[:LISTED]
        detail = {"employees": listed, "count": len(sender.refused), "why": sender.refused[listed[0]]}
        at, who = sight.rules().at, sight.viewer.actor
        await sight.gate.write(Entry(at, who, "send", "-", "refused", "send-events", "others", detail))


def _lines(request: Request[Any, Any, Any]) -> bool:
    """Whether the body is NDJSON; RequestProblem 415 when it is neither that nor JSON, or packed."""
    kind, _ = request.content_type
    if kind.lower() not in (NDJSON, JSON):
        raise RequestProblem(415, f"it must be {NDJSON}, or {JSON} for one event", "Content-Type", kind)
    packed = request.headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        raise RequestProblem(415, "the body must be sent as it is, not compressed", "Content-Encoding", packed)
    return kind.lower() == NDJSON


async def _body(request: Request[Any, Any, Any], take: Any) -> bytes:
    """The body, whose room is taken as it comes."""
    pieces: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                take(len(piece))
                pieces.append(piece)
    except TimeoutError:
        raise RequestProblem(408, f"the body did not come within {BODY_S:g} s") from None
    except HTTPException as error:
        if error.status_code == 413:
            raise RequestProblem(413, f"a batch has at most {MOST_BYTES:,} bytes; send it in parts") from None
        raise RequestProblem(400, "the body ended before it was whole") from None
    return b"".join(pieces)


def _count(body: bytes) -> int:
    """How many lines a batch has; RequestProblem when none, or too many."""
    count = body.count(b"\n") + (not body.endswith(b"\n"))
    if not body.strip():
        raise RequestProblem(400, "there is no line in the body; one event a line")
    if count > MOST_LINES:
        raise RequestProblem(413, f"a batch has at most {MOST_LINES:,} lines, this one has {count:,}; send it in parts")
    return count
