"""`/choose`: a demo's visitor picks whom to be of its company, and sees what that one sees. Only with `--demo`.

The choice is a cookie. Everything else is as with a real sign-in: the matrix decides, and the audit log has it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy import select

from agents.access.audit import Entry
from agents.access.viewer import DEMO, Viewer
from agents.records.organisation import Tree, tree_at
from agents.records.tables import employees
from agents.views.port import ViewsUnavailable
from dashboards.web.carried import KEPT
from dashboards.web.cast import Cast, choice
from dashboards.web.cookies import CHOSEN, cookie, credentials_of, gone
from dashboards.web.faces import Company, Player, cast_of
from dashboards.web.forms import texts_of
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.problems import RequestProblem
from dashboards.web.updates import decode_scores, readable
from dashboards.web.web import Web

LASTS: Final = 12 * 3600  # s, as a sign-in does
FORM_BYTES: Final = 4_096
_OPEN: Final = {"right": "open"}


@get("/choose", opt=_OPEN, include_in_schema=False)
async def choose(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """Everybody whom one may be, and who one is."""
    frame = Frame(request, web)
    gate = _cast(web)
    company = await _company(web, gate)
    known = cast_of(gate.players(), company, gate.rules())
    viewer = gate.still(credentials_of(request))
    players = {player.who: player for some in known.values() for player in some}
    values = {
        "called": lambda player: _called(player, company, frame),
        "kinds": known,
        "gone": viewer is None,
        "now": players.get(_who(viewer)),
        "titles": {kind: frame.words(f"choose.{kind}.title") for kind in known},
    }
    return frame.page("choose.html", values)


@post("/choose", opt=_OPEN, include_in_schema=False, status_code=303, request_max_body_size=FORM_BYTES)
async def be(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """Chosen: on to a page of theirs. Without anybody the choice is taken back."""
    frame, gate = Frame(request, web), _cast(web)
    form = await texts_of(request)
    who, page = form.get("who", ""), form.get("page", "")
    frame.kept |= {name: form[name] for name in KEPT if form.get(name, "").isalnum()}
    if not who:
        return _on(frame, "/choose", gone(CHOSEN, web.secure))
    players = cast_of(gate.players(), await _company(web, gate), gate.rules())
    player = next((one for some in players.values() for one in some if one.who == who), None)
    if player is None:
        raise RequestProblem(400, "it is nobody whom one may be here", "who", who[:200])
    if page not in ("", *player.pages):
        raise RequestProblem(400, f"it is one of {', '.join(player.pages)}", "page", page[:200])
    await gate.write(Entry(web.clock(), DEMO.actor, "chosen", who, "done"))
    path = player.pages[page] if page else next(iter(player.pages.values()))
    return _on(frame, path, cookie(CHOSEN, choice(who), web.secure, LASTS))


HANDLERS: Final = (choose, be)


def _cast(web: Web) -> Cast:
    if not isinstance(web.gate, Cast):
        raise RequestProblem(404, "nobody is in the records here whom one could be; `scorestream demo` has a company")
    return web.gate


def _who(viewer: Viewer | None) -> str:
    return "" if viewer is None or viewer.open else viewer.actor


def _on(frame: Frame, path: str, sent: Any) -> Response[Any]:
    return Redirect(frame.link(path), status_code=303, headers={"cache-control": "no-store"}, cookies=[sent])


def _called(player: Player, company: Company, frame: Frame) -> str:
    """A name and where that is, as a list has it."""
    unit = company.called(player.unit, frame.words.language)
    name = company.names.get(player.employee or "", "")
    return f"{name} · {unit}" if name and unit else name or unit or player.who


async def _company(web: Web, gate: Cast) -> Company:
    """The records as they are, and who is at work as far as the views say."""
    names, tree = await asyncio.to_thread(_read, gate, web.clock())
    return Company(tree, names, await _working(web, list(names)))


def _read(gate: Cast, at: int) -> tuple[dict[str, str], Tree]:
    with gate.records.reading() as connection:
        found = connection.execute(select(employees.c.id, employees.c.name))
        return {row.id: row.name for row in found}, tree_at(connection, at)


async def _working(web: Web, people: list[str]) -> dict[str, int]:
    """Who has events of just now, and how many open alerts."""
    try:
        values = await web.views.employees(people)
        now = (await web.views.standing()).now or web.clock()
    except ViewsUnavailable:
        return {}
    known = ((who, readable(decode_scores, who, value)) for who, value in values.items())
    since = now - web.stale_seconds * 1000
    return {who: len(one.update().alerts) for who, one in known if one is not None and (one.newest or 0) > since}
