"""`/me` and `/people/ID`: one page about one person, drawn from the views in one go; the same bytes give a 304.

It stays fresh by asking for itself with If-None-Match: an answer without news costs a look-up and no drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from agents.views.port import ViewsUnavailable
from dashboards.web.api_types import OpenAlert
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.contacts import NOBODY, People
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.my_contacts import drawn
from dashboards.web.my_drawing import Drawing
from dashboards.web.my_page import my_page
from dashboards.web.my_words import Telling
from dashboards.web.past import NONE, Told
from dashboards.web.sight import Sight
from dashboards.web.subject import Subject, subject_of
from dashboards.web.times import instant
from dashboards.web.updates import KnownEmployee, KnownUnit, decode_scores, decode_unit, is_empty, readable
from dashboards.web.viewer import oneself
from dashboards.web.web import Web
from dashboards.web.windows import chosen, windows_of
from schemas.unreadable import UNREADABLE
from schemas.updates import ScoreUpdate, UnitUpdate

MOST_ALERTS: Final = 20
RETRY: Final = 3  # s


@get("/me", include_in_schema=False, opt={"right": "read-scores", "subject": oneself})
async def me(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """The page of whoever looks."""
    frame = Frame(request, web)
    subject = subject_of(frame, None)
    return subject if isinstance(subject, Response) else await _person(frame, subject, sight)


@get("/people/{employee_id:str}", include_in_schema=False, opt={"right": "read-scores"})
async def person(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], employee_id: FromPath[str]
) -> Response[Any]:
    """The same page of somebody else."""
    frame = Frame(request, web)
    subject = subject_of(frame, employee_id)
    return subject if isinstance(subject, Response) else await _person(frame, subject, sight)


async def _person(frame: Frame, subject: Subject, sight: Sight) -> Response[Any]:
    web, name = frame.web, sight.knows_as(subject.employee)
    try:
        read = await _read(frame, subject)
    except ViewsUnavailable:
        return frame.notice("unavailable", 503, retry=RETRY)
    if read is None:
        return frame.notice("unknown", 404, retry=RETRY, employee=subject.employee)
    service, since = web.service.state(web.view, web.clock())
    viewer = frame.viewer.account if frame.viewer else ""
    beside = f"{service} {since} {subject} {viewer} {read.past.name} {read.people} {name}"
    tag = frame.tag([read.known.value, read.unit, *read.alerts, beside.encode()])
    if frame.request.headers.get("if-none-match") == tag:
        return Response(None, status_code=304, headers={"etag": tag, "cache-control": "no-store"})
    return _drawn(frame, subject, name, read, (service, since), {"etag": tag})


class _Read(NamedTuple):
    known: KnownEmployee
    update: ScoreUpdate
    unit: bytes | None
    alerts: Sequence[bytes]
    catalogue: Catalogue
    past: Told
    people: People


async def _read(frame: Frame, subject: Subject) -> _Read | None:
    web, employee = frame.web, subject.employee
    view = await web.views.person(employee, MOST_ALERTS)
    known = readable(decode_scores, employee, view.scores)
    if known is None:
        return None
    update = known.update()
    window = chosen(windows_of(update.rows), frame.query.get("window"))
    past = NONE if window is None else await web.pasts.of(employee, window, known.as_of)
    people = await web.contacts.of(employee) if subject.own else NOBODY
    versions = {(row.template, row.version) for row in update.rows}
    return _Read(known, update, view.unit, view.alerts, await catalogue_of(web, versions), past, people)


async def catalogue_of(web: Web, versions: set[tuple[str, int]]) -> Catalogue:
    """A catalogue with these versions: what screens follow, or read from the views when it is not there yet."""
    known = web.view.catalogue
    if all(known.guide(*version) for version in versions):
        return known
    fresh = Catalogue(read_template)
    for text in await web.views.templates():
        fresh.publish(text.decode("utf-8", "replace"))
    return fresh


def _drawn(
    frame: Frame,
    subject: Subject,
    name: str | None,
    read: _Read,
    service: tuple[str, int | None],
    headers: dict[str, str],
) -> Response[Any]:
    update, known, web = read.update, read.known, frame.web
    newest = None if is_empty(update.rows) else known.newest
    unit = _unit(update.unit, read.unit)
    page = my_page(update, unit, read.catalogue, frame.query.get("window"), read.past.windows)
    zone = page.sheets[0].guide.timezone if page.sheets else "UTC"
    figures = Figures(frame.words, zone)
    drawing = Drawing(frame, subject, page, Telling(frame.words, figures))
    state, since = service
    as_of = figures.time(known.as_of)
    told = {"time": figures.time(since)} if since else {"time": ""}
    text = frame.words("me.as_of", time=as_of) if state == "live" else frame.words(f"service.{state}", **told)
    own = {
        "as_of": as_of,
        "contacts": drawn(frame, read.people),
        "employee": subject.employee,
        "link_text": text,
        "name": name or subject.employee,
        "newest": str(newest),
        "now": instant(web.clock()) or "",  # no part of the page's tag: it is the same page a moment later
        "newest_text": "" if newest is None else figures.time(newest),
        "path": subject.path,
        "sheets": drawing.sheets(list(_alerts(read.alerts)), read.catalogue),
        "since": str(since or ""),
        "tabs": drawing.tabs(),
        "unit": (unit.name.get(frame.words.language) if unit else None) or page.unit,
        "zone": zone,
    }
    kind = Kind(name is not None, bool(page.unit), newest is not None, bool(page.sheets))
    values = {"kind": kind, "service": state, "subject": subject}
    return frame.filled("me.html", (kind, state, subject.own), values, own, headers)


class Kind(NamedTuple):
    """How a page looks: which parts it has."""

    name: bool
    unit: bool
    newest: bool
    sheets: bool


def _unit(unit: str, value: bytes | None) -> UnitUpdate | None:
    known = None if value is None else _pooled(unit, value)
    return None if known is None else known.update()


@lru_cache(maxsize=256)  # the same for everybody in the unit, until it changes
def _pooled(unit: str, value: bytes) -> KnownUnit | None:
    return readable(decode_unit, unit, value)


def _alerts(values: Sequence[bytes]) -> Iterator[OpenAlert]:
    for value in values:
        try:
            yield _decoder.decode(value)
        except UNREADABLE:
            continue


_decoder: Final = msgspec.json.Decoder(OpenAlert)
