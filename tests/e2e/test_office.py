"""Pages of HR, of the organisation, of calendars and of alerts in a real browser: for everybody, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Final

import pytest

from agents.transport.embedded.log import EmbeddedLog
from dashboards.web.cookies import SESSION
from dashboards.web.planning import Planning
from schemas.instants import MINUTE, format_rfc3339
from tests.agents.rig import new_log
from tests.e2e.screens import BESIDE, BROWSER, PHONE, expect, now_ms, screen_of
from tests.e2e.test_me import _violations as violations
from tests.oracle.logs import PARTITIONS, calendar
from tests.web.factories import INDICATOR, ROLLING, alert, scores, template, tick, total, unit_scores
from tests.web.gates import WORKS, Company
from tests.web.hr import close, desk_of
from tests.web.serving import Serving, serving

pytestmark = BROWSER

LAPTOP: Final = {"width": 1366, "height": 768}
PAGES: Final = (
    "/hr", "/hr/alerts", "/hr/people", "/hr/results?indicator=", "/hr/audit", "/appeals", "/organisation",
    "/organisation/units/L1",
    "/organisation/people/lea", "/organisation/edit/hire", "/organisation/edit/correct?employee=lea&begins=0",
    "/organisation/import", "/organisation/calendars?unit=L1", "/alerts/a1",
    "/alerts/u1", "/team/L1", "/board/L1/funnel",
)  # fmt: skip
LOOKS: Final = (("en", "light"), ("zh", "dark"), ("en", "wall"))
WIDER: Final = "document.scrollingElement.scrollWidth - innerWidth"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """At work now, with closed results."""
    made = Company(tmp_path / "company", now_ms())
    made.records.write(close)
    return made


@pytest.fixture
def process(company: Company, tmp_path: Path) -> Iterator[Serving]:
    """Its web, with a log that calendars are published to; an alert about somebody and one about the unit."""
    new_log(tmp_path / "log", PARTITIONS).close()

    def opened() -> AbstractContextManager[EmbeddedLog]:
        return closing(EmbeddedLog.open(tmp_path / "log", create=False))

    now = company.at
    people = [who for who, unit in WORKS.items() if unit == "L1"]
    since: dict[str, Any] = {"window_start": format_rfc3339(now - 20 * MINUTE), "unit": "L1", "at": now - 5 * MINUTE}
    panes = {f"production-operator/{INDICATOR}/{ROLLING}": [[now - n * 5 * MINUTE, 50, 40 + n] for n in range(9)]}
    fed = [template(), *(scores(who, total(), unit="L1", newest=now, at=now) for who in people)]
    fed += [unit_scores("L1", people, newest=now, at=now, trends=panes), tick(now)]
    fed += [alert("a1", "L1-1", **since), alert("u1", None, **since)]
    with serving(
        *fed, access=company.gate(), clock=lambda: company.at, desk=desk_of(company.url),
        planning=Planning(opened, lambda: company.at),
    ) as running:  # fmt: skip
        yield running


def _signed_in(screen: Any, company: Company) -> None:
    session = company.session("personnel")
    screen.context.add_cookies([{"name": SESSION, "value": session, "url": screen.origin}])


def test_every_page_is_for_everybody(chromium: Any, company: Company, process: Serving) -> None:
    """Each passes the rules of axe-core in one of the looks, has one title, and fits a phone and a laptop."""
    for screen in screen_of(chromium, process, PHONE):
        _signed_in(screen, company)
        wrong: list[Any] = []
        for number, path in enumerate(PAGES):
            language, theme = LOOKS[number % len(LOOKS)]
            sign = "&" if "?" in path else "?"
            page = screen.show(f"{path}{sign}lang={language}&theme={theme}")
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            wide = [page.evaluate(WIDER), len(page.evaluate(BESIDE)) if path == "/hr/people" else 0]
            page.set_viewport_size(LAPTOP)
            wide.append(page.evaluate(WIDER))
            told = (path, violations(page), [width for width in wide if width > 0], page.locator("h1").count())
            wrong += [] if told == (path, [], [], 1) else [told]
            page.set_viewport_size(PHONE)
        assert [] == wrong


def _let_through(screen: Any, status: int) -> None:
    """A form that is sent back with what is wrong in it is what these tests are about."""
    screen.complaints[:] = [each for each in screen.complaints if f"status of {status}" not in each]


def _tab_to(page: Any, wanted: Any) -> None:
    """Goes on with the tab key until something has the focus, and sees that it does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the tab key does not lead to {wanted}")


def test_somebody_is_hired_by_keyboard_alone(chromium: Any, company: Company, process: Serving) -> None:
    """From the tree to the form, what it would do, and done; a mistake leads to its field."""
    for screen in screen_of(chromium, process, LAPTOP):
        _signed_in(screen, company)
        page = screen.show("/organisation?lang=en")
        _tab_to(page, page.get_by_role("link", name="Hire somebody"))
        page.keyboard.press("Enter")
        entered = {"employee": "N-1", "name": "Nora New", "role": "operator", "unit": "L9"}
        for field, text in entered.items():
            _tab_to(page, page.locator(f"#f-{field}"))
            page.keyboard.insert_text(text)
        page.keyboard.press("Enter")
        expect(page.locator(".summary-box")).to_contain_text("L9")
        assert [] == violations(page)
        _tab_to(page, page.locator(".summary-box a").first)
        page.keyboard.press("Enter")
        expect(page.locator("#f-unit")).to_be_focused()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text("L1")
        page.keyboard.press("Enter")
        _tab_to(page, page.locator("main form button").first)
        assert [] == violations(page)
        page.keyboard.press("Enter")
        expect(page.locator(".notice-line")).to_be_visible()
        expect(page.locator("h1")).to_have_text("Nora New")
        _let_through(screen, 400)


def test_a_calendar_is_published_by_keyboard_alone(chromium: Any, company: Company, process: Serving) -> None:
    """Checked with a mistake at its line, mended, checked, published."""
    for screen in screen_of(chromium, process, LAPTOP):
        _signed_in(screen, company)
        page = screen.show("/organisation/calendars?lang=en&unit=L01")
        for text, shown in ((calendar(timezone="Mars"), ".summary-box"), (calendar(), ".notice-line")):
            area = page.locator("#f-text")
            _tab_to(page, area)
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.insert_text(text)
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect(page.locator(shown)).to_be_visible()
            assert [] == violations(page)
        _tab_to(page, page.get_by_role("button", name="Publish"))
        page.keyboard.press("Enter")
        expect(page.locator(".notice-line")).to_be_visible()
        expect(page.locator("main")).to_contain_text("hall@1")
        _let_through(screen, 400)
