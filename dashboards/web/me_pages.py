"""`/me` and `/people/ID`: one page about one person, drawn from the views in one go; the same bytes give a 304.

It stays fresh by asking for itself with If-None-Match: an answer without news costs three look-ups and no drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from jinja2 import Environment
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from agents.views.port import ViewsUnavailable
from dashboards.web.api_types import OpenAlert
from dashboards.web.cast import Cast
from dashboards.web.catalogue import Catalogue, Guide, read_template
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.languages import Words
from dashboards.web.my_page import Card, Page, Sheet, my_page
from dashboards.web.my_words import Tab, Telling
from dashboards.web.names import valid_employee
from dashboards.web.updates import KnownEmployee, decode_scores, decode_unit, readable
from dashboards.web.viewer import oneself
from dashboards.web.web import Web
from schemas.instants import parse_rfc3339
from schemas.unreadable import UNREADABLE
from stream.indicator import Indicator

MOST_ALERTS: Final = 20
RETRY: Final = 3  # s


class Subject(NamedTuple):
    """Whom a page is about, and where it is: `/me` or `/people/ID`."""

    employee: str
    path: str
    own: bool


@get("/me", include_in_schema=False, opt={"right": "read-scores", "subject": oneself})
async def me(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """The page of whoever looks."""
    frame = Frame(request, web)
    subject = subject_of(frame, None)
    return subject if isinstance(subject, Response) else await _person(frame, subject)


@get("/people/{employee_id:str}", include_in_schema=False, opt={"right": "read-scores"})
async def person(request: AnyRequest, web: NamedDependency[Web], employee_id: FromPath[str]) -> Response[Any]:
    """The same page of somebody else."""
    frame = Frame(request, web)
    subject = subject_of(frame, employee_id)
    return subject if isinstance(subject, Response) else await _person(frame, subject)


def subject_of(frame: Frame, employee: str | None) -> Subject | Response[Any]:
    """Whom an address is about (None: the viewer), or the page that says why it is about nobody."""
    if employee is not None:
        if not valid_employee(employee):
            return frame.notice("unknown", 404, employee=employee[:64])
        return Subject(employee, f"/people/{employee}", own=False)
    viewer = frame.viewer
    if viewer is None:
        return nobody(frame)
    if viewer.employee is None:
        return frame.notice("noemployee", 404, account=viewer.account)
    return Subject(viewer.employee, "/me", own=True)


def nobody(frame: Frame) -> Response[Any]:
    """Somebody whom nobody knows wants what is their own. In a demo they choose whom to be."""
    if isinstance(frame.web.gate, Cast):
        return Redirect("/choose", status_code=303, headers={"cache-control": "no-store"})
    return frame.notice("nobody", 401)


async def _person(frame: Frame, subject: Subject) -> Response[Any]:
    web = frame.web
    try:
        read = await _read(web, subject.employee)
    except ViewsUnavailable:
        return frame.notice("unavailable", 503, retry=RETRY)
    if read is None:
        return frame.notice("unknown", 404, retry=RETRY, employee=subject.employee)
    service, since = web.service.state(web.view, web.clock())
    viewer = frame.viewer.account if frame.viewer else ""
    tag = frame.tag([read.known.value, read.unit, *read.alerts, f"{service} {since} {subject} {viewer}".encode()])
    if frame.request.headers.get("if-none-match") == tag:
        return Response(None, status_code=304, headers={"etag": tag, "cache-control": "no-store"})
    values = _values(frame, subject, read) | {"service": service, "since": since}
    values["live"] = frame.part(
        "me_live.html", values
    )  # on its own: blocks within blocks would cost half as much again
    return frame.page("me.html", values, headers={"etag": tag})


class Shared(NamedTuple):
    """Of a template what stands at each of its indicators."""

    title: str
    version: int
    timezone: str


class _Read(NamedTuple):
    known: KnownEmployee
    unit: bytes | None
    alerts: Sequence[bytes]
    catalogue: Catalogue


async def _read(web: Web, employee: str) -> _Read | None:
    known = readable(decode_scores, employee, (await web.views.employees([employee])).get(employee))
    if known is None:
        return None
    update = known.update()
    units = await web.views.units([update.unit]) if update.unit else {}
    keys = await web.views.alert_keys(None, employee)
    found = await web.views.alerts([key.alert_id for key in keys[:MOST_ALERTS]]) if keys else {}
    alerts = [found[key.alert_id] for key in keys if key.alert_id in found]
    versions = {(row.template, row.version) for row in update.rows}
    return _Read(known, units.get(update.unit), alerts, await catalogue_of(web, versions))


async def catalogue_of(web: Web, versions: set[tuple[str, int]]) -> Catalogue:
    """A catalogue with these versions: what screens follow, or read from the views when it is not there yet."""
    known = web.view.catalogue
    if all(known.guide(*version) for version in versions):
        return known
    fresh = Catalogue(read_template)
    for text in await web.views.templates():
        fresh.publish(text.decode("utf-8", "replace"))
    return fresh


def _values(frame: Frame, subject: Subject, read: _Read) -> dict[str, Any]:
    update = read.known.update()
    unit = readable(decode_unit, update.unit, read.unit)
    page = my_page(update, unit.update() if unit else None, read.catalogue, frame.query.get("window"))
    zone = page.sheets[0].guide.timezone if page.sheets else "UTC"
    figures = Figures(frame.words, zone)
    tell = Telling(frame.words, figures)
    return {
        "alerts": _alerts(read.alerts, read.catalogue, frame, figures),
        "as_of": figures.time(read.known.as_of),
        "figures": figures,
        "newest": read.known.newest,
        "newest_text": None if read.known.newest is None else figures.time(read.known.newest),
        "page": page,
        "subject": subject,
        "tabs": _tabs(frame, subject, page, tell),
        "standing": _standings(frame),
        "tell": tell,
        "window": "" if page.window is None else tell.window(page.window),
        "at": parse_rfc3339,
        "zone": zone,
    }


def _shared(guide: Guide, said: Words) -> Shared:
    return Shared(guide.title.get(said.language) or guide.template, guide.version, guide.timezone)


def _standings(frame: Frame) -> Callable[[Card, Sheet], Markup]:
    def standing(card: Card, sheet: Sheet) -> Markup:
        shared = _shared(sheet.guide, frame.words)
        return _standing(frame.web.pages, frame.words, card.indicator, card.share, shared)

    return standing


@lru_cache(maxsize=4096)  # the same for everybody whom the indicator is about
def _standing(pages: Environment, said: Words, indicator: Indicator, share: float, guide: Shared) -> Markup:
    """What an indicator is, whoever's it is."""
    tell = Telling(said, Figures(said, guide.timezone))
    html = pages.get_template("indicator.html").render(
        item=indicator, rule=tell.rule(indicator), share=share, tell=tell, title=guide.title,
        version=str(guide.version), words=said,
    )  # fmt: skip
    return Markup(html)


def _tabs(frame: Frame, subject: Subject, page: Page, tell: Telling) -> list[Tab]:
    return [
        Tab(tell.window(window), frame.link(subject.path, window=window), window == page.window)
        for window in page.windows
    ]


def _alerts(values: Sequence[bytes], catalogue: Catalogue, frame: Frame, figures: Figures) -> list[Mapping[str, Any]]:
    shown: list[Mapping[str, Any]] = []
    for value in values:
        try:
            alert = _decoder.decode(value)
        except UNREADABLE:
            continue
        facts = catalogue.facts(alert.template, alert.version, alert.indicator)
        raised = parse_rfc3339(alert.raised_at)
        shown.append(
            {
                "id": alert.alert_id,
                "severity": alert.severity,
                "state": alert.state,
                "message": alert.message.zh if frame.words.language == "zh" else alert.message.en,
                "since": "" if raised is None else figures.time(raised),
                "folded": alert.folded_into is not None,
                "n": None if alert.n is None else figures.number(alert.n),
                "value": figures.value(alert.value, facts.unit if facts else "", alert.low is not None),
            }
        )
    return shown


_decoder: Final = msgspec.json.Decoder(OpenAlert)
