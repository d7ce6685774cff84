"""A demo's visitor in a real browser: picks whom to be by keyboard, looks around, and becomes somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.records.database import open_records
from dashboards.web.cast import Cast
from tests.e2e.screens import BROWSER, PACE, PHONE, WALL, expect, now_ms, screen_of
from tests.e2e.test_me import _violations as violations
from tests.web.factories import row, scores, template, tick, unit_scores
from tests.web.gates import WORKS, Company
from tests.web.serving import Serving, serving

pytestmark = BROWSER

SAID = {
    "en": {"nobody": "Demo: choose who to be", "lead": "Crew lead: Crew members", "stop": "Be nobody again"},
    "zh": {"nobody": "演示：选择身份", "lead": "班组长: 班组成员", "stop": "取消身份"},
}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Serving]:
    """A demo of a company at work, a screen in its first line."""
    now = now_ms()
    company = Company(tmp_path / "company", now)
    company.token("L1", screen=True)
    people = [who for who, unit in WORKS.items() if unit == "L1"]
    fed = [template(), *(scores(who, row(), unit="L1", newest=now, at=now) for who in people)]
    fed += [unit_scores("L1", people, newest=now, at=now), tick(now)]
    gate = Cast(open_records(company.url), now_ms)
    with serving(*fed, pace=PACE, access=gate, clock=now_ms) as running:
        yield running


@pytest.mark.parametrize(("language", "theme", "size"), [("en", "light", PHONE), ("zh", "dark", WALL)])
def test_from_nobody_to_an_operator_to_a_lead(
    chromium: Any, process: Serving, language: str, theme: str, size: dict[str, int]
) -> None:
    """The board leads to the picker, the picker to a page of one's own, that to somebody else's."""
    said, kept = SAID[language], f"lang={language}&theme={theme}"
    for screen in screen_of(chromium, process, size):
        page = screen.show(f"/board/L1?{kept}")
        page.get_by_role("link", name=said["nobody"]).press("Enter")
        assert [] == violations(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        operator = page.locator("#employee-who")
        operator.focus()
        page.keyboard.type("Name of L1-1")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/me?{kept}")
        expect(page.locator(".who")).to_contain_text("L1-1")
        assert [] == violations(page)
        page.locator("a.role").press("Enter")
        expect(page.locator(".now")).to_contain_text("Name of L1-1")
        page.get_by_role("button", name=said["lead"], exact=True).press("Enter")
        page.wait_for_url(f"**/team/L1?{kept}")
        expect(page.get_by_role("link", name="L1-2")).to_be_visible()
        assert [] == violations(page)
        page.locator("a.role").press("Enter")
        page.get_by_role("button", name=said["stop"]).press("Enter")
        expect(page.locator(".now button")).to_have_count(0)


def test_the_wall_look_passes_the_accessibility_rules(chromium: Any, process: Serving) -> None:
    """The third theme, on a large screen."""
    for screen in screen_of(chromium, process, WALL):
        page = screen.show("/choose?lang=en&theme=wall")
        assert [] == violations(page)
