"""A board fits its screen: whatever it has to say, in any language, on any wall, nothing is wider than the glass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.e2e.screens import BROWSER, CUT_OFF, PACE, WALL, Screen, expect, now_ms, screen_of
from tests.web.factories import alert, line, row, scores, tick, unit_scores
from tests.web.serving import Serving, serving

pytestmark = BROWSER
UPRIGHT: Final = {"width": 1080, "height": 1920}
LAPTOP: Final = {"width": 1366, "height": 768}
NAMES: Final = {"en": "Line 1, semi-finished goods, shift B", "zh": "一线半成品车间B班"}
MEMBERS: Final = [f"E{number:04d}" for number in range(1, 8)]
OUTSIDE: Final = """() => [...document.querySelectorAll('body *')].filter(e => {
  const { left, right, width } = e.getBoundingClientRect();
  return width && (left < -1 || right > innerWidth + 1);
}).map(e => `${e.tagName} ${e.className} ${e.textContent.slice(0, 40)}`)"""
CUT_HEAD: Final = """() => [...document.querySelectorAll('.top *')].filter(e => {
  const top = document.querySelector('.top').getBoundingClientRect();
  return e.clientWidth && e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().bottom > top.bottom + 16;
}).map(e => e.textContent)"""
CUT_NAMES: Final = """() => [...document.querySelectorAll('.who')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > 1.4 * e.clientHeight).map(e => e.textContent)"""
HALF_SIGNS: Final = """() => [...document.querySelectorAll('.tile .flag:not([hidden])')].filter(flag => {
  const [outer, icon, word] = [flag, ...flag.children].map(e => e.getBoundingClientRect());
  const within = e => e.left >= outer.left - 1 && e.right <= outer.right + 1 && e.bottom <= outer.bottom + 1;
  return !within(icon) || !icon.width || !(within(word) || word.top >= outer.bottom - 1);
}).map(e => e.textContent)"""
SEEN: Final = (
    """all => all.map(e => e.getBoundingClientRect().top < e.parentElement.getBoundingClientRect().bottom - 1)"""
)
CUT_ALERTS: Final = """() => [...document.querySelectorAll('.alert p, .alert b')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map(e => e.textContent)"""
COLOUR: Final = "e => getComputedStyle(e).color"


@pytest.fixture
def process() -> Iterator[Serving]:
    """A line with a long name and seven people, three of them with alerts; its service is silent after a second."""
    now = now_ms()
    fed = [*line(people=7, newest=now), unit_scores("L03", MEMBERS, newest=now, name=NAMES), tick(now)]
    fed += [alert(f"a{number}", f"E000{number}", at=now) for number in range(1, 4)]
    with serving(*fed, pace=PACE, still_after=1_000, stale_seconds=36_000) as running:
        yield running


@pytest.fixture
def screen(chromium: Any, process: Serving) -> Iterator[Screen]:
    """A wall screen."""
    yield from screen_of(chromium, process)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_trouble_is_no_wider_than_the_screen_and_makes_values_grey(
    screen: Screen, process: Serving, language: str
) -> None:
    """A silent service, then a lost server: all of the head is there, and no value looks like one of now."""
    page = screen.show(f"/board/L03?lang={language}&theme=wall")
    expect(page.locator("#unit")).to_have_text(NAMES[language])
    for state in ("silent", "lost"):
        if state == "lost":
            process.stop()
        expect(page.locator("#link")).to_have_attribute("data-state", state)
        for size in (LAPTOP, WALL, UPRIGHT):
            page.set_viewport_size(size)
            assert ([], [], []) == (page.evaluate(OUTSIDE), page.evaluate(CUT_HEAD), page.evaluate(CUT_OFF))
        expect(page.locator("#hero")).to_have_attribute("data-mark", "stale")
        expect(page.locator('.tile[data-mark="stale"]')).to_have_count(7)
        faint, told = (page.locator(f"{name}").first.evaluate(COLOUR) for name in (".tile .value", ".tile .who"))
        assert faint != told


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_tile_with_an_alert_says_whose_it_is(screen: Screen, process: Serving, language: str) -> None:
    """The whole name and the sign, a long one in two lines; the sign's word has room or is not there, never half."""
    now = now_ms()
    who = ["P-3GBLMQ2X", "Alexandra.Papadopoulou-Smith", "P-3GBL", "E0004", "E0005", "E0006", "E0007"]
    process.shelf.clear()
    fed = [*line(newest=now)[:1], *(scores(each, newest=now) for each in who), unit_scores("L03", who, newest=now)]
    severities = ("warning", "critical", "info", "warning")
    process.feed(*fed, *(alert(each, each, at=now, severity=bad) for each, bad in zip(who, severities, strict=False)))
    page = screen.show(f"/board/L03?lang={language}")
    expect(page.locator('.tile[data-alert="firing"]')).to_have_count(4)
    assert sorted(who) == page.locator(".who").all_text_contents()
    assert ([], []) == (page.evaluate(CUT_NAMES), page.evaluate(HALF_SIGNS))
    spoken = page.locator(".tile .flag:not([hidden]) span").evaluate_all(SEEN)
    assert {"P-3GBL", "E0004"} <= {each for each, seen in zip(sorted(who[:4]), spoken, strict=True) if seen}


@pytest.mark.parametrize(
    ("language", "said", "look"),
    [
        ("en", "4 of 7 people dropped at the same time", "look at the line first (machine, material)"),
        ("zh", "7 人中有 4 人同时下降", "请先检查产线（设备、物料）"),
    ],
)
def test_what_befalls_the_line_is_the_lines_alert(
    screen: Screen, process: Serving, language: str, said: str, look: str
) -> None:
    """One sentence for all of them; their tiles carry a quiet sign, only whose alert is their own is coloured."""
    now = now_ms()
    facts: dict[str, Any] = {"value": 4 / 7, "n": 7, "good": 3, "low": None, "high": None}
    process.feed(alert("u1", None, at=now, rule="common_cause", **facts))
    process.feed(*(alert(f"b{number}", f"E000{number}", at=now, folded_into="u1") for number in range(4, 8)))
    process.feed(alert("a1", "E0001", at=now, folded_into="u1"))
    page = screen.show(f"/board/L03?lang={language}")
    expect(page.locator(".alert").first.locator(".alert-who")).to_have_text(said)
    expect(page.locator(".alert").first.locator(".alert-what")).to_contain_text(look)
    assert 2 == page.locator(".alert").count()  # a sentence has two places of three
    assert ([], []) == (page.evaluate(OUTSIDE), page.evaluate(CUT_ALERTS))
    assert ["E0002", "E0003"] == page.locator('.tile[data-alert="firing"] .who').all_text_contents()
    quiet = page.locator('.tile[data-alert="folded"]')
    assert ["E0001", "E0004", "E0005", "E0006", "E0007"] == quiet.locator(".who").all_text_contents()
    grounds = page.locator(".tile-head").evaluate_all("all => all.map(e => getComputedStyle(e).backgroundColor)")
    assert 2 == sum(ground != "rgba(0, 0, 0, 0)" for ground in grounds)


def test_a_tile_shows_what_it_has_room_for(screen: Screen, process: Serving) -> None:
    """Nine people: no stray dot where a trend has no room; who lies beyond the scale has an arrow at its end."""
    now = now_ms()
    who = [f"E000{number}" for number in range(1, 10)]
    process.feed(*line(people=9, newest=now), scores("E0002", row(50, 100), newest=now), unit_scores("L03", who))
    page = screen.show("/board/L03")
    expect(page.locator(".tile")).to_have_count(9)
    trends = page.locator(".tile .spark .box").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).filter(r => r.height && (r.height < 12 || r.width < 40)).length"
    )
    assert 0 == trends
    off = page.locator(".tile .whisker[data-off]")
    assert 1 == off.count()
    assert "low" == off.get_attribute("data-off")
    assert "none" == off.locator(".dot").evaluate("e => getComputedStyle(e).display")
    arrow = off.locator(".scale").evaluate("e => parseFloat(getComputedStyle(e, '::before').borderRightWidth)")
    assert arrow >= 6
    assert [] == page.evaluate(CUT_OFF)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_screen_on_end_is_a_wall_too(screen: Screen, process: Serving, language: str) -> None:
    """Twelve people on one page, digits as large as on a screen that lies, the clock in its corner, no empty half."""
    now = now_ms()
    who = [f"E{number:04d}" for number in range(1, 13)]
    process.feed(*line(people=12, newest=now), unit_scores("L03", who, newest=now, name=NAMES))
    screen.page.set_viewport_size(UPRIGHT)
    page = screen.show(f"/board/L03?lang={language}")
    expect(page.locator(".tile")).to_have_count(12)
    assert ([], [], []) == (page.evaluate(OUTSIDE), page.evaluate(CUT_OFF), page.evaluate(CUT_ALERTS))
    assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
    sizes = page.locator(".tile .value").evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(sizes) >= 65
    places = {name: page.locator(name).last.bounding_box() for name in ("#clock", "#hero", ".tile")}
    assert places["#clock"]["x"] + places["#clock"]["width"] > UPRIGHT["width"] - 60
    assert places["#hero"]["width"] > UPRIGHT["width"] - 100
    assert places[".tile"]["y"] + places[".tile"]["height"] > 0.93 * UPRIGHT["height"]
