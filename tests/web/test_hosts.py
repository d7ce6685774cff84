"""A page of another site whose name points here reads nothing; health and metrics are asked for by any address."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from dashboards.web.app import create_app
from dashboards.web.hosts import ANY, Hosts
from tests.web.factories import NOW, line
from tests.web.gates import OPEN
from tests.web.shelf import Shelf

PUBLIC = "https://scores.example.org"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "LocalHost.:80", "127.0.0.1:8080", "127.0.0.2", "[::1]", "[::1]:8080"]
)
def test_a_demo_answers_under_names_of_this_machine(host: str) -> None:
    """With any port."""
    assert Hosts(local=True).refuses(host, token=False) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:8080", "localhost.evil.example", "127.0.0.1.nip.io", "192.168.1.7:8080", "0.0.0.0:8080", "[::]",
     "[fe80::1]", "localhost@evil.example", "localhost/evil", "localhost:eighty", "[::1", "", None, "1", "2130706433"],
)  # fmt: skip
def test_a_demo_answers_under_no_other_name(host: str | None) -> None:
    """Nor with a token: a page that came under another name could make one up."""
    why = Hosts(local=True).refuses(host, token=True)
    assert "a demo is reached from its own machine only: localhost, 127.0.0.1 or [::1]" == why


@pytest.mark.parametrize(
    ("host", "token", "answered"),
    [
        ("scores.example.org", False, True),
        ("Scores.Example.org:443", False, True),
        ("127.0.0.1:8080", False, True),
        ("evil.example", False, False),
        ("example.org", False, False),
        ("10.0.0.5:8080", False, False),
        ("web:8080", True, True),
    ],
)
def test_an_installation_answers_where_it_says_that_it_is(host: str, token: bool, answered: bool) -> None:
    """And on its own machine; a service with a token knows its address by whatever name."""
    why = Hosts(PUBLIC).refuses(host, token)
    assert (None if answered else f"this service is at {PUBLIC}") == why
    assert ANY.refuses(host, token) is None


def test_a_foreign_name_reads_nothing(tmp_path: Path) -> None:
    """Neither pages nor the API, nor what is open to everybody; only what names nobody is answered."""
    shelf = Shelf(tmp_path)
    shelf.apply(line())
    app = create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, hosts=Hosts(local=True))
    with TestClient(app, base_url="http://127.0.0.1:8080") as client:
        for path in ("/board/L03", "/board/L03/stream", "/hr/people", "/api/v1/scores", "/choose", "/api/openapi.json"):
            answer = client.get(path, headers={"host": "evil.example"})
            assert (421, "Host", "evil.example") == (
                answer.status_code, answer.json()["field"], answer.json()["value"],
            ), path  # fmt: skip
        assert 421 == client.head("/board/L03", headers={"host": "evil.example"}).status_code
        assert [200, 200] == [
            client.get(path, headers={"host": "10.0.0.5:8080"}).status_code for path in ("/healthz", "/metrics")
        ]
        assert 200 == client.get("/board/L03").status_code
