"""What a browser is refused is a page in its reader's language, with a way on; the API's answer stays a problem."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.testing import TestClient

from agents.access.directory import DirectoryStale
from agents.access.matrix import RIGHTS
from agents.views.port import ViewsUnavailable
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from dashboards.web.csrf import token_of
from dashboards.web.desk import DeskClosed
from dashboards.web.languages import LANGUAGES, Language, words
from dashboards.web.problems import RequestProblem
from dashboards.web.refused import SAID
from tests.web.gates import Company, everybody

Client = TestClient[Litestar]
LOOKS = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@get("/fails/{how:str}", opt={"right": "open"}, sync_to_thread=False)
def fails(how: FromPath[str]) -> str:
    """Whatever goes wrong."""
    raise {
        "busy": RequestProblem(429, "too many", headers={"retry-after": "7"}),
        "bug": ValueError("something of the inside"),
        "desk": DeskClosed("closed"),
        "form": RequestProblem(403, "the form is of another sign-in", "csrf"),
        "odd": RequestProblem(418, "it is a teapot"),
        "stale": DirectoryStale("the store is away"),
        "views": ViewsUnavailable("they are at /somewhere"),
    }[how]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store."""
    return Company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The web of the company."""
    shelf = everybody(tmp_path_factory.mktemp("views"))
    app = create_app(shelf.reader(), clock=lambda: company.at, access=company.gate())
    app.register(fails)
    with TestClient(app, raise_server_exceptions=False) as made:
        made.follow_redirects = False
        yield made


def _as(company: Company, account: str) -> dict[str, str]:
    return {"cookie": f"{SESSION}={company.session(account)}"}


REFUSED = [
    ("/board/office", 403, "您的角色无权查看或执行：此单位的汇总数据", "the common numbers of this unit"),
    ("/appeals", 403, "答复申诉", "answering appeals"),
    ("/people/L1-2/events", 403, "得分背后的单条事件", "the single events behind scores"),
    ("/hr/people", 403, "公司人员名单", "who works in the company"),
    ("/no/such/page", 404, "没有此地址的页面", "No page has this address"),
    ("/fails/busy", 429, "请等待 7 秒", "Wait 7 seconds"),
    ("/fails/bug", 500, "服务日志中有原因记录", "the log of the service says what it was"),
    ("/fails/desk", 503, "本页会自动重试", "this page does so by itself"),
    ("/fails/form", 403, "请重新载入页面后再提交", "Load its page again"),
    ("/fails/odd", 418, "服务没有执行所请求的操作", "did not do what was asked"),
    ("/fails/stale", 503, "本页会自动重试", "this page does so by itself"),
    ("/fails/views", 503, "本页会自动重试", "this page does so by itself"),
]


@pytest.mark.parametrize(("address", "status", "chinese", "english"), REFUSED, ids=[one[0] for one in REFUSED])
def test_a_refusal_is_a_page(
    client: Client, company: Company, address: str, status: int, chinese: str, english: str
) -> None:
    """With a title, in the reader's language, with ways on; the same status as for who reads no pages."""
    mine = _as(company, "worker")
    for language, said, tag in (("zh", chinese, "zh-Hans"), ("en", english, "en")):
        page = client.get(f"{address}?lang={language}", headers={**mine, **LOOKS})
        assert (status, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
        assert f'<html lang="{tag}"' in page.text
        assert said in page.text
        (title,) = re.findall(r"<title>(.+)</title>", page.text)
        assert f"<h1>{title}</h1>" in page.text
        assert f'href="/?lang={language}"' in page.text
        assert "something of the inside" not in page.text
        assert "/somewhere" not in page.text
    plain = client.get(address, headers=mine)
    assert (status, "application/problem+json") == (plain.status_code, plain.headers["content-type"])
    assert {name: page.headers.get(name) for name in ("retry-after", "cache-control")} == {
        name: plain.headers.get(name) for name in ("retry-after", "cache-control")
    }
    assert ('data-retry="3"' in page.text) == (status == 503)


def test_who_has_a_page_of_their_own_can_go_there(client: Client, company: Company) -> None:
    """From a board that is not theirs; whoever has none has the start."""
    assert 'href="/me"' in client.get("/board/office", headers={**_as(company, "worker"), **LOOKS}).text
    page = client.get("/hr/people", headers={**_as(company, "keys"), **LOOKS}).text
    assert ('href="/me"' not in page, 'href="/"' in page) == (True, True)


def test_the_api_gives_problems_to_browsers_too(client: Client, company: Company) -> None:
    """Whoever opens its address reads what a program reads."""
    answer = client.get("/api/v1/units/office", headers={**_as(company, "worker"), **LOOKS})
    assert (403, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "this takes the right 'read-units'" in answer.json()["detail"]


def test_a_form_that_is_refused_is_answered_with_a_page(client: Client, company: Company) -> None:
    """With a sign-in that is over, of another sign-in, or with what the address does not know."""
    session = company.session("worker")
    ours = {"cookie": f"{SESSION}={session}", "origin": "http://testserver.local", **LOOKS}
    strange = client.post("/alerts/a-L1-2", data={"csrf": "of another"}, headers=ours)
    assert (403, True) == (strange.status_code, "Load its page again" in strange.text)
    own = {"csrf": token_of(session), "action": "ack"}
    refused = client.post("/alerts/a-L1-2", data=own, headers=ours)
    assert (403, True) == (refused.status_code, "acting on this alert" in refused.text)
    over = {**ours, "cookie": f"{SESSION}=over"}
    gone = client.post("/alerts/a-L1-2", data={"csrf": token_of("over")}, headers=over)
    assert (401, True) == (gone.status_code, 'href="/sign-in?next=%2F"' in gone.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_right_and_status_has_words(language: Language) -> None:
    """However somebody is refused."""
    said = words(language)
    assert all(said(f"refused.right.{right}") for right in RIGHTS)
    assert all(said(f"refused.{kind}.{part}") for kind in (*SAID, "other") for part in ("title", "text"))


def test_nobody_reads_it_too(client: Client) -> None:
    """Who looks need not be known for it."""
    page = client.get("/no/such/page", headers=LOOKS)
    assert (404, True) == (page.status_code, "<h1>There is nothing here</h1>" in page.text)
