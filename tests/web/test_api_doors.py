"""OpenAPI says of every address what it takes to be let in, and what one is told who is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dashboards.web.app import create_app
from tests.web.gates import Company, everybody
from tests.web.test_guard import bearer

Client = TestClient[Litestar]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A store of its own."""
    return Company(tmp_path / "company")


@pytest.fixture
def client(company: Company, tmp_path: Path) -> Iterator[Client]:
    """Of an installation."""
    app = create_app(everybody(tmp_path / "views").reader(), clock=lambda: company.at, access=company.gate())
    with TestClient(app) as made:
        yield made


def _operations(description: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_description_says_what_to_show(client: Client) -> None:
    """A token in a header, or a session's cookie; health takes neither."""
    found = client.get("/api/openapi.json").json()
    schemes = found["components"]["securitySchemes"]
    assert ("http", "bearer") == (schemes["token"]["type"], schemes["token"]["scheme"])
    assert ("apiKey", "cookie", "scorestream-session") == tuple(
        schemes["session"][key] for key in ("type", "in", "name")
    )
    for path, method, operation in _operations(found):
        if path == "/healthz":
            assert "security" not in operation
        else:
            assert [{"token": []}, {"session": []}] == operation["security"], (path, method)


def test_who_is_not_let_in_is_told_what_is_described(client: Client, company: Company) -> None:
    """401 without anything, and with a token that is none; 403 with one that has not this scope."""
    token = company.token(None, "operate")
    client.app.state.web.gate.refresh()
    for path, method, operation in _operations(client.get("/api/openapi.json").json()):
        if path == "/healthz":
            continue
        address = path.replace("{unit}", "L1").replace("{employee_id}", "L1-1").replace("{alert_id}", "a-L1-1")
        for headers, status in (({}, 401), (bearer("sst_none"), 401), (bearer(token), 403)):
            answer = client.request(method, address.replace("{key}", "x"), headers=dict(headers))
            assert status == answer.status_code, (path, answer.text)
            described = operation["responses"][str(status)]
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind in described["content"], path
            assert {"title", "status", "detail"} <= answer.json().keys()
            if status == 401:
                assert "bearer" == answer.headers["www-authenticate"].lower()
                assert "WWW-Authenticate" in described["headers"]
