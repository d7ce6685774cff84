"""Screens for browser tests: a page on a web process, and everything that must not happen on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from dashboards.web.hub import Pace
from tests.web.serving import Serving

playwright_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PACE: Final = Pace(conflate=0.1, heartbeat=0.5, watch=0.1)
WALL: Final = {"width": 1920, "height": 1080}
PHONE: Final = {"width": 390, "height": 844}
BROWSER: Final = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is absent: apt-get install chromium"),
]
CUT_OFF: Final = """() => [...document.querySelectorAll('.hero, .tile')].filter(box => {
  const outer = box.getBoundingClientRect();
  const texts = [...box.querySelectorAll('p, h2')];
  const [mark, facts] = ['.tile > .mark', '.facts'].map(name => box.querySelector(name)?.getBoundingClientRect());
  const beside = mark && facts && mark.bottom > facts.top && mark.top < facts.bottom;
  const collide = beside && mark.right > facts.left && mark.width < outer.width * 0.8;
  return collide || texts.some(e => {
    const r = e.getBoundingClientRect();
    return r.width && (r.bottom > outer.bottom + 1 || r.right > outer.right + 1 || e.scrollWidth > e.clientWidth + 1);
  });
}).map(box => box.textContent)"""

# Cells of a table that lie beside the screen, reached by scrolling a list sideways only.
BESIDE: Final = """() => [...document.querySelectorAll('tbody :is(th, td)')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1)
  .map(e => e.textContent)"""


def now_ms() -> int:
    """Wall time, as boards compare it with event time."""
    return time.time_ns() // 1_000_000


class Screen:
    """A page, and everything that must not happen on it."""

    def __init__(self, context: Any, origin: str) -> None:
        self.context = context
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.origin = origin
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._request)

    def show(self, address: str) -> Any:
        """Opens an address of the server."""
        self.page.goto(self.origin + address)
        return self.page

    def _console(self, message: Any) -> None:
        # A refused connection is what the reconnect test is about.
        if message.type in ("error", "warning") and "ERR_" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.origin):
            self.complaints.append(f"request to elsewhere: {request.url}")


def screen_of(chromium: Any, process: Serving, size: dict[str, int] = WALL, **options: Any) -> Iterator[Screen]:
    """A screen on the process; at the end nothing may have been complained of."""
    options = {"locale": "en-US", "timezone_id": "America/New_York", **options}
    context = chromium.new_context(viewport=size, **options)
    screen = Screen(context, process.url)
    yield screen
    context.close()
    assert screen.complaints == []


def expect(locator: Any) -> Any:
    """Playwright's waiting assertion."""
    return playwright_api.expect(locator)
