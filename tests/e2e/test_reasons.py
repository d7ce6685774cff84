"""In a real browser: HR gives a reason by keyboard and is at the events; what is refused is a page one can leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.records.database import open_records
from dashboards.web.cast import Cast
from tests.e2e.screens import BROWSER, PACE, PHONE, WALL, Screen, expect, now_ms, screen_of
from tests.e2e.test_me import _violations as violations
from tests.web.factories import alert, row, scores, template, tick, unit_scores
from tests.web.gates import WORKS, Company
from tests.web.serving import Serving, serving

pytestmark = BROWSER

SAID = {
    "en": {"why": "Why these events?", "show": "Show the events", "log": "The log cannot be read", "own": "My scores"},
    "zh": {"why": "为何查看这些事件？", "show": "显示事件", "log": "无法读取日志", "own": "我的评分"},
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A demo of a company at work, whose web has no log."""
    now, folder = now_ms(), tmp_path_factory.mktemp("company")
    company = Company(Path(folder) / "company", now)
    people = [who for who, unit in WORKS.items() if unit == "L1"]
    fed = [template(), *(scores(who, row(60), unit="L1", newest=now, at=now) for who in people)]
    fed += [unit_scores("L1", people, row(360, 600), newest=now, at=now), alert("a1", "L1-3", unit="L1", at=now)]
    part = {"unit": "L1", "people": 6, "name": {}, "newest": None, "rows": [], "trends": {}}
    fed += [unit_scores("plant", ["mona", "plant-1"], parts=[part], newest=now, at=now), tick(now)]
    with serving(*fed, pace=PACE, access=Cast(open_records(company.url), now_ms), clock=now_ms) as running:
        yield running


def _be(screen: Screen, kind: str, name: str, kept: str) -> None:
    page = screen.show(f"/choose?{kept}")
    page.locator(f"#{kind}-who").select_option(label=name)
    page.locator(f"#{kind}-who + .buttons button").first.press("Enter")
    page.wait_for_load_state()


def _refusals_are_no_fault(screen: Screen) -> None:
    """A browser notes in its console that a page came with such a status."""
    screen.complaints[:] = [
        one for one in screen.complaints if "status of 403" not in one and "status of 503" not in one
    ]


@pytest.mark.parametrize(("language", "theme", "size"), [("en", "light", PHONE), ("zh", "dark", WALL)])
def test_a_reason_is_given_by_keyboard(
    chromium: Any, process: Serving, language: str, theme: str, size: dict[str, int]
) -> None:
    """From the page that asks to what was asked for; an empty reason does not leave the browser."""
    said, kept = SAID[language], f"lang={language}&theme={theme}"
    for screen in screen_of(chromium, process, size):
        _be(screen, "hr", "Name of office-1 · office", kept)
        page = screen.show(f"/people/L1-2/events?window=day&{kept}")
        expect(page.locator("h1")).to_have_text(said["why"])
        assert [] == violations(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        expect(page.locator("#reason")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#reason")).to_be_focused()
        page.keyboard.type("appeal 12")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=said["show"])).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(said["log"])
        assert page.url.endswith(f"/people/L1-2/events?window=day&{kept}")
        _refusals_are_no_fault(screen)


def test_a_refusal_is_a_page_that_one_can_leave(chromium: Any, process: Serving) -> None:
    """With a title, in the language of the reader, without a finding; its first link leads to one's own page."""
    kept = "lang=zh&theme=light"
    for screen in screen_of(chromium, process, PHONE):
        _be(screen, "employee", "Name of L1-1 · L1", kept)
        page = screen.show(f"/board/plant?{kept}")
        assert page.title() == page.locator("h1").inner_text()
        assert [] == violations(page)
        page.locator("summary").press("Enter")
        expect(page.locator("details")).to_contain_text("'read-units'")
        page.locator(".ways a").first.press("Enter")
        page.wait_for_url(f"**/me?{kept}")
        expect(page.locator(".who")).to_contain_text("Name of L1-1")
        _refusals_are_no_fault(screen)


def test_a_board_says_what_it_does_not_show(chromium: Any, process: Serving) -> None:
    """The crew's alerts to an operator, those of lines on the board above them: no green sign that all is well."""
    for screen in screen_of(chromium, process):
        _be(screen, "employee", "Name of L1-1 · L1", "lang=en")
        alerts = screen.show("/board/L1?lang=en").locator("#alerts")
        expect(alerts).to_contain_text("alerts of this unit are not shown to you")
        expect(alerts.locator("svg").first).to_be_hidden()
        _be(screen, "head", "Name of mona · plant", "lang=en")
        expect(screen.page.locator("#alerts")).to_contain_text("those of the units below are on their boards")
        expect(screen.page.locator("#alerts svg").first).to_be_hidden()
