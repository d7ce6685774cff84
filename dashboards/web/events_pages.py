"""Which events made a score, one by one as `scorestream explain` has them, each with a way to contest it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from agents.explaining import Explanation, NotExplained, event_fields, score_fields
from dashboards.web.evidence import Answer, EvidenceAbsent, EvidenceBusy, EvidenceSlow
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.my_words import Telling
from dashboards.web.subject import Subject, subject_of
from dashboards.web.viewer import oneself
from dashboards.web.web import Web
from schemas.instants import parse_rfc3339
from schemas.rows import TOTALS

A_PAGE: Final = 50  # as many as somebody scrolls through on a phone


@get("/me/events", include_in_schema=False, opt={"right": "read-events", "subject": oneself})
async def my_events(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """Of whoever looks."""
    return await _events(Frame(request, web), None)


@get("/people/{employee_id:str}/events", include_in_schema=False, opt={"right": "read-events"})
async def events_of(request: AnyRequest, web: NamedDependency[Web], employee_id: FromPath[str]) -> Response[Any]:
    """Of somebody else."""
    return await _events(Frame(request, web), employee_id)


async def _events(frame: Frame, employee: str | None) -> Response[Any]:
    subject = subject_of(frame, employee)
    if isinstance(subject, Response):
        return subject
    answer = await explained(frame, subject)
    if isinstance(answer, Response):
        return answer
    return frame.page("events.html", _values(frame, subject, answer))


async def explained(frame: Frame, subject: Subject) -> Answer | Response[Any]:
    """What the address asks for, or the page that says why there is no answer."""
    evidence, query = frame.web.evidence, frame.query
    at = _instant(query.get("as_of"))
    if at is False:
        text = f"as_of {query['as_of'][:64]!r} is not an RFC 3339 time with zone; write 2026-03-02T08:15:00+08:00"
        return problem(frame, subject, text, 400)
    if evidence is None:
        return frame.notice("absent", 503)
    try:
        indicator, window = query.get("indicator", TOTALS[-1]), query.get("window", "day")
        return await evidence.explain(subject.employee, indicator, window, at, query.get("template"))
    except NotExplained as error:
        return problem(frame, subject, str(error), 404)
    except EvidenceBusy as error:
        return frame.notice("busy", 503, retry=error.seconds)
    except EvidenceSlow:
        return frame.notice("slow", 503)
    except EvidenceAbsent:
        return frame.notice("absent", 503)


def problem(frame: Frame, subject: Subject, text: str, status: int) -> Response[str]:
    """A page that says what was wrong, with the way back."""
    return frame.said(frame.words("me.problem.title"), text, status, back=frame.link(subject.path))


def _instant(text: str | None) -> int | bool | None:
    """Milliseconds; None when nothing is asked for, False when it is no time."""
    if text is None:
        return None
    at = parse_rfc3339(text)
    return False if at is None else at


def _values(frame: Frame, subject: Subject, answer: Answer) -> dict[str, Any]:
    found = answer.found
    figures = Figures(frame.words, found.version.timezone)
    tell = Telling(frame.words, figures)
    pages = max(1, -(-len(found.events) // A_PAGE))
    page = min(pages, max(1, int(asked))) if (asked := frame.query.get("page", "1")).isdecimal() else 1
    shown = found.events[(page - 1) * A_PAGE : page * A_PAGE]
    rows = [event_fields(found, counts) for counts in shown]
    query = {
        "indicator": found.row.indicator,
        "window": found.row.window,
        "template": found.row.template,
        "as_of": found.row.as_of,
    }
    return {
        "answer": answer,
        "begins": None if answer.begins is None else figures.time(answer.begins),
        "corrected": _corrections(found),
        "events": rows,
        "figures": figures,
        "at": lambda text: figures.second(parse_rfc3339(text) or 0),
        "mixed": found.mixed >= 0,
        "name": _name(found, tell),
        "names": {item.id: tell.name(item) for item in found.version.template.indicators},
        "next": None if page >= pages else frame.link(f"{subject.path}/events", **query, page=page + 1),
        "page": page,
        "pages": pages,
        "previous": None if page <= 1 else frame.link(f"{subject.path}/events", **query, page=page - 1),
        "query": query,
        "score": score_fields(found),
        "subject": subject,
        "tell": tell,
        "title": found.version.template.title.get(frame.words.language),
        "total": len(found.events),
        "value": None if found.line is None else tell.of_row(found.row, found.line.indicator),
    }


def _name(found: Explanation, tell: Telling) -> str:
    if found.line is None:
        return tell.said(f"total.{found.row.indicator}")
    return tell.name(found.line.indicator)


def _corrections(found: Explanation) -> Mapping[str, Sequence[str]]:
    """By event, the events that correct it."""
    corrected: dict[str, list[str]] = {}
    for each in found.events:
        if each.event.corrects is not None:
            corrected.setdefault(each.event.corrects, []).append(each.event.event_id)
    return corrected
