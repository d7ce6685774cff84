"""The one place where the web lets a request in: each handler says which right it takes; one that says none is shut.

`opt={"right": RIGHT}`: a right of the matrix, or "open" for everybody. The subject is the employee or unit that the
address names (`opt["subject"]` where that takes more than a look at its parameters). A handler that goes through many
people and leaves out those whom the viewer must not see says `"filters": True`; one that does not, and names nobody,
asks for everybody. One that filters and leads on (`"leads_on": True`) opens to whoever is signed in: to those who may
see nothing of what it is about it says where else they may go. `"any_host": True`: answered under whatever name.
"""

from __future__ import annotations

from typing import Any, Final, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from agents.access.audit import Entry
from agents.access.matrix import MATRIX, RIGHTS, Right, cell, relations_of
from agents.access.viewer import NOBODY, Subject, Viewer
from dashboards.web.cookies import credentials_of
from dashboards.web.csrf import check_origin
from dashboards.web.gate import Credentials
from dashboards.web.problems import RequestProblem, SignInNeeded
from dashboards.web.reasons import reason_of
from dashboards.web.remainder import beside_few
from dashboards.web.sight import Sight
from dashboards.web.updates import decode_unit, readable
from dashboards.web.viewer import KEY, known_as
from dashboards.web.web import Web

OPEN: Final = "open"
SAFE: Final = ("GET", "HEAD", "OPTIONS")

Connection = ASGIConnection[Any, Any, Any, Any]


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Runs before every handler. Raises RequestProblem (401, 403, 421), or SignInNeeded for a page."""
    web: Web = connection.app.state.web
    right = handler.opt.get("right")
    credentials = credentials_of(connection)
    if not handler.opt.get("any_host"):
        _demand_host(connection, web, credentials)
    if connection.scope.get("method") == "OPTIONS":  # the framework answers it for every address
        raise RequestProblem(405, "no other site's pages may ask here, and nothing else needs OPTIONS")
    if connection.scope.get("method") not in SAFE:
        await check_origin(connection, credentials, web)
    if right == OPEN:
        connection.scope["state"]["sight"] = Sight(web.gate, NOBODY, credentials)
        return
    if right not in RIGHTS:
        raise RequestProblem(403, "this address says nothing of who may use it, and so nobody may")
    viewer = await web.gate.viewer(credentials)
    if viewer is None or viewer is NOBODY:
        await _refuse_nobody(connection, web, right, credentials)
    sight = Sight(web.gate, cast(Viewer, viewer), credentials)
    connection.scope["state"]["sight"] = sight
    if not sight.open:
        connection.scope["state"][KEY] = known_as(sight.viewer)
    await _check(connection, handler, web, sight, right)


def _demand_host(connection: Connection, web: Web, credentials: Credentials) -> None:
    host = connection.headers.get("host")
    why = web.hosts.refuses(host, credentials.token is not None)
    if why is not None:
        raise RequestProblem(421, why, "Host", host or "")


async def _check(connection: Connection, handler: BaseRouteHandler, web: Web, sight: Sight, right: Right) -> None:
    find = handler.opt.get("subject", named_subject)
    subject: Subject | None = find(connection)
    sight.reason = reason_of(connection, right, subject, web.clock())
    if "none" in relations_of(right):
        await sight.demand(right, Subject())
    elif subject is not None and not (handler.opt.get("filters") and subject.kind == "unit"):
        await sight.demand(right, await _sized(web, sight, subject, right))
    elif handler.opt.get("filters"):
        if not sight.open and not handler.opt.get("leads_on") and not may_ever(sight.viewer, right):
            await sight.demand(right, Subject())
    else:
        await sight.demand(right, Subject())


async def _sized(web: Web, sight: Sight, subject: Subject, right: Right) -> Subject:
    """With how many people a unit has, where that matters to this viewer."""
    relation = sight.rules().relation(sight.viewer, right, subject)
    if subject.kind != "unit" or all(cell(role, relation, right) != "five" for role in sight.viewer.roles):
        return subject
    found = readable(decode_unit, subject.id, (await web.views.units([subject.id])).get(subject.id))
    beside = right == "read-units" and bool(await beside_few(web.views, sight, [subject.id]))
    return Subject("unit", subject.id, 0 if found is None else found.people, beside)


def may_ever(viewer: Viewer, right: Right) -> bool:
    """Whether the viewer has the right towards anybody at all."""
    scoped = "service" not in viewer.roles or right in viewer.scopes
    return scoped and any(said != "no" for role in viewer.roles for said in MATRIX[right].get(role, {}).values())


def named_subject(connection: Connection) -> Subject | None:
    """Whom the address names: an employee before a unit, in its path before its query."""
    path, query = connection.path_params, connection.query_params
    for values in (path, query):
        for name, kind in (("employee_id", "employee"), ("employee", "employee"), ("unit", "unit")):
            if name in values:
                return Subject(cast(Any, kind), str(values[name]))
    return None


async def _refuse_nobody(connection: Connection, web: Web, right: Right, credentials: Credentials) -> None:
    shown = credentials != Credentials()
    if _is_page(connection) and not (shown and credentials.token):
        raise SignInNeeded(_here(connection))
    detail: dict[str, object] = {
        "path": connection.url.path[:200],
        "shown": "something invalid" if shown else "nothing",
    }
    await web.gate.write(Entry(web.clock(), NOBODY.actor, "request", "-", "refused", right, "", detail))
    why = "this token or session opens nothing (any more)" if shown else "sign in, or send a token"
    raise RequestProblem(401, f"{why}: Authorization: Bearer TOKEN", headers={"www-authenticate": "Bearer"})


def _is_page(connection: Connection) -> bool:
    """Whether somebody looks at it in a browser: not the API, not a stream."""
    accepted = connection.headers.get("accept", "")
    return connection.scope.get("method") in ("GET", "HEAD") and "text/html" in accepted


def _here(connection: Connection) -> str:
    query = connection.scope.get("query_string", b"").decode("latin-1")
    raw = connection.scope.get("raw_path") or connection.scope["path"].encode()
    return raw.split(b"?", 1)[0].decode("latin-1") + (f"?{query}" if query else "")
