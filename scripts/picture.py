"""Takes the README's pictures of the board from a running demo: `.venv/bin/python scripts/picture.py ADDRESS`.

Those of a person's page come from `tests/pictures/me.py`: a demo has nobody who is signed in.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).parents[1] / "dashboards" / "pictures"
CHROMIUM = "/usr/bin/chromium"


def main(address: str) -> None:
    """One picture per language, 1920 x 1080, once live scores are on the board."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in ("en", "zh"):
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(f"{address}?lang={language}")
            page.wait_for_function("document.body.innerText.includes('%')")
            page.wait_for_timeout(1500)  # the trend lines draw themselves
            page.screenshot(path=PICTURES / f"board.{language}.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
