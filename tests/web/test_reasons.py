"""HR gives a reason for somebody's single events on a page: written down, and good for that person for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest
from litestar.testing import TestClient
from sqlalchemy import select

from agents.records.access_tables import audit
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from dashboards.web.csrf import token_of
from dashboards.web.languages import words
from dashboards.web.reasons import LASTS, LONGEST
from tests.web.gates import Company, everybody
from tests.web.test_refused import LOOKS, Client

ASKED: Final = "/people/L1-2/events?indicator=semi_finished_yield&window=day&lang=en"
NO_LOG: Final = words("en")("me.absent.title")  # what whoever is let in reads here: this process has none
OURS: Final = "http://testserver.local"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store."""
    return Company(tmp_path_factory.mktemp("company"))


@pytest.fixture
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A browser with its cookies, at the web of the company, which has no log."""
    shelf = everybody(tmp_path_factory.mktemp("views"))
    app = create_app(shelf.reader(), clock=lambda: company.at, access=company.gate())
    with TestClient(app) as made:
        made.follow_redirects = False
        made.headers.update(LOOKS)
        yield made


def _sign_in(client: Client, company: Company, account: str = "personnel") -> str:
    session = company.session(account)
    client.cookies.set(SESSION, session)
    return session


def _give(client: Client, session: str, reason: str, address: str = ASKED) -> int:
    sent = {"csrf": token_of(session), "reason": reason}
    return client.post(address, data=sent, headers={"origin": OURS}).status_code


def _opened(client: Client, headers: dict[str, str] | None = None) -> bool:
    answer = client.get(ASKED, headers=headers)
    assert answer.status_code in (403, 503)
    return NO_LOG in answer.text


def _told(company: Company) -> list[tuple[str, str, str, str]]:
    with company.records.reading() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.number)).all()
    of_it = [row for row in rows if row.right == "read-events" and "reason" in json.loads(row.detail)]
    return [(row.actor, row.action, row.subject, json.loads(row.detail)["reason"]) for row in of_it]


@pytest.mark.parametrize(("language", "title"), [("en", "Why these events?"), ("zh", "为何查看这些事件？")])
def test_a_page_asks_for_the_reason(client: Client, company: Company, language: str, title: str) -> None:
    """With a form that is sent to the same address, and the way back; a program is told of the header."""
    _sign_in(client, company)
    page = client.get(ASKED.replace("lang=en", f"lang={language}"))
    assert (403, True) == (page.status_code, f"<h1>{title}</h1>" in page.text)
    address = ASKED.replace("&", "&amp;").replace("lang=en", f"lang={language}")
    assert f'<form class="form" method="post" action="{address}">' in page.text
    assert f'href="/people/L1-2?lang={language}"' in page.text
    assert '<label for="reason">' in page.text
    problem = client.get(ASKED, headers={"accept": "*/*"})
    assert (403, True) == (problem.status_code, "header scorestream-reason" in problem.json()["detail"])


def test_a_reason_opens_the_events_and_is_written_down(client: Client, company: Company) -> None:
    """Once when it is given, and with each look; the page is the one that was asked for."""
    session, before = _sign_in(client, company), len(_told(company))
    sent = {"csrf": token_of(session), "reason": " appeal 12 "}
    given = client.post(ASKED, data=sent, headers={"origin": OURS})
    assert (303, ASKED) == (given.status_code, given.headers["location"])
    assert "HttpOnly" in given.headers["set-cookie"]
    assert _opened(client)
    account, about = "account:personnel", "employee:L1-2"
    assert [
        (account, "reason-given", about, "appeal 12"),
        (account, "read", about, "appeal 12"),
    ] == _told(company)[before:]


def test_it_is_good_for_one_person_one_session_and_a_while(client: Client, company: Company) -> None:
    """Not for a colleague, not for another sign-in, not when time is over, and nobody makes one up."""
    session = _sign_in(client, company)
    assert 303 == _give(client, session, "appeal 12")
    assert _opened(client)
    assert 403 == client.get(ASKED.replace("L1-2", "L1-3")).status_code
    value = client.cookies["scorestream-reason"]
    _sign_in(client, company)
    assert 403 == client.get(ASKED).status_code
    client.cookies.clear()
    wrong = value[:-1] + ("A" if value[-1] != "A" else "B")
    for forged in (wrong, "x" + value, ".", "", "!", f"!.{value}", value):
        made = {"cookie": f"{SESSION}={session}; scorestream-reason={forged}"}
        assert (forged == value) == _opened(client, made), forged


def test_it_ends(client: Client, company: Company) -> None:
    """After a quarter of an hour, whatever the browser keeps."""
    session = _sign_in(client, company)
    assert 303 == _give(client, session, "appeal 12")
    mine = {"cookie": f"{SESSION}={session}; scorestream-reason={client.cookies['scorestream-reason']}"}
    client.cookies.clear()
    for moved, good in ((LASTS * 1000 - 1, True), (1, False)):
        company.at += moved
        client.app.state.web.gate.refresh()
        assert good == _opened(client, mine)


@pytest.mark.parametrize("reason", ["", "   ", "x" * (LONGEST + 1)])
def test_a_reason_is_text(client: Client, company: Company, reason: str) -> None:
    """What is none is asked for again, and nothing is written."""
    session, before = _sign_in(client, company), len(_told(company))
    answer = client.post(ASKED, data={"csrf": token_of(session), "reason": reason}, headers={"origin": OURS})
    assert (400, True) == (answer.status_code, f"Write 1 to {LONGEST} characters why." in answer.text)
    assert before == len(_told(company))


def test_a_reason_opens_nothing_to_those_who_may_not(client: Client, company: Company) -> None:
    """Neither to a colleague nor to another crew's lead; and another site sends none."""
    for account in ("worker", "lead"):
        session = _sign_in(client, company, account)
        assert 403 == _give(client, session, "curious", ASKED.replace("L1-2", "office-3"))
    _sign_in(client, company)
    assert 403 == client.post(ASKED, data={"reason": "x"}, headers={"origin": OURS}).status_code
    assert 403 == client.post(ASKED, data={"reason": "x"}, headers={"origin": "https://evil.example"}).status_code
