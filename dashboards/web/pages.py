"""The pages that people look at. Each of them heals by itself: nobody walks up to a screen to press reload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ASGIApp

from agents.access.viewer import Subject
from agents.views.port import ViewsUnavailable
from dashboards.web.carried import LOOKS, asking, kept_of, languages_of, looks_of
from dashboards.web.event_stream import EventStream
from dashboards.web.funnel_page import funnel_values
from dashboards.web.guard import may_ever
from dashboards.web.hub import TooManyScreens
from dashboards.web.languages import Words, choose, words
from dashboards.web.names import path_segments, unit_segment, valid_unit
from dashboards.web.problems import RequestProblem
from dashboards.web.remainder import seen_entries
from dashboards.web.sight import Sight
from dashboards.web.start_page import start_page
from dashboards.web.times import instant
from dashboards.web.updates import decode_unit, readable
from dashboards.web.web import Web
from dashboards.web.whoami import role_of

NO_STORE: Final = {"cache-control": "no-store"}

AnyRequest = Request[Any, Any, Any]


def page_templates() -> Environment:
    """The HTML templates of this package; everything put into them is escaped."""
    return Environment(
        loader=PackageLoader("dashboards.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip


@get("/", include_in_schema=False, opt={"right": "read-units", "filters": True, "leads_on": True})
async def start(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]
) -> Response[str] | Redirect:
    """The first board; a page that waits for one; or, where none of them is for the viewer, what else there is."""
    units = await unit_ids(web, sight)
    if not units:
        if units is not None and not sight.open and (not may_ever(sight.viewer, "read-units") or await _any(web)):
            return start_page(request, web, sight)
        return page(request, web, "waiting.html", 200, unavailable=units is None)
    query = request.scope["query_string"].decode("latin-1")
    return Redirect(f"/board/{unit_segment(units[0])}" + (f"?{query}" if query else ""), headers=NO_STORE)


def unit_of_address(connection: ASGIConnection[Any, Any, Any, Any]) -> Subject | None:
    """The unit whose board, stream or funnel an address asks for; None where it is none."""
    segments = segments_of(connection)
    return Subject("unit", segments[0]) if segments and valid_unit(segments[0]) else None


@get(
    ["/board", "/board/{address:path}"],
    include_in_schema=False,
    opt={"right": "read-units", "subject": unit_of_address},
)
async def board(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> ASGIApp:
    """A unit's board, its stream, its funnel. The address is read as it was sent: a unit may have a slash in its id."""
    # The parameter of the route is already decoded and is not used.
    segments = segments_of(request)
    if not segments or not valid_unit(segments[0]) or segments[1:] not in ([], ["stream"], ["funnel"]):
        units = await unit_ids(web, sight) or []
        return as_asgi(request, page(request, web, "unknown.html", 404, unit="/".join(segments)[:200], units=units))
    if segments[1:] == ["stream"]:
        return await _stream(web, segments[0], sight)
    if segments[1:] == ["funnel"] and await unit_is_there(web, segments[0]):
        return as_asgi(request, await _funnel(request, web, segments[0], sight))
    if await unit_is_there(web, segments[0]):
        return as_asgi(
            request, page(request, web, "board.html", 200, unit=segments[0], more={"look": sight.viewer.look})
        )
    units = await unit_ids(web, sight) or []
    return as_asgi(request, page(request, web, "unknown.html", 404, unit=segments[0], units=units))


async def _funnel(request: AnyRequest, web: Web, unit: str, sight: Sight) -> Response[str]:
    """While nobody can say, a page that waits."""
    try:
        values = await funnel_values(web, unit, request.query_params, said_to(request, web), sight)
    except ViewsUnavailable:
        return page(request, web, "waiting.html", 200, unit=unit, unavailable=True)
    return page(request, web, "funnel.html", 200, unit=unit, more=values)


async def unit_is_there(web: Web, unit: str) -> bool:
    """Whether there is such a unit; while nobody can say, its board opens and tells so."""
    try:
        return bool(await web.views.units([unit]))
    except ViewsUnavailable:
        return True


async def unit_ids(web: Web, sight: Sight) -> list[str] | None:
    """The units whose board the viewer may see, by id; None while nobody can say."""
    try:
        if sight.open:
            return await web.views.unit_ids()
        return [entry.unit for entry in await seen_entries(web.views, sight)]
    except ViewsUnavailable:
        return None


async def _any(web: Web) -> bool:
    """Whether there is a board for anybody."""
    return bool(await web.views.unit_ids())


async def _stream(web: Web, unit: str, sight: Sight) -> ASGIApp:
    try:
        web.hub.admit()
    except TooManyScreens as full:
        raise RequestProblem(503, str(full)) from full
    found = readable(decode_unit, unit, (await web.views.units([unit])).get(unit)) if not sight.open else None
    seen = [who for who in (found.members if found else ()) if sight.sees(who)]
    await sight.tell("read-scores", Subject("unit", unit), seen, "watch")

    def still() -> bool:
        viewer = web.gate.still(sight.credentials)
        known = web.view.units.get(unit)
        people = known.people if known else found.people if found else 0
        return viewer == sight.viewer and sight.sees_unit(unit, people)

    return EventStream(web.follower, web.hub, web.watch, unit, sight, still)


def page(
    request: AnyRequest,
    web: Web,
    name: str,
    status: int,
    unit: str = "",
    units: Sequence[str] = (),
    unavailable: bool = False,
    more: Mapping[str, Any] = {},
) -> Response[str]:
    said = said_to(request, web)
    theme, kept = request.query_params.get("theme", ""), asking(kept_of(request.query_params))
    shown = theme if theme in LOOKS else "wall"
    html = web.pages.get_template(name).render(
        asset=web.assets.address,
        build=web.assets.build,
        languages=languages_of("", request.query_params, said.language),
        looks=looks_of("", request.query_params, shown, said),
        now=instant(web.clock()),
        role=role_of(request, web, said),
        stale_seconds=web.stale_seconds,
        stream=f"/board/{unit_segment(unit)}/stream",
        theme=shown,
        unavailable=unavailable,
        unit=unit,
        units=[(known, f"/board/{unit_segment(known)}" + kept) for known in units],
        words=said,
        **more,
    )
    headers = {**NO_STORE, "content-language": said.tag, "vary": "accept-language"}
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)


def said_to(request: AnyRequest, web: Web) -> Words:
    asked = request.query_params.get("lang")
    return words(choose(asked, web.language, request.headers.get("accept-language", "")))


def as_asgi(request: AnyRequest, response: Response[str]) -> ASGIApp:
    return response.to_asgi_response(app=None, request=request)


def segments_of(connection: ASGIConnection[Any, Any, Any, Any]) -> list[str]:
    """What follows the first segment of the address, as it was sent."""
    raw = connection.scope.get("raw_path") or connection.scope["path"].encode()
    return [segment for segment in path_segments(raw) if segment][1:]


@get("/assets/{build:str}/{name:str}", opt={"right": "open"}, include_in_schema=False, sync_to_thread=False)
def asset(web: NamedDependency[Web], build: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file of a page. Under its own build it may be kept for ever; an older page gets today's file."""
    found = web.assets.get(name)
    if found is None:
        raise RequestProblem(404, "there is no such file", "name", name)
    keep = "public, max-age=31536000, immutable" if build == web.assets.build else "no-store"
    return Response(found.content, media_type=found.content_type, headers={"cache-control": keep})
