"""The start leads to a board; whoever is shown none is told so, and what there is for them, whatever their role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from tests.web.factories import NOW
from tests.web.gates import Company, everybody
from tests.web.shelf import Shelf
from tests.web.test_refused import LOOKS, Client


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store."""
    return Company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The web of the company, which has boards."""
    with TestClient(
        create_app(everybody(tmp_path_factory.mktemp("views")).reader(), clock=lambda: NOW, access=company.gate())
    ) as made:
        made.follow_redirects = False
        yield made


def _start(client: Client, company: Company, account: str, language: str = "en") -> str:
    mine = {"cookie": f"{SESSION}={company.session(account)}", **LOOKS}
    answer = client.get(f"/?lang={language}", headers=mine)
    assert 200 == answer.status_code
    return answer.text


@pytest.mark.parametrize(
    ("account", "ways"),
    [
        ("keys", ["/healthz", "/api"]),  # an administrator
        ("nothing", ["/api"]),  # an account without a role
        ("small", ["/me", "/me/appeals", "/organisation/calendars", "/api"]),  # one of a line of three people
    ],
)
def test_who_is_shown_no_board_is_told_what_there_is(
    client: Client, company: Company, account: str, ways: list[str]
) -> None:
    """Each of these opens; nobody waits for a service that is well."""
    page = _start(client, company, account)
    assert "No board is shown to your roles." in page
    assert ("scorestream access" in page) == (account == "keys")
    listed = page.partition('<ul class="ways">')[2].partition("</ul>")[0]
    assert ways == [found.partition("?")[0] for found in re.findall(r'href="([^"]+)"', listed)]
    mine = {"cookie": f"{SESSION}={company.session(account)}", **LOOKS}
    # This process has neither a log, where shift calendars are, nor records beside its accounts.
    expected = {way: 503 if way in ("/organisation/calendars", "/me/appeals") else 200 for way in ways}
    assert expected == {way: client.get(way, headers=mine).status_code for way in ways}
    assert "没有看板对您的角色开放" in _start(client, company, account, "zh")


def test_who_could_see_a_board_waits_for_the_first_one(company: Company, tmp_path: Path) -> None:
    """Where nothing has been scored yet."""
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=company.gate())) as client:
        assert "No unit has been scored yet" in _start(client, company, "lead")
        assert "No board is shown to your roles." in _start(client, company, "keys")
