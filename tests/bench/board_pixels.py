"""One of the screens is a real Chromium: when a frame is on the screen that shows an event."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Final

from schemas.instants import parse_rfc3339

# After the page's own code took a change, two frames on: then what it drew has been painted.
WATCH: Final = """(() => {
  const Real = window.EventSource;
  window.painted = [];
  window.EventSource = class extends Real {
    addEventListener(kind, take) {
      super.addEventListener(kind, (event) => {
        take(event);
        if (kind !== "change") return;
        const people = JSON.parse(event.data).people ?? [];
        requestAnimationFrame(() => requestAnimationFrame(() => {
          const at = performance.timeOrigin + performance.now();
          for (const tile of people) window.painted.push([tile.id, tile.newest, at]);
        }));
      });
    }
  };
})()"""
Painted = list[tuple[str, str | None, float]]


class Browser:
    """A Chromium on a line's board, in a thread of its own, as a screen with a token."""

    def __init__(self, address: str, line: str, token: str) -> None:
        self._asked = address, line, token
        self._stop, self._there = threading.Event(), threading.Event()
        self.painted: Painted = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Browser:
        self._thread.start()
        assert self._there.wait(120), "no board came up in the browser"
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        from tests.e2e.screens import ARGUMENTS, CHROMIUM, WALL, playwright_api

        address, line, token = self._asked
        with playwright_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
            context = browser.new_context(viewport=WALL, extra_http_headers={"authorization": f"Bearer {token}"})
            page = context.new_page()
            page.add_init_script(WATCH)
            page.goto(f"{address}board/{line}")
            page.wait_for_selector(".tile")
            self._there.set()
            while not self._stop.wait(1):
                self.painted += page.evaluate("window.painted.splice(0)")
            self.painted += page.evaluate("window.painted.splice(0)")
            browser.close()


def waits(painted: Painted, sent: Mapping[str, list[int]], called: Mapping[str, str], since: float) -> list[int]:
    """Per event of those on the board since an instant (ms): how long (ms) it took to be painted."""
    left = {who: [at for at in sent[who] if at >= since] for who in called.values()}
    found = []
    for name, newest, at in painted:
        shown = None if newest is None else parse_rfc3339(newest)
        who = called[name]
        there = [one for one in left[who] if shown is not None and one <= shown]
        found += [round(at) - one for one in there]
        left[who] = left[who][len(there) :]
    return found


async def beside(browser: Browser) -> Browser:
    """Opens it without standing in the way of the loop."""
    return await asyncio.to_thread(browser.__enter__)
