"""Pages: the first board, helpful waiting, everything escaped, one language and theme, files by build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dashboards.web.app import create_app
from dashboards.web.security import HEADERS
from tests.web.factories import NOW, line, unit_scores
from tests.web.gates import OPEN
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
EVIL = """<script>alert(1)</script>"'&"""


@pytest.fixture
def view(tmp_path: Path) -> Shelf:
    """A view that the test fills."""
    return Shelf(tmp_path)


@pytest.fixture
def client(view: Shelf) -> Iterator[Client]:
    """A client of the application over the view."""
    with TestClient(create_app(view.reader(), clock=lambda: NOW, access=OPEN)) as client:
        yield client


def test_the_start_leads_to_the_first_board(client: Client, view: Shelf) -> None:
    """The first unit by id; what was asked for in the address goes along."""
    view.apply(line("L04") + line("L03"))
    answer = client.get("/?theme=light&lang=zh", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/board/L03?theme=light&lang=zh")


def test_the_start_waits_for_the_first_unit(client: Client, view: Shelf) -> None:
    """The page looks again by itself, and then there is a board."""
    answer = client.get("/")
    assert answer.status_code == 200
    assert "Waiting for the service" in answer.text
    assert "waiting.js" in answer.text
    view.apply(line())
    assert client.get("/").url.path == "/board/L03"


def test_a_board_names_its_stream(client: Client, view: Shelf) -> None:
    """The contract: `<body data-stream=...>`."""
    view.apply(line())
    answer = client.get("/board/L03")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'data-stream="/board/L03/stream"' in answer.text
    assert 'data-stale-seconds="120"' in answer.text


def test_a_unit_may_have_any_name(client: Client, view: Shelf) -> None:
    """A slash, markup and Chinese are part of the id and not of the page."""
    for unit in ("三号线/装配", EVIL, "a b", "/", "stream", ".a"):
        view.apply([unit_scores(unit, [])])
        entry = next(each for each in client.get("/api/v1/units").json()["units"] if each["unit"] == unit)
        answer = client.get(entry["board"])
        assert answer.status_code == 200, unit
        assert "<script>alert" not in answer.text
        assert f'data-stream="{entry["board"]}/stream"' in answer.text


@pytest.mark.parametrize("address", ["L99", "%3Cscript%3Ealert(1)%3C/script%3E", "L03/other", "L03/stream/x", "a%00b"])
def test_an_unknown_board_is_a_helpful_404(client: Client, view: Shelf, address: str) -> None:
    """It lists the boards that there are and opens by itself when the unit appears."""
    view.apply(line())
    answer = client.get(f"/board/{address}")
    assert answer.status_code == 404
    assert 'href="/board/L03"' in answer.text
    assert "waiting.js" in answer.text
    assert "<script>alert" not in answer.text


def test_a_unit_that_appears_later_has_a_board(client: Client, view: Shelf) -> None:
    """The same address, a moment later."""
    assert client.get("/board/L03").status_code == 404
    view.apply(line())
    assert client.get("/board/L03").status_code == 200


@pytest.mark.parametrize(
    ("query", "header", "language", "theme"),
    [
        ("", "zh-CN,zh;q=0.9", "zh-Hans", "wall"),
        ("?lang=en&theme=light", "zh-CN", "en", "light"),
        ("?lang=zh&theme=dark", "en", "zh-Hans", "dark"),
        ('?lang=xx&theme="><script>', "en", "en", "wall"),
    ],
)
def test_language_and_theme_come_from_the_address(
    client: Client, view: Shelf, query: str, header: str, language: str, theme: str
) -> None:
    """A wall screen is set up by its address alone; what is not known there is ignored."""
    view.apply(line())
    answer = client.get(f"/board/L03{query}", headers={"accept-language": header})
    assert f'<html lang="{language}" data-theme="{theme}">' in answer.text
    assert language == answer.headers["content-language"]


@pytest.mark.parametrize("address", ["/board/L03", "/board/L03/funnel", "/team/L03"])
def test_a_page_leads_to_itself_in_the_other_language(client: Client, view: Shelf, address: str) -> None:
    """With all that its address says, but for what was just done; by a link, so that the keyboard reaches it."""
    view.apply(line())
    page = client.get(f"{address}?theme=light&indicator=a%26b&done=1&lang=en").text
    found = re.findall(r'<a[^>]* href="([^"]+)" lang="zh-Hans" hreflang="zh-Hans">中文</a>', page)
    assert ["?theme=light&amp;indicator=a%26b&amp;lang=zh"] == found
    other = client.get(f"{address}{found[0].replace('&amp;', '&')}").text
    assert '<html lang="zh-Hans" data-theme="light">' in other
    assert 'lang="en" hreflang="en">English</a>' in other
    assert [] == re.findall(r'href="(/[^"?]*)"', re.sub(r'href="/assets/[^"]+"', "", other)), "links carry it on"


def test_a_page_that_knows_no_unit_carries_the_language_on(client: Client, view: Shelf) -> None:
    """To the boards that there are."""
    view.apply(line())
    assert 'href="/board/L03?lang=zh&amp;theme=dark"' in client.get("/board/L99?lang=zh&theme=dark&seconds=9").text


def test_the_set_language_comes_before_the_browsers(view: Shelf) -> None:
    """A plant in China hangs up screens whose browsers speak English."""
    view.apply(line())
    with TestClient(create_app(view.reader(), language="zh", access=OPEN)) as client:
        assert 'lang="zh-Hans"' in client.get("/board/L03", headers={"accept-language": "en"}).text


def test_every_file_of_a_page_is_there_and_kept_for_ever(client: Client, view: Shelf) -> None:
    """Its address changes with the build, so a kept copy is never an old one."""
    view.apply(line())
    page = client.get("/board/L03").text
    addresses = set(re.findall(r'(?:href|src|data-words)="(/assets/[^"]+)"', page))
    assert len(addresses) >= 6
    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert client.get("/board/L03").headers["cache-control"] == "no-store"


def test_every_module_that_a_module_imports_is_there(client: Client, view: Shelf) -> None:
    """A misspelt import would show only in a browser."""
    todo, seen = ["main.js", "waiting.js"], set()
    build = client.get("/healthz").json()["build"]
    while todo:
        name = todo.pop()
        seen.add(name)
        answer = client.get(f"/assets/{build}/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8"), name
        todo += set(re.findall(r'from "\./([\w.]+)"', answer.text)) - seen
    assert len(seen) > 10


def test_a_page_of_an_older_build_gets_todays_files_uncached(client: Client) -> None:
    """It was loaded just before the process was replaced, and reloads itself soon."""
    answer = client.get("/assets/0123456789ab/main.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("name", ["nix.js", "..%2Fapp.py", "%2Fetc%2Fpasswd", "__init__.py"])
def test_files_that_are_not_listed_are_not_served(client: Client, name: str) -> None:
    """There is no path from an address to the disk."""
    assert client.get(f"/assets/x/{name}").status_code == 404


@pytest.mark.parametrize(
    "address", ["/", "/board/L03", "/board/L99", "/api/v1/units", "/api/v1/units/x", "/nix", "/healthz", "/metrics"]
)
def test_every_answer_carries_the_security_headers(client: Client, view: Shelf, address: str) -> None:
    """Errors too."""
    view.apply(line())
    answer = client.get(address)
    for name, value in HEADERS:
        assert value.decode() == answer.headers[name.decode()]


def test_pages_have_no_inline_script_or_style(client: Client, view: Shelf) -> None:
    """The policy forbids them, so a page that had one would be broken."""
    view.apply(line())
    for address in ("/board/L03", "/board/L99"):
        page = client.get(address).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy
