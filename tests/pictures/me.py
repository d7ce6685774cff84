"""`python -m tests.pictures.me`: the README's pictures of a person's page, from views that tests of the web fill."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.e2e.screens import ARGUMENTS, CHROMIUM, now_ms
from tests.web.people import COOKIE, SignedIn, site
from tests.web.serving import serving

PICTURES: Final = Path(__file__).parents[2] / "dashboards" / "pictures"


def main() -> None:
    """One picture per language, once the page has heard of the server."""
    with serving(*site(at=now_ms()), wrap=SignedIn) as process, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        for language, look in (("en", "light"), ("zh", "dark")):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.context.add_cookies([{"name": COOKIE, "value": "own", "url": process.url}])
            page.goto(f"{process.url}/me?lang={language}&theme={look}")
            page.wait_for_selector("#link[data-state=live]")
            page.screenshot(path=PICTURES / f"me.{language}.png")
        browser.close()


if __name__ == "__main__":
    main()
