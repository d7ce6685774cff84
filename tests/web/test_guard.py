"""The running application lets in whom the matrix lets in: every role, relation, right and field; nothing undeclared.

What is expected comes from tests/access/table.py, which was written down by hand and knows nothing of the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from litestar import Litestar, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from sqlalchemy import select

from agents.access import naming
from agents.access.audit import verify
from agents.access.matrix import RIGHTS
from agents.records.access_tables import audit
from agents.records.edits import show_names
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from dashboards.web.sight import Sight
from tests.access import table
from tests.web.factories import NOW, alert
from tests.web.gates import OPEN, WORKS, Company, everybody
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
ABOUT: Final = {"own": "mona", "team": "plant-1", "subtree": "L1-1", "others": "office-3"}  # to mona
ABOUT_BOUND: Final = ("team", "subtree")  # what a unit that a token is bound to is to it
PEOPLE_RIGHTS: Final = sorted({right for _, relation, right in table.cells() if relation == "own"})
ACCOUNT_ROLES: Final = ("employee", "supervisor", "hr", "auditor", "admin")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store; for each role an account of mona's, which is an employee's too."""
    made = Company(tmp_path_factory.mktemp("company"))
    for role in ACCOUNT_ROLES:
        made.admin.add_account(f"mona-{role}", "mona", [role])
        made.admin.add_account(f"worker-{role}", "L1-2", [role])
    return made


@pytest.fixture(scope="module")
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The application, with a probe for each right."""
    shelf = everybody(tmp_path_factory.mktemp("views"))
    shelf.apply([alert("a-L1", None, unit="L1"), alert("a-L2", None, unit="L2")])
    app = create_app(shelf.reader(), clock=lambda: company.at, access=company.gate())
    for right in RIGHTS:
        app.register(_probe(right))
    app.register(_fields)
    app.register(_undeclared)
    app.register(_write)
    with TestClient(app) as made:
        made.follow_redirects = False
        yield made


def _probe(right: str) -> Any:
    @get(
        [f"/probe/{right}", f"/probe/{right}/e/{{employee:str}}", f"/probe/{right}/u/{{unit:str}}"],
        opt={"right": right},
    )
    async def probe() -> str:
        return "in"

    return probe


@get("/probe-fields/{who:str}", opt={"right": "read-scores", "filters": True})
async def _fields(sight: NamedDependency[Sight], who: FromPath[str]) -> dict[str, str]:
    fields = ("id", "name", "values", "sample", "alerts", "events", "contact")
    return {field: sight.form(who, field) for field in fields}  # type: ignore[arg-type]


@get("/undeclared")
async def _undeclared() -> str:
    return "in"


@post("/probe-write", opt={"right": "read-templates"})
async def _write(request: Request[Any, Any, Any]) -> str:
    return "in"


def bearer(token: str) -> Mapping[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


def status(client: Client, address: str, session: str = "", **headers: str) -> int:
    """The status of a GET with a cookie."""
    cookie = {"cookie": f"{SESSION}={session}"} if session else {}
    return client.get(address, headers={**cookie, **headers}).status_code


@pytest.mark.parametrize("policy", [False, True])
def test_every_account_role_relation_and_right(client: Client, company: Company, policy: bool) -> None:
    """An account is what any of its roles is: 200 where the page says yes, 403 anywhere else."""
    company.admin.set_policy("subtree", policy)
    client.app.state.web.gate.refresh()
    cells, wrong = table.cells(), []
    for role in ACCOUNT_ROLES:
        session = company.session(f"mona-{role}")
        for relation, subject in ABOUT.items():
            for right in PEOPLE_RIGHTS:
                if right == "read-units":
                    continue
                letters = {cells[role, relation, right], cells["employee", relation, right]}
                plain = "y" in letters or ("p" in letters and policy)
                address = f"/probe/{right}/e/{subject}"
                found = (
                    status(client, address, session),
                    status(client, address, session, **{"scorestream-reason": "x"}),
                )
                expected = (200 if plain else 403, 200 if plain or "r" in letters else 403)
                wrong += [(role, relation, right, expected, found)] if expected != found else []
        for right in sorted({right for _, relation, right in cells if relation == "none"}):
            expected_one = 200 if "y" in {cells[role, "none", right], cells["employee", "none", right]} else 403
            if expected_one != (got := status(client, f"/probe/{right}", session)):
                wrong.append((role, "none", right, (expected_one, 0), (got, 0)))
    assert [] == wrong


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_every_relation_to_a_unit(client: Client, company: Company, role: str) -> None:
    """Pooled numbers: of one's own unit, of those in one's charge, below them, and of others."""
    units = [
        ("mona", "plant", "team"),
        ("mona", "L2", "subtree"),
        ("mona", "office", "others"),
        ("worker", "L1", "own"),
    ]
    for who, unit, relation in units:
        letters = {table.cells()[one, relation, "read-units"] for one in (role, "employee")}
        session = company.session(f"{who}-{role}")
        expected = 200 if letters & {"y", "5"} else 403
        assert expected == status(client, f"/probe/read-units/u/{unit}", session), (role, unit)
        assert expected == status(client, f"/api/v1/units/{unit}", session), (role, unit)
        assert expected == status(client, f"/board/{unit}", session), (role, unit)


def test_a_number_of_fewer_than_five_people_is_not_pooled(client: Client, company: Company) -> None:
    """One's own line of three is shown to its lead, not to those who work there."""
    assert 403 == status(client, "/api/v1/units/L2", company.session("small"))
    assert 200 == status(client, "/api/v1/units/L2", company.session("manager"))


@pytest.mark.parametrize("right", PEOPLE_RIGHTS)
@pytest.mark.parametrize("role", ["screen", "service"])
def test_every_token_relation_and_right(client: Client, company: Company, role: str, right: str) -> None:
    """A token does what its scopes say, where it is bound to; a screen's shows nobody by name."""
    cells = table.cells()
    possible = any(cells[role, relation, right] != "-" for relation in table.PEOPLE)
    scopes = [right] if any(cells[role, relation, right] != "-" for relation in ABOUT_BOUND) else ["read-units"]
    bound = bearer(company.token("plant", *scopes, screen=role == "screen"))
    of_line = bearer(company.token("L1", *scopes, screen=role == "screen"))
    client.app.state.web.gate.refresh()
    for relation, subject in (("team", "plant-1"), ("subtree", "L1-1"), ("others", "office-3")):
        letter = cells[role, relation, right]
        expected = 200 if letter == "s" and relation != "others" else 403  # bound: nothing outside
        assert expected == client.get(f"/probe/{right}/e/{subject}", headers=bound).status_code, (relation, subject)
    if role == "service" and possible:
        free, without = bearer(company.token(None, right)), bearer(company.token(None, "operate"))
        client.app.state.web.gate.refresh()
        assert 200 == client.get(f"/probe/{right}/e/office-3", headers=free).status_code
        assert 403 == client.get(f"/probe/{right}/e/office-3", headers=without).status_code
    if role == "screen":
        five = 200 if cells["screen", "team", right] == "5" else 403
        assert five == client.get(f"/probe/{right}/u/L1", headers=of_line).status_code
        assert 403 == client.get(f"/probe/{right}/u/L2", headers=bound).status_code  # three people


@pytest.mark.parametrize("right", sorted({right for _, relation, right in table.cells() if relation == "none"}))
@pytest.mark.parametrize("role", ["screen", "service"])
def test_every_token_and_right_about_nobody(client: Client, company: Company, role: str, right: str) -> None:
    """With the scope, where there may be one; without it, never."""
    may = table.cells()[role, "none", right] == "s"
    with_scope = company.token(
        "L1" if role == "screen" else None, *([right] if may else ["read-units"]), screen=role == "screen"
    )
    without = company.token("L1", "read-units", screen=role == "screen")
    client.app.state.web.gate.refresh()
    assert (200 if may else 403) == client.get(f"/probe/{right}", headers=bearer(with_scope)).status_code
    assert 403 == client.get(f"/probe/{right}", headers=bearer(without)).status_code


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("policy", [False, True])
def test_every_role_relation_and_field(client: Client, company: Company, policy: bool, names: bool) -> None:
    """A field is seen where the page shows it and the right to it is there; a name where the site opted in besides."""
    company.admin.set_policy("subtree", policy)
    decided = show_names("company", "shown" if names else "hidden")
    naming.change(company.records, decided, actor="os:test", by="test", now=NOW)
    visible, cells, needs = table.visible(), table.cells(), {
        "name": "read-people", "values": "read-scores", "sample": "read-scores", "alerts": "read-alerts",
        "events": "read-events", "contact": "read-people",
    }  # fmt: skip
    viewers: dict[str, Mapping[str, str]] = {
        role: {"cookie": f"{SESSION}={company.session(f'mona-{role}')}"} for role in ACCOUNT_ROLES
    }
    viewers["screen"] = bearer(company.token("plant", screen=True))
    viewers["service"] = bearer(company.token("plant", "read-scores", "read-alerts"))
    client.app.state.web.gate.refresh()
    for role, headers in viewers.items():
        for relation, subject in ABOUT.items():
            if role in ("screen", "service") and relation in ("own", "others"):
                continue
            roles = {role, "employee"} if role in ACCOUNT_ROLES else {role}
            found = client.get(f"/probe-fields/{subject}", headers=headers).json()
            for field, form in found.items():
                shown = "hidden"
                for one in roles:
                    seen = visible.get((one, relation), set())
                    needed = "read-scores" if (one, field) == ("screen", "name") else needs.get(field)
                    letter = cells[one, relation, needed] if needed else "y"
                    may = letter in "y5s" or (letter == "p" and policy)
                    may &= names or field != "name" or relation == "own"
                    if field in seen and may:
                        shown = "shown"
                    elif field == "id" and "(P)" in seen and shown == "hidden":
                        shown = "pseudonym"
                assert shown == form, (role, relation, field)


def test_nothing_undeclared_is_reachable(client: Client) -> None:
    """Each address says which right it takes; what is not for everybody asks for a sign-in, also HEAD and OPTIONS."""
    shut = []
    for route in client.app.routes:
        if not isinstance(route, HTTPRoute) or route.path == "/undeclared":
            continue
        for handler, _ in route.route_handler_map.values():
            right = handler.opt.get("right")
            if "OPTIONS" in handler.http_methods:
                assert 405 == client.options(_example(route)).status_code  # made by the framework
                continue
            assert right in (*RIGHTS, "open"), route.path
            if right != "open":
                shut.append(route.path)
                for method in handler.http_methods:
                    assert client.request(method, _example(route)).status_code == 401, route.path
    assert {"/", "/board", "/api/v1/units", "/api/v1/scores", "/api/v1/alerts"} <= set(shut)


def _example(route: HTTPRoute) -> str:
    parts = [part if isinstance(part, str) else "1" if part.type is int else "L1" for part in route.path_components]
    return "/" + "/".join(parts)


def test_a_handler_that_says_nothing_is_shut(client: Client, company: Company) -> None:
    """For everybody, whatever they may."""
    assert 403 == status(client, "/undeclared", company.session("personnel"))


def test_lists_are_filtered(client: Client, company: Company) -> None:
    """Everybody asks for everything, and gets what is theirs; who is asked for by name is refused."""
    company.admin.set_policy("subtree", False)
    client.app.state.web.gate.refresh()

    def people(account: str, address: str, key: str) -> set[str]:
        answer = client.get(address, headers={"cookie": f"{SESSION}={company.session(account)}"})
        assert 200 == answer.status_code
        return {row["employee_id"] or row["unit"] for row in answer.json()[key]}

    line = {who for who, unit in WORKS.items() if unit == "L1"}
    assert {"L1-1"} == people("worker", "/api/v1/scores", "rows")
    assert line == people("lead", "/api/v1/scores", "rows")
    assert {"mona", "plant-1"} == people("manager", "/api/v1/scores", "rows")
    assert set(WORKS) == people("personnel", "/api/v1/scores", "rows")
    assert {"L1-1"} == people("worker", "/api/v1/alerts", "alerts")
    assert line | {"L1"} == people("lead", "/api/v1/alerts", "alerts")
    assert set() == people("lead", "/api/v1/scores?unit=office", "rows")
    lead = company.session("lead")
    assert 403 == status(client, "/api/v1/scores?employee=office-3", lead)
    assert 403 == status(client, "/api/v1/alerts/a-office-3", lead)
    assert 200 == status(client, "/api/v1/alerts/a-L1-1", lead)
    units = client.get("/api/v1/units", headers={"cookie": f"{SESSION}={lead}"}).json()["units"]
    assert ["L1"] == [entry["unit"] for entry in units]
    assert ("/board/L1", 302) == (lambda a: (a.headers["location"], a.status_code))(
        client.get("/", headers={"cookie": f"{SESSION}={lead}"})
    )


def test_a_screens_funnel_has_pseudonyms(client: Client, company: Company) -> None:
    """Stable within a day, others the next day and elsewhere; nobody's id is on the page."""
    naming.change(company.records, show_names("company", None), actor="os:test", by="test", now=NOW)
    token = bearer(company.token("L1", screen=True))
    client.app.state.web.gate.refresh()
    page = client.get("/board/L1/funnel", headers=token)
    assert 200 == page.status_code
    assert "P-" in page.text
    assert [] == [who for who in WORKS if f">{who}<" in page.text or f">{who}:" in page.text]
    gate = client.app.state.web.gate
    today = gate.pseudonym("L1", "L1-1")
    assert today in page.text
    assert today != gate.pseudonym("L2", "L1-1")
    assert today == gate.pseudonym("L1", "L1-1")


def test_refusals_and_reads_of_others_are_written_down(client: Client, company: Company) -> None:
    """Who, whom, by which right, how related, why; one's own scores are no news. The chain holds."""
    lead, before = company.session("lead"), _last(company)
    for address in ("/api/v1/employees/lea", "/api/v1/employees/L1-1", "/api/v1/employees/office-3", "/api/v1/scores"):
        status(client, address, lead)
    with company.records.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.number > before).order_by(audit.c.number)).all()
        assert verify(connection).broken is None
    told = [(row.actor, row.subject, row.right, row.relation, row.outcome) for row in rows]
    assert [
        ("account:lead", "employee:L1-1", "read-scores", "team", "allowed"),
        ("account:lead", "employee:office-3", "read-scores", "others", "refused"),
        ("account:lead", "-", "read-scores", "", "allowed"),
    ] == told
    assert '"count":5' in rows[2].detail


def _last(company: Company) -> int:
    with company.records.reading() as connection:
        return verify(connection).head.entries


def test_who_shows_nothing_is_asked_to_sign_in(client: Client) -> None:
    """A page leads to the sign-in and back; the API says how to ask; both leave an entry in the log or none."""
    page = client.get("/board/L1?theme=light", headers={"accept": "text/html"})
    assert (302, "/sign-in?next=%2Fboard%2FL1%3Ftheme%3Dlight") == (page.status_code, page.headers["location"])
    answer = client.get("/api/v1/units")
    assert (401, "Bearer") == (answer.status_code, answer.headers["www-authenticate"])
    assert 401 == client.get("/api/v1/units", headers=bearer("sst_wrong")).status_code
    assert 401 == client.get("/api/v1/units", headers={"cookie": f"{SESSION}=wrong"}).status_code
    assert 401 == client.get("/api/v1/units?access_token=sst_x&token=x").status_code


def test_anonymous_refusals_cannot_fill_the_disk(client: Client, company: Company) -> None:
    """Ten a second are written down."""
    company.at += 60_000
    client.app.state.web.gate.refresh()
    before = _last(company)
    for _ in range(40):
        client.get("/api/v1/units")
    assert 10 == _last(company) - before


def test_a_write_by_cookie_comes_from_a_page_of_ours(client: Client, company: Company) -> None:
    """With our Origin and the session's token; a token in a header needs neither."""
    from dashboards.web.csrf import token_of

    session = company.session("personnel")
    ours, good = "http://testserver.local", {"cookie": f"{SESSION}={session}"}
    csrf = {"x-csrf-token": token_of(session)}

    def sent(**headers: str) -> int:
        return client.post("/probe-write", headers={**good, **headers}).status_code

    assert 201 == sent(origin=ours, **csrf)
    assert (
        201
        == client.post("/probe-write", headers={**good, "origin": ours}, data={"csrf": token_of(session)}).status_code
    )
    assert 403 == sent(origin=ours)
    assert 403 == sent(origin=ours, **{"x-csrf-token": token_of("another")})
    assert 403 == sent(origin="https://evil.example", **csrf)
    assert 403 == sent(origin="null", **csrf)
    assert 201 == sent(origin="null", **{"sec-fetch-site": "same-origin"}, **csrf)
    assert 403 == sent(**csrf)
    token = company.token(None, "read-templates")
    client.app.state.web.gate.refresh()
    assert 201 == client.post("/probe-write", headers=bearer(token)).status_code


def test_an_application_without_a_gate_is_shut(tmp_path: Any) -> None:
    """Nobody sees anything where nobody was told who may."""
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW)) as shut:
        assert [401, 401, 200] == [shut.get(path).status_code for path in ("/api/v1/units", "/board/L1", "/healthz")]


def test_a_demo_is_open(tmp_path: Any) -> None:
    """Its boards need no sign-in, and say so."""
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=OPEN)) as demo:
        assert 200 == demo.get("/api/v1/units").status_code
        assert "nobody signs in" in demo.get("/sign-in").text
