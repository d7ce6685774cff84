"""Digits that are read from where people stand: as large as ISO 9241-303 has it, on any screen; others take turns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from agents.access.viewer import Look
from schemas.instants import DAY
from tests.e2e.screens import BROWSER, CUT_OFF, PACE, PHONE, WALL, expect, now_ms, screen_of
from tests.web.factories import line, row, scores, template, tick, total, unit_scores
from tests.web.gates import Company
from tests.web.serving import Serving, serving

pytestmark = BROWSER
WALL_4K: Final = {"width": 3840, "height": 2160}
COMFORTABLE: Final = 20  # minutes of arc of a character: 20 to 22 in ISO 9241-303, read at a distance that is given
PEOPLE: Final = 40
ENDS: Final = """() => [...document.querySelectorAll('.who')].filter(e => e.scrollWidth > e.clientWidth)
  .map(e => e.textContent)"""
# What is drawn: height of a digit's ink in CSS pixels, of main digits and of what tells whose they are.
INK: Final = """name => [...document.querySelectorAll(name)].map(node => {
  const { fontWeight, fontSize, fontFamily } = getComputedStyle(node);
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
  return pen.measureText('0').actualBoundingBoxAscent;
})"""


def minutes(pixels: float, size: dict[str, int], inches: float, metres: float) -> float:
    """Under how many minutes of arc so many pixels of a screen are seen."""
    height = pixels * inches * 25.4 / math.hypot(size["width"], size["height"])
    return math.degrees(2 * math.atan(height / (2 * metres * 1_000))) * 60


@pytest.fixture(scope="module")
def process() -> Iterator[Serving]:
    """A process with a line of many people, some of them with the longest words and numbers."""
    with serving(*line(people=PEOPLE, newest=now_ms()), tick(now_ms()), pace=PACE, stale_seconds=36_000) as running:
        running.feed(
            scores("E0001", row(29, 29, status="insufficient"), newest=now_ms()),
            scores("E0002", row(100, 100), total(100.0), newest=now_ms() - 2 * DAY),
        )
        yield running


def pages(page: Any) -> list[list[str]]:
    """Who is on each page, as the rotation shows them; nothing is cut off on any."""
    dots = page.locator(".dots button")
    found = []
    for number in range(max(1, dots.count())):
        if dots.count():
            dots.nth(number).click()
            expect(dots.nth(number)).to_have_attribute("aria-current", "page")
        assert [] == page.evaluate(CUT_OFF)
        found.append(page.locator(".who").all_text_contents())
    return found


@pytest.mark.parametrize(("size", "language"), [(WALL, "zh"), (WALL_4K, "en")], ids=["1080p", "4k"])
@pytest.mark.parametrize(("metres", "least", "most"), [(2, 20, 30), (5, 9, 12), (10, 2, 4)])
def test_digits_are_as_large_as_the_distance_takes(
    chromium: Any, process: Serving, size: dict[str, int], metres: int, least: int, most: int, language: str
) -> None:
    """On a screen of 55 inches: main digits of 20 minutes of arc, names of half of that; everybody has their turn."""
    for screen in screen_of(chromium, process, size):
        page = screen.show(f"/board/L03?distance={metres}&diagonal=55&lang={language}&seconds=600")
        expect(page.locator(".tile").first).to_have_attribute("data-mark", "insufficient")
        page.keyboard.press("Space")
        digits = [*page.evaluate(INK, ".tile .value"), *page.evaluate(INK, "#hero-value")]
        assert min(minutes(each, size, 55, metres) for each in digits) >= COMFORTABLE
        assert min(minutes(each, size, 55, metres) for each in page.evaluate(INK, ".who")) >= COMFORTABLE / 2
        assert least <= page.locator(".tile").count() <= most
        shown = pages(page)
        assert [f"E{number:04d}" for number in range(1, PEOPLE + 1)] == [who for some in shown for who in some]
        expect(page.locator("#short")).to_be_hidden()
        assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")


def test_pixels_are_no_millimetres(chromium: Any, process: Serving) -> None:
    """The same wall with four times the pixels, or with twice as many in each CSS pixel, shows the same."""
    counts = []
    for size, scale in ((WALL, 1), (WALL_4K, 1), (WALL, 2)):
        for screen in screen_of(chromium, process, size, device_scale_factor=scale):
            page = screen.show("/board/L03?distance=5&diagonal=55")
            expect(page.locator(".tile").first).to_be_visible()
            counts.append(page.locator(".tile").count())
    assert 1 == len(set(counts)), counts


def test_a_smaller_screen_shows_fewer_people(chromium: Any, process: Serving) -> None:
    """From the same place: 32 inches have room for less than 75."""
    counts = []
    for inches in (32, 55, 75):
        for screen in screen_of(chromium, process):
            page = screen.show(f"/board/L03?distance=5&diagonal={inches}")
            expect(page.locator(".tile").first).to_be_visible()
            counts.append(page.locator(".tile").count())
    assert counts == sorted(set(counts)), counts


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_screen_that_is_too_small_says_so(chromium: Any, process: Serving, language: str) -> None:
    """One person at a time, as large as there is room for, and from where that can be read."""
    said = {"en": ("readable from", "not from 30 m"), "zh": ("米处可读", "30 米处看不清")}[language]
    for screen in screen_of(chromium, process):
        page = screen.show(f"/board/L03?distance=30&diagonal=32&lang={language}")
        expect(page.locator(".tile")).to_have_count(1)
        for text in said:
            expect(page.locator("#short")).to_contain_text(text)
        assert [] == page.evaluate(CUT_OFF)


@pytest.mark.parametrize("query", ["?distance=0", "?distance=near", "?diagonal=55"])
def test_without_a_distance_a_board_is_as_it_was(chromium: Any, process: Serving, query: str) -> None:
    """Twelve people at a time; what is no distance is none."""
    for screen in screen_of(chromium, process):
        page = screen.show(f"/board/L03{query}")
        expect(page.locator(".dots button")).to_have_count(4)
        expect(page.locator(".tile")).to_have_count(10)


def test_a_phone_is_held_in_a_hand(chromium: Any, process: Serving) -> None:
    """Whatever the address says of a wall."""
    for screen in screen_of(chromium, process, PHONE):
        page = screen.show("/board/L03?distance=10")
        expect(page.locator(".tile")).to_have_count(PEOPLE)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_screens_token_says_how_it_hangs(chromium: Any, tmp_path: Path) -> None:
    """Set once with its token; the address of a board overrides it. Marks of people have room."""
    company = Company(tmp_path / "company", at=now_ms())
    people = ["L1-1", "L1-2", "L1-3", "L1-4", "L1-5", "lea"]
    fed = [template(), *(scores(who, unit="L1", newest=now_ms()) for who in people), unit_scores("L1", people), tick()]
    token = company.admin.create_token("hall", "L1", [], 30, True, Look(10, 55))
    with serving(*fed, pace=PACE, stale_seconds=36_000, access=company.gate(), clock=now_ms) as process:
        for screen in screen_of(chromium, process):
            page = screen.show("/screen")
            page.locator("#token").fill(token)
            page.locator("button").click()
            expect(page.locator("#unit")).to_have_text("L1")
            expect(page.locator(".tile").first).to_be_visible()
            assert min(minutes(each, WALL, 55, 10) for each in page.evaluate(INK, ".tile .value")) >= COMFORTABLE
            far = page.locator(".tile").count()
            page = screen.show("/board/L1?distance=3")
            expect(page.locator(".tile")).to_have_count(6)
            assert far < 6
            assert [] == page.evaluate(ENDS)
