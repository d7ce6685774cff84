"""Everything that the service knows of a person, as one JSON document; events go out as they are read.

`complete` at its end says that nothing is missing: an answer that breaks off has none.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream
from sqlalchemy import Connection, select

from agents.records.appeals import Appeal, appeals_of
from agents.records.tables import assignments, employees
from dashboards.web.desk import DeskClosed
from dashboards.web.evidence import EvidenceAbsent, EvidenceBusy
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.problems import RequestProblem
from dashboards.web.subject import subject_of
from dashboards.web.times import instant
from dashboards.web.updates import decode_scores, readable
from dashboards.web.viewer import oneself
from dashboards.web.web import Web
from schemas.rows import row_fields

_encode = msgspec.json.encode


@get("/me/data.json", include_in_schema=False, opt={"right": "export", "subject": oneself})
async def my_data(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """A download."""
    frame = Frame(request, web)
    subject = subject_of(frame, None)
    if isinstance(subject, Response):
        return subject
    events = None if web.evidence is None else web.evidence.events(subject.employee)
    first = await _first(events)
    try:
        head = await _head(web, subject.employee)
    except BaseException:
        if events is not None:
            await events.aclose()
        raise
    sent = {
        "content-disposition": f'attachment; filename="scorestream-{subject.employee}.json"',
        "cache-control": "no-store",
    }
    return Stream(_document(head, first, events), media_type="application/json", headers=sent)


async def _first(events: AsyncGenerator[bytes, None] | None) -> bytes | None:
    """The first event: what stands in the way is told before anything has been sent."""
    try:
        return None if events is None else await anext(events, None)
    except EvidenceBusy as error:
        detail = f"too many questions to the log are being answered; ask again in {error.seconds} seconds"
        raise RequestProblem(503, detail) from None
    except EvidenceAbsent:
        raise RequestProblem(503, "the log cannot be read at the moment; ask again later") from None


async def _document(
    head: dict[str, Any], first: bytes | None, events: AsyncGenerator[bytes, None] | None
) -> AsyncIterator[bytes]:
    yield _encode(head)[:-1] + b',"events":'
    if events is None:
        yield b'null,"complete":true}\n'
        return
    yield b"["
    if first is not None:
        yield first
        async with aclosing(events):
            async for event in events:
                yield b"," + event
    yield b'],"complete":true}\n'


async def _head(web: Web, employee: str) -> dict[str, Any]:
    known = readable(decode_scores, employee, (await web.views.employees([employee])).get(employee))
    keys = await web.views.alert_keys(None, employee)
    alerts = await web.views.alerts([key.alert_id for key in keys])
    records = await _records(web, employee)
    return {
        "employee_id": employee,
        "made_at": instant(web.clock()),
        "as_of": None if known is None else instant(known.as_of),
        "unit": None if known is None else known.update().unit,
        "targets": {} if known is None else known.update().targets,
        "scores": [] if known is None else [row_fields(row) for row in known.update().rows],
        "open_alerts": [msgspec.Raw(value) for value in alerts.values()],
        **records,
    }


async def _records(web: Web, employee: str) -> dict[str, Any]:
    """Profile, assignments and appeals; null where this process has no store."""
    if web.desk is None:
        return {"profile": None, "assignments": None, "appeals": None}
    try:
        return await web.desk.read(lambda connection: _looked_up(connection, employee))
    except DeskClosed:
        raise RequestProblem(503, "the records cannot be read at the moment; ask again later") from None


def _looked_up(connection: Connection, employee: str) -> dict[str, Any]:
    profile = connection.execute(select(employees).where(employees.c.id == employee)).mappings().first()
    held = select(assignments).where(assignments.c.employee == employee).order_by(assignments.c.begins)
    return {
        "profile": None if profile is None else dict(profile),
        "assignments": [{**row, "begins": instant(row["begins"])} for row in connection.execute(held).mappings()],
        "appeals": [_appeal(each) for each in appeals_of(connection, employee)],
    }


def _appeal(appeal: Appeal) -> dict[str, Any]:
    """Times as everywhere else in the document."""
    fields, score, event = appeal._asdict(), appeal.score._asdict(), appeal.score.event
    fields |= {name: instant(fields[name]) for name in ("made_at", "due_at", "answered_at")}
    score |= {name: instant(score[name]) for name in ("window_start", "as_of")}
    return fields | {"score": score | {"event": None if event is None else event._asdict()}}
