"""Boards in a real browser while the views are not there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.agents.views.sites import RedisSite
from tests.e2e.redis_server import RedisServer
from tests.e2e.screens import BROWSER, CUT_OFF, PACE, PHONE, WALL, expect, now_ms, screen_of
from tests.web.factories import line, row, scores, tick
from tests.web.serving import serving
from tests.web.shelf import Shelf

pytestmark = BROWSER


@pytest.mark.parametrize(
    ("language", "banner", "link"),
    [
        ("en", r"Views are not available since \d\d:\d\d", r"not available since \d\d:\d\d"),
        ("zh", r"\d\d:\d\d 起看板数据不可用", r"\d\d:\d\d 起不可用"),
    ],
)
@pytest.mark.parametrize("size", [WALL, PHONE], ids=["wall", "phone"])
def test_a_board_with_redis_down_says_so_and_heals(
    chromium: Any, fresh_redis: RedisServer, size: dict[str, int], language: str, banner: str, link: str
) -> None:
    """Every value is grey and the banner says since when, on a page that is open and on one that is opened then."""
    shelf = Shelf(RedisSite(fresh_redis))
    records = [*line(people=12, newest=now_ms()), tick(now_ms())]
    with serving(*records, shelf=shelf, pace=PACE) as process:
        for screen in screen_of(chromium, process, size):
            page = screen.show(f"/board/L03?lang={language}")
            expect(page.locator("#link")).to_have_attribute("data-state", "live")
            expect(page.locator("#banner")).to_be_hidden()
            page.evaluate("window.same = true")
            fresh_redis.kill()
            expect(page.locator("#banner")).to_have_text(re.compile(banner))
            expect(page.locator("#link-text")).to_have_text(re.compile(link))
            expect(page.locator("#hero")).to_have_attribute("data-mark", "stale")
            expect(page.locator('.tile:not([data-mark="stale"])')).to_have_count(0)
            assert [] == page.evaluate(CUT_OFF)
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
            other = screen.context.new_page()
            other.goto(f"{process.url}/board/L03?lang={language}")
            expect(other.locator("#banner")).to_have_text(re.compile(banner))
            expect(other.locator("#empty")).to_be_hidden()
            fresh_redis.start()
            process.feed(*records, scores("E0002", row(77), newest=now_ms()), tick(now_ms()))
            for each in (page, other):
                expect(each.locator("#link")).to_have_attribute("data-state", "live")
                expect(each.locator("#banner")).to_be_hidden()
                expect(each.locator(".tile").nth(1).locator(".value")).to_have_text("77.0%")
            assert page.evaluate("window.same") is True


def test_a_board_that_is_not_available_passes_the_accessibility_rules(chromium: Any, fresh_redis: RedisServer) -> None:
    """The banner is announced, and readable in every theme."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    shelf = Shelf(RedisSite(fresh_redis))
    with serving(*line(people=8, newest=now_ms()), tick(now_ms()), shelf=shelf, pace=PACE) as process:
        for screen in screen_of(chromium, process):
            for number, theme in enumerate(("wall", "light", "dark")):
                page = screen.show(f"/board/L03?theme={theme}")
                if not number:
                    expect(page.locator("#link")).to_have_attribute("data-state", "live")
                    fresh_redis.kill()
                expect(page.locator("#banner")).to_be_visible()
                found = axe.Axe().run(page).response["violations"]
                assert [] == [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
