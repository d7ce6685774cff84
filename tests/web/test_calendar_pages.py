"""Shift calendars in the browser: shown, checked with what is wrong at its lines, published once, and written down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from agents.rules import calendars
from agents.transport.embedded.log import EmbeddedLog
from dashboards.web.planning import Planning
from tests.agents.rig import new_log
from tests.oracle.logs import PARTITIONS, calendar
from tests.web.editor import Acme, Browser, Client

PATH = "/organisation/calendars"


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """Acme."""
    return Acme(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a log."""
    new_log(tmp_path / "log", PARTITIONS).close()
    return tmp_path / "log"


@pytest.fixture
def client(acme: Acme, folder: Path, tmp_path: Path) -> Iterator[Client]:
    """The web over store and log."""

    def opened() -> AbstractContextManager[EmbeddedLog]:
        return closing(EmbeddedLog.open(folder, create=False))

    with acme.web(tmp_path / "views", planning=Planning(opened, lambda: acme.at)) as made:
        yield made


@pytest.fixture
def hr(client: Client, acme: Acme) -> Browser:
    """Somebody of HR."""
    return Browser(client, acme, "li.na")


def published(folder: Path) -> list[str]:
    """What the log has."""
    with closing(EmbeddedLog.open(folder)) as log:
        return [entry.calendar.key for entry in calendars(log)]


def test_a_text_is_checked_shown_and_published(hr: Browser, acme: Acme, folder: Path) -> None:
    """The check shows the shifts that it would come to; nothing is in the log before somebody publishes it."""
    week = {"unit": "L01", "week": "2026-03-04"}
    checked = hr.fill(f"{PATH}?lang=en", text=calendar(), **week)
    assert 200 == checked.status_code
    assert "The text is fine: hall@1" in checked.text
    assert [] == published(folder)
    starts = re.findall(r'rowspan="\d">([^<]+)</th><td>([^<]+)</td><td>([^<]+)</td><td>([^<]+)</td>', checked.text)
    assert ("Mon, Mar 2, 2026", "06:00", "14:00", "06:00 – 3 Mar, 06:00") == starts[0]
    assert 7 == len(starts)
    done = hr.send(checked.text, action="publish", text=calendar(), **week)
    assert (303, f"{PATH}?done=publish&unit=L01&lang=en") == (done.status_code, done.headers["location"])
    assert ["calendar:hall@1"] == published(folder)
    page = hr.get(f"{PATH}?lang=zh&unit=L01&week=2026-03-04&show=hall@1").text
    assert "生效中" in page
    assert "2026年3月2日周一" in page
    assert page.count("effective_from") >= 1
    assert ["allowed", "done"] == [row.outcome for row in acme.entries("publish-calendar")]
    assert calendar() == json.loads(acme.entries("publish-calendar")[0].detail)["text"]


@pytest.mark.parametrize(("language", "said"), [("en", "2 errors in the text"), ("zh", "文本中有 2 处错误")])
def test_what_is_wrong_stands_at_its_lines(hr: Browser, folder: Path, language: str, said: str) -> None:
    """Each error at its line, and the text is still there to be mended."""
    text = calendar(version="x", timezone="Mars")
    answer = hr.fill(f"{PATH}?lang={language}", text=text, action="publish")
    assert (400, True) == (answer.status_code, said in answer.text)
    lines = text.split("\n")
    for field in ("version", "timezone"):
        number = next(n for n, line in enumerate(lines, 1) if line.startswith(f"{field}:"))
        marked = re.search(rf'<li id="line-{number}" class="marked">(.*?)</li>', answer.text, re.DOTALL)
        assert marked is not None
        assert f"▲ {field}" in marked[1]
        assert f'href="#line-{number}"' in answer.text
    assert "timezone: Mars" in answer.text.partition("<textarea")[2]
    assert [] == published(folder)


def test_what_is_published_stays(hr: Browser, folder: Path) -> None:
    """The same number again is refused, and so is a later version that would begin in the past."""
    assert 303 == hr.fill(PATH, text=calendar(), action="publish").status_code
    for text in (calendar(), calendar(version=2)):
        assert 400 == hr.fill(PATH, text=text, action="publish").status_code
    later = calendar(version=2, effective_from="2030-01-01T00:00:00Z")
    assert 303 == hr.fill(PATH, text=later, action="publish").status_code
    assert ["calendar:hall@1", "calendar:hall@2"] == published(folder)
    page = hr.get(f"{PATH}?lang=en").text
    assert ("upcoming" in page, "in force" in page) == (True, True)


def test_who_may_not_publish_may_look(client: Client, acme: Acme, folder: Path) -> None:
    """An auditor has no form; what is sent is refused and written down."""
    auditor = Browser(client, acme, "revision")
    page = auditor.get(PATH)
    assert (200, False) == (page.status_code, "<textarea" in page.text)
    assert 403 == auditor.post(PATH, {"text": calendar(), "action": "publish"}).status_code
    assert 403 == Browser(client, acme, "keys").get(PATH).status_code
    assert [] == published(folder)


@pytest.mark.parametrize(("query", "field"), [("week=soon", "week"), ("week=1999-01-01", "week"), ("unit=%00", "unit")])
def test_a_wrong_question_is_named(hr: Browser, query: str, field: str) -> None:
    """With what would be right."""
    answer = hr.get(f"{PATH}?{query}")
    assert (400, field) == (answer.status_code, answer.json()["field"])


def test_without_a_log_the_page_says_so(acme: Acme, tmp_path: Path) -> None:
    """And a text that is far too long is refused before anything else."""
    with acme.web(tmp_path / "views") as client:
        hr = Browser(client, acme, "li.na")
        assert 503 == hr.get(PATH).status_code
        form = hr.get("/organisation/edit/hire").text
        token = re.search(r'name="csrf" value="([^"]+)"', form)
        assert token is not None
        assert 503 == hr.post(PATH, {"csrf": token[1], "text": "x"}).status_code
        assert 413 == hr.post(PATH, {"csrf": token[1], "text": "x" * 60_001}).status_code
