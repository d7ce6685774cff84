"""Fixtures of the end-to-end tests: one browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests of a module."""
    from tests.e2e.screens import ARGUMENTS, CHROMIUM, playwright_api

    with playwright_api.sync_playwright() as playwright:
        playwright_api.expect.set_options(timeout=60_000)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
