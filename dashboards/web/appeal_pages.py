"""Appeals on pages: handed in by the person scored, answered by somebody else; plain forms that work without script.

What an appeal records of the score is never taken from the form: it is what was published, or what the log says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from agents.access.appealing import handing_in, settling
from agents.access.viewer import Subject as About
from agents.records.appeals import (
    LONGEST,
    SHOWN,
    Action,
    Appeal,
    AppealError,
    Contested,
    Place,
    Who,
    appeal_of,
    appeals_of,
    listed,
)
from agents.records.contacts import PREFIX, Contact, signed_by
from dashboards.web.catalogue import Catalogue
from dashboards.web.desk import DeskClosed
from dashboards.web.events_pages import explained, problem
from dashboards.web.evidence import Answer
from dashboards.web.figures import Figures
from dashboards.web.forms import texts_of
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.hr_frame import HrFrame, hr_frame, may
from dashboards.web.known import employee_of
from dashboards.web.me_pages import RETRY, catalogue_of
from dashboards.web.my_contacts import answerers
from dashboards.web.my_words import Telling
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.subject import Subject, nobody, subject_of
from dashboards.web.viewer import oneself
from dashboards.web.web import Web
from schemas.event import TOPIC_OF
from schemas.instants import format_rfc3339, parse_rfc3339
from schemas.rows import ScoreRow

FORM_BYTES: Final = 65_536
ASKED: Final = ("indicator", "window", "template", "as_of", "topic", "offset")
REFUSED: Final = {"appeal": 409, "by": 403}  # by the field that is wrong
ANSWERS: Final[Mapping[str, Action]] = {"uphold": "uphold", "reject": "reject"}


@get("/me/appeal", include_in_schema=False, opt={"right": "appeal", "subject": oneself})
async def appeal_form(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """A form about one score, or one of its events."""
    frame = Frame(request, web)
    subject = subject_of(frame, None)
    return subject if isinstance(subject, Response) else await _form(frame, subject)


@post("/me/appeals", include_in_schema=False, opt={"right": "appeal", "subject": oneself},
      request_max_body_size=FORM_BYTES)  # fmt: skip
async def make_appeal(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """Hands an appeal in, and shows it among the others."""
    frame = Frame(request, web)
    subject, desk = subject_of(frame, None), web.desk
    if isinstance(subject, Response):
        return subject
    if desk is None:
        return frame.notice("unavailable", 503)
    form = await texts_of(request)
    frame.query |= {name: form[name] for name in ASKED if form.get(name)}
    score = await _contested(frame, subject)
    if isinstance(score, Response):
        return score
    try:
        work = handing_in(score, form.get("text", ""), subject.employee, _who(frame), web.clock(), web.appeal_days)
        await desk.write(work)
    except AppealError as error:
        return await _form(frame, subject, text=form.get("text", ""), wrong=str(error))
    except DeskClosed:
        return frame.notice("unavailable", 503)
    return _see(frame, "/me/appeals")


@get("/me/appeals", include_in_schema=False, opt={"right": "appeal", "subject": oneself})
async def my_appeals(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """What the person ever handed in, with the answers."""
    frame = Frame(request, web)
    subject = subject_of(frame, None)
    if isinstance(subject, Response):
        return subject
    return await _list(frame, lambda records: appeals_of(records, subject.employee), own=True)


@post("/me/appeals/{number:int}/withdraw", include_in_schema=False, opt={"right": "appeal", "subject": oneself},
      request_max_body_size=FORM_BYTES)  # fmt: skip
async def withdraw(request: AnyRequest, web: NamedDependency[Web], number: FromPath[int]) -> Response[Any]:
    """Takes an appeal back."""
    frame = Frame(request, web)
    subject = subject_of(frame, None)
    return subject if isinstance(subject, Response) else await _settle(frame, number, "withdraw", "", "/me/appeals")


@get("/appeals", include_in_schema=False, opt={"right": "answer-appeals", "filters": True})
async def all_appeals(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """What waits for an answer of whoever looks, overdue ones first."""
    frame = await hr_frame(request, web, sight, "appeals")
    if frame.viewer is None:
        return nobody(frame)
    closed, now = frame.query.get("closed") == "1", web.clock()
    return await _list(frame, lambda records: _answerable(listed(records, now, closed=closed), sight), own=False)


def _answerable(appeals: Sequence[Appeal], sight: Sight) -> list[Appeal]:
    return [one for one in appeals if sight.decide("answer-appeals", About("employee", one.employee)).allowed]


@post("/appeals/{number:int}/answer", include_in_schema=False, opt={"right": "answer-appeals", "filters": True},
      request_max_body_size=FORM_BYTES)  # fmt: skip
async def answer_appeal(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], number: FromPath[int]
) -> Response[Any]:
    """Answers for good."""
    frame = Frame(request, web)
    if frame.viewer is None:
        return nobody(frame)
    form = await texts_of(request)
    action = ANSWERS.get(form.get("decision", ""))
    if action is None:
        raise RequestProblem(400, "decision is uphold or reject", "decision", form.get("decision"))
    if web.desk is not None:
        with suppress(AppealError, DeskClosed):  # said below
            appeal = await web.desk.read(lambda records: appeal_of(records, number))
            await sight.demand("answer-appeals", About("employee", appeal.employee))
    return await _settle(frame, number, action, form.get("answer", ""), "/appeals")


async def _settle(frame: Frame, number: int, action: Action, text: str, after: str) -> Response[Any]:
    desk = frame.web.desk
    if desk is None:
        return frame.notice("unavailable", 503)
    try:
        await desk.write(settling(number, action, text, _who(frame), frame.web.clock()))
    except AppealError as error:
        status = REFUSED.get(error.field, 400)
        return frame.said(frame.words("me.problem.title"), str(error), status, back=frame.link(after))
    except DeskClosed:
        return frame.notice("unavailable", 503)
    return _see(frame, after)


async def _form(frame: Frame, subject: Subject, text: str = "", wrong: str = "") -> Response[Any]:
    score = await _contested(frame, subject)
    if isinstance(score, Response):
        return score
    catalogue = await catalogue_of(frame.web, {(score.template, score.version)})
    values = {
        "answerers": await _answerers(frame),
        "asked": {name: frame.query[name] for name in ASKED if name in frame.query},
        "days": frame.web.appeal_days,
        "event_at": frame.query.get("event_at"),
        "longest": LONGEST,
        "score": _shown(score, catalogue, frame),
        "subject": subject,
        "text": text,
        "wrong": wrong,
    }
    return frame.page("appeal.html", values, status=400 if wrong else 200)


async def _contested(frame: Frame, subject: Subject) -> Contested | Response[Any]:
    """The score that is meant: of the past from the log, else as it is published now."""
    if "as_of" in frame.query:
        answer = await explained(frame, subject)
        return answer if isinstance(answer, Response) else _of_log(frame, subject, answer)
    wanted = [frame.query.get(name, "") for name in ("indicator", "window", "template")]
    rows = (await employee_of(frame.web.views, subject.employee)).update().rows
    found = [row for row in rows if [row.indicator, row.window] == wanted[:2] and wanted[2] in ("", row.template)]
    if len(found) != 1:
        text = f"indicator {wanted[0]!r} in window {wanted[1]!r} is no score of {subject.employee}"
        return problem(frame, subject, text, 404)
    return _of_row(found[0], None)


def _of_log(frame: Frame, subject: Subject, answer: Answer) -> Contested | Response[Any]:
    topic, offset = frame.query.get("topic"), frame.query.get("offset")
    if topic is None and offset is None:
        return _of_row(answer.found.row, None)
    for each in answer.found.events:
        event = each.event
        if (TOPIC_OF[event.type.partition(".")[0]], str(event.offset)) == (topic, offset):
            place = Place(str(topic), answer.partition, event.offset, event.event_id)
            return _of_row(answer.found.row, place)
    return problem(frame, subject, f"offset {offset!r} of {topic!r} is no event of this score", 404)


def _of_row(row: ScoreRow, event: Place | None) -> Contested:
    start, at = parse_rfc3339(row.window_start), parse_rfc3339(row.as_of)
    n = None if row.n is None else float(row.n)
    value = None if row.value is None else float(row.value)
    return Contested(row.template, row.version, row.indicator, row.window, start or 0, at or 0, value, n, event)


async def _list(frame: Frame, ask: Callable[[Connection], list[Appeal]], *, own: bool) -> Response[Any]:
    if frame.web.desk is None:
        return frame.notice("unavailable", 503)

    def look(connection: Connection) -> tuple[list[Appeal], dict[str, str]]:
        appeals = ask(connection)
        return appeals, signed_by(connection, {each.answered_by for each in appeals if each.answered_by})

    try:
        found, called = await frame.web.desk.read(look)
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    catalogue = await catalogue_of(frame.web, {(each.score.template, each.score.version) for each in found})
    now = frame.web.clock()
    values = {
        "appeals": [_entry(each, catalogue, frame, now) | _by(each, called) for each in found],
        "answerers": await _answerers(frame) if own else (),
        "closed": frame.query.get("closed") == "1",
        "longest": LONGEST,
        "open_count": sum(each.state == "open" for each in found),
        "own": own,
        "places": frame.places() if isinstance(frame, HrFrame) and may(frame.sight, "read-people") else (),
        "most": SHOWN,
    }
    return frame.page("appeals.html", values)


def _by(appeal: Appeal, called: Mapping[str, str]) -> dict[str, str]:
    """Who has answered, by the name that the records have for the account."""
    account = appeal.answered_by or ""
    return {"by": called.get(account, account.removeprefix(PREFIX))}


async def _answerers(frame: Frame) -> tuple[Contact, ...]:
    """Who may answer an appeal of whoever looks."""
    viewer, contacts = frame.viewer, frame.web.contacts
    if viewer is None or viewer.employee is None:
        return ()
    return answerers(await contacts.of(viewer.employee))


def _entry(appeal: Appeal, catalogue: Catalogue, frame: Frame, now: int) -> dict[str, Any]:
    guide = catalogue.guide(appeal.score.template, appeal.score.version)
    figures = Figures(frame.words, guide.timezone if guide else "UTC")
    viewer = frame.viewer
    score = appeal.score
    path = "/me" if viewer is not None and viewer.employee == appeal.employee else f"/people/{appeal.employee}"
    asked = {"indicator": score.indicator, "window": score.window, "template": score.template}
    return {
        "appeal": appeal,
        "answered": None if appeal.answered_at is None else figures.time(appeal.answered_at),
        "due": figures.time(appeal.due_at),
        "events": frame.link(f"{path}/events", **asked, as_of=format_rfc3339(score.as_of)),
        "made": figures.time(appeal.made_at),
        "overdue": appeal.overdue(now),
        "score": _shown(score, catalogue, frame),
        "yours": viewer is not None and appeal.employee in (viewer.employee, viewer.account),
    }


def _shown(score: Contested, catalogue: Catalogue, frame: Frame) -> dict[str, Any]:
    facts = catalogue.facts(score.template, score.version, score.indicator)
    guide = catalogue.guide(score.template, score.version)
    figures = Figures(frame.words, guide.timezone if guide else "UTC")
    total = score.indicator.startswith("@")
    name = frame.words(f"total.{score.indicator}") if total else (facts.name.get(frame.words.language) if facts else "")
    value = figures.value(score.value, facts.unit if facts else "", facts.is_rate if facts else False)
    return {
        "as_of": figures.time(score.as_of),
        "event": score.event,
        "n": None if score.n is None else figures.number(score.n),
        "name": name or score.indicator,
        "value": value,
        "window": Telling(frame.words, figures).window(score.window),
    }


def _who(frame: Frame) -> Who:
    viewer = frame.viewer
    return Who("") if viewer is None else Who(viewer.account, viewer.employee)


def _see(frame: Frame, path: str) -> Response[Any]:
    """What the form changed, by its own address, so that a reload hands in nothing again."""
    return Redirect(frame.link(path), status_code=303, headers={"cache-control": "no-store"})
