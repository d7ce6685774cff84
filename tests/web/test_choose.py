"""A demo's visitor chooses whom to be, and sees what that one may see; nowhere but in a demo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select

from agents.access.audit import verify
from agents.records.access_tables import audit
from agents.records.database import open_records
from dashboards.web.app import create_app
from dashboards.web.cast import Cast
from dashboards.web.cookies import CHOSEN
from dashboards.web.csrf import FIELD
from dashboards.web.desk import Desk
from schemas.instants import MINUTE
from tests.web.factories import NOW, row, scores, template, tick, unit_scores
from tests.web.gates import OPEN, WORKS, Company
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
HERE: Final = {"origin": "http://testserver.local", "accept": "text/html"}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Everybody of it may be chosen but one, who signs in at an identity provider; a screen hangs in line L1."""
    made = Company(tmp_path / "company")
    made.admin.add_account("real", "L1-3", [])
    made.admin.link("real", "https://id.example.org", "4711")
    made.token("L1", screen=True)
    made.token("L1", "read-scores")  # a service, which nobody can be
    return made


@pytest.fixture
def client(company: Company, tmp_path: Path) -> Iterator[Client]:
    """A demo of the company. Line L1 is at work; the others were yesterday."""
    shelf = Shelf(tmp_path / "views")
    units = {unit: sorted(who for who, works in WORKS.items() if works == unit) for unit in set(WORKS.values())}
    newest = {who: NOW if unit == "L1" else NOW - 600 * MINUTE for who, unit in WORKS.items()}
    shelf.apply([template(), *(scores(who, row(), unit=unit, newest=newest[who]) for who, unit in WORKS.items())])
    shelf.apply([*(unit_scores(unit, members) for unit, members in units.items()), unit_scores("company", []), tick()])
    gate = Cast(open_records(company.url), lambda: company.at)
    app = create_app(
        shelf.reader(), clock=lambda: company.at, access=gate, desk=Desk(lambda: open_records(company.url))
    )
    with TestClient(app) as made:
        made.follow_redirects = False
        yield made


def be(client: Client, who: str, page: str = "", **form: str) -> Any:
    """What the form at somebody's card sends, with what the page put into it."""
    token = re.search(rf'name="{FIELD}" value="([^"]+)"', client.get("/choose").text)
    sent = {"who": who, "page": page, **({FIELD: token[1]} if token else {}), **form}
    return client.post("/choose", data=sent, headers=HERE)


def audited(company: Company) -> list[tuple[str, str, str]]:
    """Who did what to whom."""
    with company.records.reading() as connection:
        assert verify(connection).broken is None
        found = connection.execute(select(audit.c.actor, audit.c.action, audit.c.subject).order_by(audit.c.number))
        return [tuple(entry) for entry in found]


def test_without_a_choice_boards_are_open_and_nothing_is_ones_own(client: Client) -> None:
    """`/me` leads to where one chooses, and every page does."""
    assert 200 == client.get("/api/v1/units").status_code
    board = client.get("/board/L1", headers=HERE)
    assert (200, True) == (board.status_code, 'href="/choose"' in board.text)
    for path in ("/me", "/appeals", "/me/appeals"):
        answer = client.get(path, headers=HERE)
        assert (303, "/choose") == (answer.status_code, answer.headers["location"]), path


@pytest.mark.parametrize(
    ("who", "page", "where"),
    [
        ("account:worker", "", "/me"),
        ("account:worker", "crew", "/board/L1"),
        ("account:lead", "", "/team/L1"),
        ("account:lead", "appeals", "/appeals"),
        ("account:manager", "", "/board/plant"),
        ("account:personnel", "", "/hr"),
        ("account:personnel", "organisation", "/organisation"),
        ("account:revision", "", "/hr/audit"),
        ("account:revision", "hr", "/hr"),
        ("account:keys", "", "/"),
    ],
)
def test_everybody_begins_where_they_would(client: Client, company: Company, who: str, page: str, where: str) -> None:
    """On their first page, or on another one that is theirs; it opens, and the choice stands in the audit log."""
    answer = be(client, who, page)
    assert (303, where) == (answer.status_code, answer.headers["location"])
    assert 200 == client.get(where, headers=HERE).status_code
    assert ("demo", "chosen", who) in audited(company)


def test_the_choice_is_a_cookie_out_of_reach(client: Client) -> None:
    """Of scripts and of other sites; it ends by itself."""
    cookie = be(client, "account:worker").headers["set-cookie"].lower()
    assert cookie.startswith(f"{CHOSEN}=")
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/", "max-age=43200"))


def test_an_operator_sees_their_own_and_nobody_else(client: Client, company: Company) -> None:
    """As after a real sign-in: pages, API, and an audit log that has the refusal."""
    be(client, "account:worker")
    assert "L1-1" in client.get("/me").text
    assert [200, 403, 403] == [client.get(f"/people/{who}").status_code for who in ("L1-1", "L1-2", "office-1")]
    rows = client.get("/api/v1/scores").json()["rows"]
    assert {"L1-1"} == {each["employee_id"] for each in rows}
    assert ("account:worker", "read", "employee:L1-2") in audited(company)
    assert "you are worker" in client.get("/me?lang=en").text


def test_an_administrator_sees_no_score(client: Client) -> None:
    """The demo's open boards are not open to somebody who is somebody."""
    be(client, "account:keys")
    assert [403, 403, 403] == [client.get(path).status_code for path in ("/api/v1/scores", "/board/L1", "/people/L1-1")]


def test_a_screen_has_pseudonyms(client: Client, company: Company) -> None:
    """It is chosen by the id of its token, without its secret; of another line it sees nothing."""
    page = client.get("/choose").text
    (screen,) = re.findall(r'value="(token:[0-9a-f]+)"', page)
    answer = be(client, screen)
    assert "/board/L1" == answer.headers["location"]
    funnel = client.get("/board/L1/funnel").text
    assert "P-" in funnel
    assert [] == [who for who in WORKS if f">{who}<" in funnel]
    assert 403 == client.get("/board/L2").status_code


@pytest.mark.parametrize("who", ["account:real", "account:nobody", "token:0", "L1-1", "account:", "account:nothing"])
def test_nobody_else_can_be_chosen(client: Client, company: Company, who: str) -> None:
    """Not who signs in for themselves, nor who is not there, nor who has no page; nor by writing the cookie oneself."""
    answer = be(client, who)
    assert (400, True) == (answer.status_code, "it is nobody whom one may be here" in answer.text)
    assert f'value="{who}"' not in client.get("/choose").text
    client.cookies.set(CHOSEN, f"x.{who}")
    assert client.get("/me", headers=HERE).status_code in (303, 403)  # nobody, or somebody without any right


def test_a_page_that_is_not_theirs_is_refused(client: Client) -> None:
    """An address to go on to is never taken from outside."""
    answer = be(client, "account:worker", "https://example.org/")
    assert (400, True) == (answer.status_code, "it is one of me, crew, mine" in answer.text)


def test_the_choice_is_taken_back(client: Client) -> None:
    """Then everything is open again."""
    be(client, "account:worker")
    answer = be(client, "")
    assert (303, "/choose") == (answer.status_code, answer.headers["location"])
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert "nobody so far" in client.get("/choose?lang=en").text
    assert 200 == client.get("/people/L1-2").status_code


def test_who_was_somebody_that_has_gone_becomes_nobody_by_choice_only(client: Client, company: Company) -> None:
    """Not somebody who sees everything: pages lead to where one chooses, the API and streams are shut."""
    be(client, "account:worker")
    company.admin.disable_account("worker")
    client.app.state.web.gate.refresh()
    for path in ("/hr/people", "/people/L1-2", "/me", "/board/L1"):
        answer = client.get(path, headers=HERE)
        assert (303, "/choose") == (answer.status_code, answer.headers["location"]), path
    assert [401, 401] == [client.get(path).status_code for path in ("/api/v1/scores", "/board/L1/stream")]
    page = client.get("/choose?lang=en").text
    assert "may not be chosen any more" in page
    assert "nobody so far" not in page
    assert 303 == be(client, "account:lead").status_code
    assert "you are lead" in client.get("/me?lang=en").text


def test_a_token_that_opens_nothing_is_not_nobody(client: Client) -> None:
    """Whoever shows one wants to be somebody."""
    answer = client.get("/api/v1/scores", headers={"authorization": "Bearer sst_made-up"})
    assert 401 == answer.status_code


def test_another_site_chooses_for_nobody(client: Client) -> None:
    """Neither without a choice nor with one: the form has to be ours, and of this choice."""
    form = {"who": "account:lead"}
    away = {**HERE, "origin": "https://example.org"}
    assert 403 == client.post("/choose", data=form, headers=away).status_code
    be(client, "account:worker")
    assert 403 == client.post("/choose", data=form, headers=away).status_code
    assert 403 == client.post("/choose", data={**form, FIELD: "made-up"}, headers=HERE).status_code
    assert "you are worker" in client.get("/me?lang=en").text


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["Who would you like to be?", "Operator", "Not at work", "L1-1 · L1", "At work now"]),
        ("zh", ["您想以谁的身份查看？", "操作工", "不在班", "L1-1 · L1", "正在上班"]),
    ],
)
def test_the_page_says_whom_one_may_be(client: Client, language: str, texts: list[str]) -> None:
    """In both languages; who is at work first, and what each of them sees."""
    page = client.get(f"/choose?lang={language}&theme=dark").text
    assert [] == [text for text in texts if text not in page]
    assert page.index('value="account:worker"') < page.index('value="account:small"')  # L2 was at work yesterday
    assert 'data-theme="dark"' in page
    assert "<script>" not in page
    answer = be(client, "account:worker", lang=language, theme="dark")
    assert f"/me?lang={language}&theme=dark" == answer.headers["location"]


def test_where_there_is_no_demo_there_is_no_choice(company: Company, tmp_path: Path) -> None:
    """No such page, and the cookie opens nothing."""
    shelf = Shelf(tmp_path / "shelf")
    shelf.apply([template(), scores("L1-1", unit="L1"), tick()])
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=company.gate())) as real:
        real.follow_redirects = False
        real.cookies.set(CHOSEN, "x.account:worker")
        assert [404, 404] == [real.get("/choose").status_code, real.post("/choose", headers=HERE).status_code]
        assert [401, 302] == [real.get("/api/v1/units").status_code, real.get("/me", headers=HERE).status_code]
        assert "/choose" not in real.get("/sign-in").text


def test_a_demo_without_a_company_says_so(tmp_path: Path) -> None:
    """Boards are open all the same, and lead nowhere."""
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=OPEN)) as bare:
        answer = bare.get("/choose")
        assert (404, True) == (answer.status_code, "scorestream demo" in answer.text)
        assert "/choose" not in bare.get("/board/L1").text
