"""Open alerts over the API: rows of the contract, oldest first, filtered, in pages; nothing of who did what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dashboards.web.app import create_app
from schemas.instants import MINUTE
from tests.web.factories import NOW, alert, line
from tests.web.gates import OPEN
from tests.web.shelf import Shelf
from tests.web.test_api import get

Client = TestClient[Litestar]
RECORDS = [
    alert("a1", at=NOW - 3 * MINUTE),
    alert("a2", "E0002", at=NOW - 9 * MINUTE, state="acknowledged", by="lee", reason="nozzle 3"),
    alert("b1", "E0002", unit="L04", at=NOW - 6 * MINUTE, state="shelved", until="2026-03-02T06:40:00.000Z"),
    alert("u1", None, unit="L04", at=NOW - MINUTE),
    alert("over", state="cleared"),
    alert("imported", notify=False),
]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Two lines, three people's alerts and one of a line."""
    made = Shelf(tmp_path)
    made.apply([*line("L03"), *line("L04"), *RECORDS])
    return made


@pytest.fixture
def client(shelf: Shelf) -> Iterator[Client]:
    """A client of the application over the views."""
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a2", "b1", "a1", "u1"]),
        ("unit=L03", ["a2", "a1"]),
        ("employee=E0002", ["a2", "b1"]),
        ("unit=L04&employee=E0002", ["b1"]),
        ("state=firing", ["a1", "u1"]),
        ("state=shelved&unit=L04", ["b1"]),
        ("state=acknowledged&unit=L04", []),
    ],
)
def test_open_alerts_are_filtered(client: Client, query: str, expected: list[str]) -> None:
    """Filters narrow down together; what is over, or was imported, is not open."""
    found = get(client, f"/api/v1/alerts?{query}")
    assert (expected, None, "2026-03-02T05:40:00.000Z") == (
        [row["alert_id"] for row in found["alerts"]], found["next"], found["now"],
    )  # fmt: skip


@pytest.mark.parametrize("query", ["", "&state=firing", "&unit=L03"])
def test_alerts_are_given_in_pages(client: Client, query: str) -> None:
    """Whoever follows `next` sees each once, in order; also when one is over meanwhile."""
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        found = get(client, f"/api/v1/alerts?limit=1{query}{after and f'&after={after}'}")
        seen += [row["alert_id"] for row in found["alerts"]]
        after = found["next"]
    assert seen == [row["alert_id"] for row in get(client, f"/api/v1/alerts?{query}")["alerts"]]


def test_an_alert_is_given_as_published_without_names(client: Client) -> None:
    """The contract's row; who has it in hand and what they wrote is for those who sign in."""
    for record in RECORDS[:4]:
        row = json.loads(record.value or b"")
        kept = {key: value for key, value in row.items() if key not in ("by", "reason", "notify")}
        assert {"employee_id": None, **kept} == get(client, f"/api/v1/alerts/{row['alert_id']}")


@pytest.mark.parametrize(
    ("address", "status", "field", "value"),
    [
        ("/api/v1/alerts/over", 404, "alert_id", "over"),
        ("/api/v1/alerts/imported", 404, "alert_id", "imported"),
        ("/api/v1/alerts/a%20b", 400, "alert_id", "a b"),
        ("/api/v1/alerts?unit=L99", 404, "unit", "L99"),
        ("/api/v1/alerts?employee=E9", 404, "employee", "E9"),
        ("/api/v1/alerts?employee=%3Cb%3E", 400, "employee", "<b>"),
        ("/api/v1/alerts?state=cleared", 400, "state", "cleared"),
        ("/api/v1/alerts?limit=0", 400, "limit", "0"),
        ("/api/v1/alerts?after=a1", 400, "after", "a1"),
        ("/api/v1/alerts?stat=firing", 400, "stat", "firing"),
        ("/api/v1/alerts/a1?unit=L03", 400, "unit", "L03"),
    ],
)
def test_a_problem_names_field_and_value(client: Client, address: str, status: int, field: str, value: str) -> None:
    """Whoever reads it knows what to change."""
    answer = client.get(address)
    found = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (status, field, value) == (answer.status_code, found["field"], found["value"]), found
    assert found["detail"]


def test_alerts_are_only_looked_at(client: Client) -> None:
    """What people do to them is a record of the log, as long as nobody signs in here."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert 405 == client.request(method, "/api/v1/alerts/a1").status_code


def test_many_alerts_are_read_in_parts(shelf: Shelf, client: Client) -> None:
    """A filter that leaves few of many looks at all of them."""
    shelf.apply([alert(f"m{number:04d}", at=NOW + number) for number in range(350)])
    shelf.apply([alert("m0349", at=NOW + 349, state="shelved")])
    assert 354 == len(get(client, "/api/v1/alerts")["alerts"])
    found = get(client, "/api/v1/alerts?state=shelved&limit=2")
    assert (["b1", "m0349"], None) == ([row["alert_id"] for row in found["alerts"]], found["next"])
