"""The JSON API: contract rows, RFC 3339 times, null for no value, and problems that name field and value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dashboards.web.app import create_app
from tests.web.factories import INDICATOR, NOW, ROLLING, line, row, scores, tick, total, unit_scores
from tests.web.gates import OPEN
from tests.web.serving import LIMIT, serving
from tests.web.shelf import Shelf

Client = TestClient[Litestar]


@pytest.fixture
def view(tmp_path: Path) -> Shelf:
    """Line L03 with three people, and a unit whose id needs escaping."""
    view = Shelf(tmp_path)
    view.apply(line(people=3))
    view.apply([unit_scores("三号线/装配", ["E0003"]), tick(NOW)])
    return view


@pytest.fixture
def client(view: Shelf) -> Iterator[Client]:
    """A client of the application over the view."""
    with TestClient(create_app(view.reader(), clock=lambda: NOW + 2000, access=OPEN)) as client:
        yield client


def get(client: Client, address: str, status: int = 200) -> Any:
    """The JSON at an address."""
    answer = client.get(address)
    assert status == answer.status_code, answer.text
    return answer.json()


def test_units_are_listed_with_their_addresses(client: Client) -> None:
    """Who begins here finds the rest."""
    found = get(client, "/api/v1/units")
    assert found["now"] == "2026-03-02T05:40:00.000Z"
    assert [unit["unit"] for unit in found["units"]] == ["L03", "三号线/装配"]
    for unit in found["units"]:
        assert unit["unit"] == get(client, unit["href"])["unit"]
        assert client.get(unit["board"]).status_code == 200


def test_a_unit_gives_contract_rows_and_trends(client: Client) -> None:
    """Rows have `unit` instead of an employee; panes start at RFC 3339 instants."""
    found = get(client, "/api/v1/units/L03")
    assert found["members"] == ["E0001", "E0002", "E0003"]
    assert {"unit": "L03", **row(192, 200)} == found["rows"][0]
    panes = found["trends"][f"production-operator/{INDICATOR}/{ROLLING}"]
    assert panes[0] == {"start": "2026-03-02T05:30:00.000Z", "n": 100.0, "good": 96.0}


def test_an_employee_gives_contract_rows(client: Client) -> None:
    """Numbers are numbers; what is no value is null."""
    found = get(client, "/api/v1/employees/E0001")
    assert [{"employee_id": "E0001", **row()}, {"employee_id": "E0001", **total()}] == found["rows"]
    assert (found["unit"], found["rows"][1]["n"]) == ("L03", None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 6),
        ("employee=E0002", 2),
        (f"employee=E0002&indicator={INDICATOR}", 1),
        ("indicator=@total", 3),
        ("window=rolling+60m", 6),
        ("window=day", 0),
        ("unit=L03", 6),
        ("unit=%E4%B8%89%E5%8F%B7%E7%BA%BF%2F%E8%A3%85%E9%85%8D", 2),
        ("unit=L03&employee=E0001", 2),
        ("unit=%E4%B8%89%E5%8F%B7%E7%BA%BF%2F%E8%A3%85%E9%85%8D&employee=E0001", 0),
    ],
)
def test_scores_are_filtered(client: Client, query: str, expected: int) -> None:
    """Filters narrow down together."""
    found = get(client, f"/api/v1/scores?{query}")
    assert (expected, None) == (len(found["rows"]), found["next"])


def test_scores_are_given_in_pages_of_whole_employees(client: Client) -> None:
    """Whoever follows `next` sees every row once, in the order of the ids."""
    seen: list[tuple[str, str]] = []
    after: str | None = ""
    pages = 0
    while after is not None:
        found = get(client, f"/api/v1/scores?limit=1&after={after}")
        seen += [(each["employee_id"], each["indicator"]) for each in found["rows"]]
        after, pages = found["next"], pages + 1
    people = ["E0001", "E0002", "E0003"]
    assert [(person, name) for person in people for name in (INDICATOR, "@total")] == seen
    assert pages == 3


@pytest.mark.parametrize(
    ("address", "status", "field", "value"),
    [
        ("/api/v1/units/L99", 404, "unit", "L99"),
        ("/api/v1/units/a%2Fb", 404, "unit", "a/b"),
        ("/api/v1/units/a%0Ab", 400, "unit", "a\nb"),
        ("/api/v1/employees/E9", 404, "employee", "E9"),
        ("/api/v1/employees/%3Cscript%3E", 400, "employee", "<script>"),
        ("/api/v1/employees/" + "x" * 300, 400, "employee", "x" * 200),
        ("/api/v1/scores?employee=a%20b", 400, "employee", "a b"),
        ("/api/v1/scores?unit=", 400, "unit", ""),
        ("/api/v1/scores?unit=L99", 404, "unit", "L99"),
        ("/api/v1/scores?limit=0", 400, "limit", "0"),
        ("/api/v1/scores?limit=many", 400, "limit", "many"),
        ("/api/v1/nothing", 404, None, None),
    ],
)
def test_a_problem_names_field_and_value(
    client: Client, address: str, status: int, field: str | None, value: str | None
) -> None:
    """Whoever reads it knows what to change."""
    answer = client.get(address)
    found = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (status, status, field, value) == (answer.status_code, found["status"], found["field"], found["value"])
    assert found["detail"]


def test_only_reading_is_offered(client: Client) -> None:
    """Scores follow from events; nobody writes one."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, "/api/v1/scores")
        assert (answer.status_code, answer.json()["status"]) == (405, 405)


def test_openapi_describes_every_address_with_an_example_or_a_description(client: Client) -> None:
    """A description is what makes it usable: nothing is left to be guessed."""
    found = get(client, "/api/openapi.json")
    assert found["openapi"].startswith("3.1")
    paths = {path: next(iter(item.values())) for path, item in found["paths"].items()}
    expected = {
        "/api/v1/events",
        "/api/v1/units",
        "/api/v1/units/{unit}",
        "/api/v1/employees/{employee_id}",
        "/api/v1/scores",
        "/api/v1/alerts",
        "/api/v1/alerts/{alert_id}",
        "/api/v1/alerts/{alert_id}/actions",
        "/api/v1/alerts/{alert_id}/commands/{command}",
        "/api/v1/alerts/{alert_id}/reviews",
        "/api/v1/people",
        "/api/v1/results",
        "/api/v1/results/{key}",
        "/api/v1/audit",
        "/healthz",
    }
    assert expected == set(paths)
    for path, operation in paths.items():
        assert operation["summary"], path
        assert operation["description"], path
        fine = next(status for status in ("200", "202") if status in operation["responses"])
        assert operation["responses"][fine]["content"]["application/json"]["schema"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])


def test_openapi_gives_an_example_of_each_answer(client: Client) -> None:
    """An example is read before a schema is; it must be of the schema."""
    found = get(client, "/api/openapi.json")
    for path in (path for path in found["paths"] if path.startswith("/api/v1/")):
        (operation,) = found["paths"][path].values()
        content = next(iter(operation["responses"].values()))["content"]["application/json"]
        (example,) = content["examples"].values()
        reference = content["schema"]["$ref"].rsplit("/", 1)[1]
        schema = found["components"]["schemas"][reference]
        # The framework leaves out of an example what is null there.
        nullable = {name for name, one in schema["properties"].items() if {"type": "null"} in one.get("oneOf", [])}
        assert set(schema["properties"]) - nullable <= set(example["value"]) <= set(schema["properties"]), path


@pytest.mark.parametrize(
    ("address", "field", "said"),
    [
        (
            "/api/v1/scores?unti=L03",
            "unti",
            "did you mean unit? It takes unit, employee, indicator, window, after, limit",
        ),
        ("/api/v1/scores?unit=L03&Limit=5", "Limit", "takes unit, employee, indicator, window, after, limit"),
        ("/api/v1/units?unit=L03", "unit", "it takes after, limit"),
        ("/api/v1/units/L03?window=day", "window", "it takes none"),
        ("/api/v1/employees/E0001?x", "x", "it takes none"),
        ("/api/v1/scores?web=1", "web", "takes unit"),
    ],
)
def test_a_parameter_that_is_not_known_is_refused(client: Client, address: str, field: str, said: str) -> None:
    """A misspelt filter would give everybody's scores otherwise; the problem names it and those that there are."""
    found = get(client, address, 400)
    assert (found["field"], said in found["detail"]) == (field, True), found


@pytest.mark.parametrize(
    "address",
    [
        "/", "/board/L03", "/board/L77", "/board/L03/stream", "/api/v1/units", "/api/v1/scores?limit=1",
        "/api/v1/employees/E9", "/api/v1/scores?limit=x", "/api/openapi.json", "/healthz", "/nowhere",
    ],
)  # fmt: skip
def test_head_is_get_without_a_body(client: Client, address: str) -> None:
    """Same status, same headers, nothing else; the head of a stream ends."""
    head = client.head(address, follow_redirects=False)
    assert head.content == b""
    if address.endswith("/stream"):
        assert (200, "text/event-stream; charset=utf-8") == (head.status_code, head.headers["content-type"])
        return
    got = client.get(address, follow_redirects=False)
    assert got.status_code == head.status_code
    changing = {"content-length"} if address == "/healthz" else set()  # it tells ages, which are longer or shorter
    assert _without(got.headers, changing) == _without(head.headers, changing)


def _without(headers: Mapping[str, str], left_out: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in left_out}


def test_head_is_known_by_a_real_server() -> None:
    """The connection serves the next request; a stream that was asked for so is no screen."""
    with serving(*line()) as process, httpx.Client(base_url=process.url, timeout=LIMIT) as browser:
        for address in ("/board/L03", "/board/L03/stream", "/api/v1/units"):
            assert (200, b"") == ((answer := browser.head(address)).status_code, answer.content)
        assert browser.get("/api/v1/units").json()["units"]
        assert process.call(lambda: process.app.state.web.hub.screens) == 0
        assert browser.post("/api/v1/units").status_code == 405


PATHS = [
    "/api/v1/units",
    "/api/v1/units/L03",
    "/api/v1/employees/E0001",
    "/api/v1/scores",
    "/api/v1/alerts",
]


@pytest.mark.parametrize("address", PATHS)
def test_an_answer_has_a_name_and_is_not_given_twice(client: Client, view: Shelf, address: str) -> None:
    """If-None-Match with its name: 304 and no body, until something of it has changed. Nobody in between keeps it."""
    first = client.get(address)
    name = first.headers["etag"]
    assert ("private, no-cache", '"') == (first.headers["cache-control"], name[0])
    for asked in (name, f'"other", W/{name}', "*"):
        again = client.get(address, headers={"if-none-match": asked})
        assert (304, b"", name) == (again.status_code, again.content, again.headers["etag"])
    assert 200 == client.get(address, headers={"if-none-match": '"other"'}).status_code
    view.apply([*line(people=4, newest=NOW + 1000), unit_scores("L03", ["E0001"], row(1, 2)), tick(NOW + 1000)])
    view.apply([scores("E0001", row(95))])
    changed = client.get(address, headers={"if-none-match": name})
    assert (200, True) == (changed.status_code, changed.headers["etag"] != name)


def test_problems_are_kept_by_nobody(client: Client) -> None:
    """An employee who is not there now may be there in a second."""
    assert "no-store" == client.get("/api/v1/employees/E9").headers["cache-control"]


def test_units_are_given_in_pages(client: Client) -> None:
    """Whoever follows the link to the next page sees each unit once."""
    seen: list[str] = []
    address: str | None = "/api/v1/units?limit=1"
    while address is not None:
        answer = client.get(address)
        seen += [unit["unit"] for unit in answer.json()["units"]]
        linked = answer.links.get("next")
        assert (linked is not None) == (answer.json()["next"] is not None)
        address = None if linked is None else linked["url"]
    assert ["L03", "三号线/装配"] == seen


def test_a_link_keeps_the_filters(client: Client) -> None:
    """The next page is of the same question."""
    answer = client.get("/api/v1/scores?limit=1&window=rolling+60m&after=A")
    address, _, query = answer.links["next"]["url"].partition("?")
    assert "/api/v1/scores" == address
    assert {"limit": "1", "window": "rolling 60m", "after": "E0001"} == dict(parse_qsl(query))
