"""The API answers whom the matrix lets ask, with what the matrix shows them: every role, relation, address and field.

What is expected comes from tests/access/table.py, which was written down by hand and knows nothing of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import insert

from agents.access import naming
from agents.records.edits import show_names
from agents.records.result_pages import ResultKey, written
from agents.records.result_tables import results
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from schemas.instants import DAY
from tests.access import table
from tests.web.factories import NOW
from tests.web.gates import WORKS, Company, everybody
from tests.web.hr import desk_of

Client = TestClient[Litestar]
Look = Callable[[Any, str], Mapping[str, bool]]
ABOUT: Final = {"own": "mona", "team": "plant-1", "subtree": "L1-1", "others": "office-3"}  # to mona
ACCOUNT_ROLES: Final = ("employee", "supervisor", "hr", "auditor", "admin")
NEEDS: Final = {"name": "read-people", "values": "read-scores", "sample": "read-scores", "alerts": "read-alerts"}
OF_ONES_OWN: Final = "/api/v1/alerts/{alert_id}/commands/{command}"
CELLS: Final = table.cells()
VISIBLE: Final = table.visible()


class Endpoint(NamedTuple):
    """An address of the API. `about`: what its right is asked towards; `look`: which fields an answer has of somebody.

    person: whom the address names; people: whoever may be seen, others are left out; everybody: all there are; unit:
    the unit of the person; nobody: nobody in particular.
    """

    path: str
    right: str
    about: str
    look: Look
    query: str = ""


def _of_rows(rows: list[Any], who: str, key: str = "employee_id") -> Mapping[str, bool]:
    own = [row for row in rows if row[key] == who]
    shown = {
        field: any(row.get(name) is not None for row in own) for field, name in (("values", "value"), ("sample", "n"))
    }
    return {"id": bool(own), **shown}


def _of_employee(answer: Any, who: str) -> Mapping[str, bool]:
    return {**_of_rows(answer["rows"], who), "name": answer["name"] is not None}


def _of_unit(answer: Any, who: str) -> Mapping[str, bool]:
    return {"id": who in answer["members"], "name": who in answer["names"]}


def _of_people(answer: Any, who: str) -> Mapping[str, bool]:
    (one,) = [one for one in answer["people"] if one["employee_id"] == who]
    shown = {
        field: one[key] is not None for field, key in (("name", "name"), ("values", "score"), ("alerts", "alerts"))
    }
    return {"id": True, **shown}


def _of_alerts(answer: Any, who: str) -> Mapping[str, bool]:
    return {"alerts": any(one["employee_id"] == who for one in answer["alerts"])}


def _nothing(answer: Any, who: str) -> Mapping[str, bool]:
    return {}


ENDPOINTS: Final = (
    Endpoint("/api/v1/employees/{employee_id}", "read-scores", "person", _of_employee),
    Endpoint(
        "/api/v1/scores", "read-scores", "person", lambda found, who: _of_rows(found["rows"], who), "employee={who}"
    ),
    Endpoint("/api/v1/scores", "read-scores", "people", lambda found, who: _of_rows(found["rows"], who)),
    Endpoint("/api/v1/alerts", "read-alerts", "person", _of_alerts, "employee={who}"),
    Endpoint("/api/v1/alerts", "read-alerts", "people", _of_alerts),
    Endpoint("/api/v1/alerts/{alert_id}", "read-alerts", "person", lambda found, who: {"alerts": True}),
    Endpoint("/api/v1/units", "read-units", "people", _nothing),
    Endpoint("/api/v1/units/{unit}", "read-units", "unit", _of_unit),
    Endpoint("/api/v1/people", "read-people", "everybody", _of_people),
    Endpoint(
        "/api/v1/results", "read-scores", "everybody", lambda found, who: _of_rows(found["results"], who, "subject")
    ),
    Endpoint(
        "/api/v1/results/{key}",
        "read-scores",
        "everybody",
        lambda found, who: _of_rows([step["result"] for step in found["steps"]], who, "subject"),
    ),
    Endpoint("/api/v1/audit", "read-audit", "nobody", _nothing),
)


class Asks(NamedTuple):
    """Somebody who asks: what they are, and whether they are bound to the plant."""

    roles: frozenset[str]
    headers: Mapping[str, str]
    bound: bool = False


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store; for each role an account of mona's, and a closed result of everybody."""
    made = Company(tmp_path_factory.mktemp("company"))
    for role in ACCOUNT_ROLES:
        made.admin.add_account(f"mona-{role}", "mona", [role])
    day = {"window_kind": "day", "window_start": NOW - DAY, "window_end": NOW, "as_of": NOW - 1}
    row = {
        **day, "subject_kind": "employee", "template": "production-operator", "indicator": "@total", "number": 0,
        "version": 1, "status": "ok", "value": 0.9, "points": 90.0, "n": 30.0, "sums": "{}", "known_at": NOW,
        "computed_at": NOW,
    }  # fmt: skip
    made.records.write(
        lambda connection: connection.execute(insert(results), [{**row, "subject": who} for who in WORKS])
    )
    return made


@pytest.fixture(scope="module")
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The application over everybody's scores and an alert about each."""
    shelf = everybody(tmp_path_factory.mktemp("views"))
    desk = desk_of(company.url)
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=company.gate(), desk=desk)) as made:
        yield made


def test_every_address_that_is_read_is_tried(client: Client) -> None:
    """One that is added is added above; what became of a command is for whoever gave it (test_outcomes.py)."""
    paths = client.get("/api/openapi.json").json()["paths"]
    read = {path for path, operations in paths.items() if "get" in operations and path.startswith("/api/")}
    assert {one.path for one in ENDPOINTS} | {OF_ONES_OWN} == read


def _may(asks: Asks, relation: str, right: str, policy: bool) -> bool:
    """Whether the page says so for a person, or towards a unit of five or more."""
    if relation == "others" and asks.bound:
        return False
    letters = {CELLS[role, relation, right] for role in asks.roles}
    return bool(letters & set("y5s")) or ("p" in letters and policy)


def _shown(asks: Asks, relation: str, field: str, policy: bool) -> bool:
    """Whether a field of somebody is seen together with their id, which stands beside numbers only."""
    field = "values" if field == "id" else field
    return any(
        {"id", field} <= VISIBLE.get((role, relation), set())
        and (_may(asks._replace(roles=frozenset((role,))), relation, NEEDS[field], policy))
        for role in asks.roles
    )


def _reached(asks: Asks, relation: str, one: Endpoint, policy: bool) -> bool:
    if one.about == "nobody":
        return any(CELLS[role, "none", one.right] in "ys" for role in asks.roles)
    if one.about == "everybody":
        return _may(asks, "others", one.right, policy) and not asks.bound
    if one.about == "people":
        return any(CELLS[role, any_relation, one.right] != "-" for role in asks.roles for any_relation in table.PEOPLE)
    if one.about == "unit":
        return _reaches_unit(asks, relation, policy)
    return _may(asks, relation, one.right, policy) and _shown(asks, relation, "values", policy)


def _reaches_unit(asks: Asks, relation: str, policy: bool) -> bool:
    """Mona leads the plant, where two people work: too few for who is no more than an employee there, or a screen."""
    if relation in ("own", "team"):
        return any(CELLS[role, to, "read-units"] in "ys" for role in asks.roles for to in ("own", "team"))
    return _may(asks, relation, "read-units", policy)


def _expected(
    asks: Asks, relation: str, one: Endpoint, seen: Mapping[str, bool], policy: bool, names: bool
) -> dict[str, bool]:
    told = one.path == "/api/v1/people" or names  # the records name people to whom they are open, wherever they work
    return {field: _shown(asks, relation, field, policy) and (field != "name" or told) for field in seen}


@pytest.mark.parametrize(("policy", "names"), [(False, False), (True, True)], ids=["strict", "generous"])
def test_every_role_relation_address_and_field(client: Client, company: Company, policy: bool, names: bool) -> None:
    """200 where the page says yes, 403 anywhere else; of a person exactly the fields that the page has."""
    company.admin.set_policy("subtree", policy)
    decided = show_names("company", "shown" if names else "hidden")
    naming.change(company.records, decided, actor="os:test", by="test", now=NOW)
    wrong, tried = [], 0
    for asks in _viewers(company, client):
        for relation, who in ABOUT.items():
            if relation == "own" and not asks.roles & set(ACCOUNT_ROLES):
                continue
            for one in ENDPOINTS:
                answer = client.get(_address(one, who), headers=asks.headers)
                status = 200 if _reached(asks, relation, one, policy) else 403
                seen = one.look(answer.json(), who) if answer.status_code == 200 == status else {}
                expected = _expected(asks, relation, one, seen, policy, names)
                tried += 1
                if (answer.status_code, dict(seen)) != (status, expected):
                    case = (sorted(asks.roles), relation, one.path, one.query)
                    wrong.append((*case, (answer.status_code, seen), (status, expected)))
    assert [] == wrong
    assert tried == (len(ACCOUNT_ROLES) * 4 + 2 * 3 + 3) * len(ENDPOINTS)


def _viewers(company: Company, client: Client) -> list[Asks]:
    scopes = ("read-scores", "read-units", "read-alerts")
    screen, bound = company.token("plant", screen=True), company.token("plant", *scopes)
    free = company.token(None, *scopes)
    found = [
        Asks(frozenset({role, "employee"}), {"cookie": f"{SESSION}={company.session(f'mona-{role}')}"})
        for role in ACCOUNT_ROLES
    ]
    found.append(Asks(frozenset({"screen"}), {"authorization": f"Bearer {screen}"}, bound=True))
    found.append(Asks(frozenset({"service"}), {"authorization": f"Bearer {bound}"}, bound=True))
    found.append(Asks(frozenset({"service"}), {"authorization": f"Bearer {free}"}))
    client.app.state.web.gate.refresh()
    return found


def _address(one: Endpoint, who: str) -> str:
    whole = "limit=1000" if one.about == "everybody" and "{" not in one.path else ""
    key = written(ResultKey("employee", who, NOW, NOW - DAY, "day", "production-operator", "@total"))
    path = one.path.format(employee_id=who, alert_id=f"a-{who}", unit=WORKS[who], key=key)
    return f"{path}?{one.query.format(who=who) or whole}"
