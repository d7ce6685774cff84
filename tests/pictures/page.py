"""A board as a page, and the page as a picture: all that it needs is in it, nothing is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dashboards.web.assets import load_assets
from tests.e2e.screens import ARGUMENTS, CHROMIUM, playwright_api

HERE: Final = Path(__file__).parent
WIDTH: Final = 1200  # CSS pixels, about what a README gives a picture
SHARPNESS: Final = 4 / 3
# What does not fit its place.
CUT_OFF: Final = """() => [...document.querySelectorAll('h1, h2, .chip, .value, .name, .key, th, td, footer, .body')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 || e.matches('.body') && e.scrollHeight > e.clientHeight + 1)
  .map(e => `cut off: ${e.textContent}`)"""


def html(board: Mapping[str, Any]) -> str:
    """The page of a board, its scripts and styles in it."""
    assets = load_assets()
    plots = {name: asset.content.decode() for name in ("uPlot.iife.js", "uPlot.min.css") if (asset := assets.get(name))}
    data = json.dumps(board, ensure_ascii=False).replace("</", "<\\/")
    style, script = ((HERE / name).read_text("utf-8") for name in ("board.css", "draw.js"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{board["name"]}</title>'
        f"<style>{plots['uPlot.min.css']}{style}</style><body>"
        f'<script type="application/json" id="board">{data}</script>'
        f"<script>{plots['uPlot.iife.js']}</script><script>{script}</script>"
    )


def take(boards: Mapping[Path, Mapping[str, Any]]) -> None:
    """Each board's picture to its path. AssertionError when a page complains, or something is cut off; the picture
    is there all the same, to be looked at.
    """
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        for path, board in boards.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": 600}, device_scale_factor=SHARPNESS)
            complaints: list[str] = []
            page.on("pageerror", lambda error, complaints=complaints: complaints.append(str(error)))
            page.set_content(html(board))
            page.wait_for_selector("body[data-drawn]")
            page.wait_for_timeout(500)  # uPlot draws in the next turn
            complaints += page.evaluate(CUT_OFF)
            page.screenshot(path=path, full_page=True)
            page.close()
            assert not complaints, f"{path.name}: {complaints}"
        browser.close()
