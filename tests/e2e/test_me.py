"""A person's page in a real browser, from the first look to an answered appeal; by keyboard, live, for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.instants import MINUTE
from tests.e2e.screens import BESIDE, BROWSER, PHONE, Screen, expect, now_ms, screen_of
from tests.web.logged import day_of_work, desk_of, evidence_of, published
from tests.web.people import COOKIE, SignedIn, person, site
from tests.web.serving import Serving, serving

pytestmark = BROWSER

SAID = {
    "en": {
        "details": "How this is counted", "events": "Which events made this?", "contest": "Contest event q2",
        "send": "Hand in", "month": "this month", "answer": "Uphold: the person is right", "upheld": "upheld",
        "units": "80 / 100",
    },
    "zh": {
        "details": "如何计算", "events": "由哪些事件得出？", "contest": "对事件 q2 提出申诉", "send": "提交申诉",
        "month": "本月", "answer": "成立：申诉人有理", "upheld": "申诉成立", "units": "80 / 100",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a day."""
    made = tmp_path_factory.mktemp("log")
    day_of_work(made)
    return made


@pytest.fixture
def process(logged: Path, tmp_path: Path) -> Iterator[Serving]:
    """A web process over the log of a day, its views and records."""
    behind = {"evidence": evidence_of(logged), "desk": desk_of(tmp_path)}
    with serving(*published(logged), wrap=SignedIn, **behind) as running:
        yield running


def _as(screen: Screen, who: str) -> None:
    screen.context.add_cookies([{"name": COOKIE, "value": who, "url": screen.origin}])


def _violations(page: Any) -> list[Any]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    found = axe.Axe().run(page).response["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_from_the_first_look_to_an_answered_appeal(chromium: Any, process: Serving, language: str, theme: str) -> None:
    """Points, details by keyboard, the events, an appeal against one of them, answered by somebody else."""
    said = SAID[language]
    kept = f"lang={language}&theme={theme}"
    for screen in screen_of(chromium, process, PHONE):
        _as(screen, "own")
        page = screen.show(f"/me?{kept}")
        expect(page.locator("#link")).to_have_attribute("data-state", re.compile("live|silent"))
        assert [] == _violations(page)
        summary = page.locator("summary").first
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator("details").first).to_have_attribute("open", "")
        expect(page.locator("details").first).to_contain_text("accepted / inspected")
        page.get_by_role("link", name=re.compile(re.escape(said["events"]))).nth(1).press("Enter")
        expect(page.locator("th.id")).to_have_count(3)
        assert [] == page.evaluate(BESIDE)
        assert [] == _violations(page)
        page.get_by_role("link", name=said["contest"]).press("Enter")
        page.locator("textarea").fill("The tester was broken.")
        assert [] == _violations(page)
        page.get_by_role("button", name=said["send"]).press("Enter")
        expect(page.locator(".appeal blockquote")).to_have_text("The tester was broken.")
        _as(screen, "boss")
        page = screen.show(f"/appeals?{kept}")
        assert [] == _violations(page)
        page.locator("textarea").fill("Corrected today.")
        page.get_by_role("button", name=said["answer"]).press("Enter")
        expect(page.locator(".appeal")).to_have_count(0)
        _as(screen, "own")
        page = screen.show(f"/me/appeals?{kept}")
        expect(page.locator(".stamp")).to_have_text(said["upheld"])
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_page_stays_fresh_and_keeps_what_is_open(chromium: Any) -> None:
    """New numbers come by themselves; open details and the keyboard's place stay; a lost server is said."""
    with serving(*site(at=now_ms()), wrap=SignedIn) as process:
        for screen in screen_of(chromium, process):
            _as(screen, "own")
            page = screen.show("/me?lang=en")
            expect(page.locator("#link-text")).to_have_text("live")
            page.evaluate("window.same = true")
            summary = page.locator("summary").first
            summary.focus()
            page.keyboard.press("Space")
            process.feed(person("E0001", 91, at=now_ms()))
            expect(page.locator(".card .value").first).to_have_text("91.0%")
            expect(page.locator("details").first).to_have_attribute("open", "")
            assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
            process.stop()
            expect(page.locator("#link-text")).to_have_text(re.compile("connection lost since"))
            process.start()
            expect(page.locator("#link-text")).to_have_text("live")
            assert page.evaluate("window.same") is True


def test_old_data_says_since_when(chromium: Any) -> None:
    """Also on a page that nothing arrives at."""
    with serving(*site(at=now_ms() - 9 * MINUTE), wrap=SignedIn) as process:
        for screen in screen_of(chromium, process):
            _as(screen, "own")
            page = screen.show("/me?lang=en")
            expect(page.locator("#newest")).to_have_text(re.compile("no new data since"))


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("wall", 3840), ("dark", 1280)])
def test_every_state_passes_the_accessibility_rules(chromium: Any, theme: str, width: int) -> None:
    """Above, below, too few units, an alert, in each look and on each size; nothing to scroll sideways."""
    with serving(*site(at=now_ms()), wrap=SignedIn) as process:
        for screen in screen_of(chromium, process, {"width": width, "height": 900}):
            _as(screen, "own")
            page = screen.show(f"/me?lang=en&theme={theme}")
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            expect(page.locator("#link-text")).to_have_text("live")
            assert [] == _violations(page)
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
