"""The board in a real browser: what a person at the line sees, and what a screen does that nobody touches for weeks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from schemas.instants import DAY, MINUTE, format_rfc3339
from tests.e2e.screens import BROWSER, CUT_OFF, PACE, PHONE, WALL, Screen, expect, now_ms, screen_of
from tests.web.factories import INDICATOR, ROLLING, line, row, scores, tick, total, unit_scores
from tests.web.serving import Serving, serving

# Of a line of digits the upper 28 and the lower 19 hundredths are empty.
OVERLAPPING: Final = """() => [...document.querySelectorAll('.tile')].flatMap(tile => {
  const [head, value, other, whisker] = ['.tile-head', '.value span', '.other', '.whisker']
    .map(name => tile.querySelector(name).getBoundingClientRect());
  const [top, bottom] = [value.top + 0.28 * value.height, value.bottom - 0.19 * value.height];
  const below = other.height ? other.top : whisker.top;
  return head.bottom <= top + 1 && bottom <= below + 1 && other.bottom <= whisker.top + 1
    ? [] : [`${tile.textContent}: ${[head.bottom, top, bottom, below, other.bottom, whisker.top]}`];
})"""
EVIL: Final = """<img src=x onerror="document.title='broken in'">"""

pytestmark = BROWSER


@pytest.fixture
def process() -> Iterator[Serving]:
    """A process with line L03, two people, data of now."""
    with serving(*line(newest=now_ms()), tick(now_ms()), pace=PACE) as running:
        yield running


@pytest.fixture
def screen(chromium: Any, process: Serving) -> Iterator[Screen]:
    """A wall screen."""
    yield from screen_of(chromium, process)


@pytest.fixture
def phone(chromium: Any, process: Serving) -> Iterator[Screen]:
    """A phone."""
    yield from screen_of(chromium, process, PHONE)


def test_a_board_shows_the_line_and_its_people(screen: Screen) -> None:
    """Value, sample, interval and target of the line; its people by id."""
    page = screen.show("/")
    expect(page.locator("#hero-value")).to_have_text("96.0%")
    expect(page.locator("#hero-sample")).to_have_text("n = 200")
    expect(page.locator("#hero-interval")).to_have_text("95% interval 92.3% – 98.0%")
    expect(page.locator("#hero-whisker .goal")).to_have_text("target 95.0%")
    expect(page.locator("#indicator")).to_have_text("Semi-finished yield")
    expect(page.locator("#window")).to_have_text("last 60 min")
    assert page.locator(".who").all_text_contents() == ["E0001", "E0002"]


def test_a_change_shows_without_a_reload(screen: Screen, process: Serving) -> None:
    """From the record to the pixel within a second; the page is the same one."""
    page = screen.show("/board/L03")
    expect(page.locator("#link-text")).to_have_text("live")
    page.evaluate("window.same = true")
    took: list[float] = []
    while min(took, default=1) >= 1:  # a machine that stands still now and then has its second, too
        good = 91 - len(took)
        began = time.monotonic()
        process.feed(
            scores("E0002", row(good), total(88.0), newest=now_ms()),
            unit_scores("L03", ["E0001", "E0002"], row(96 + good, 200)),
        )
        expect(page.locator(".tile").nth(1).locator(".value")).to_have_text(f"{good}.0%")
        expect(page.locator("#hero-value")).to_have_text(f"{(96 + good) / 2:.1f}%")
        took.append(time.monotonic() - began)
        assert len(took) < 10, took
    assert page.evaluate("window.same") is True


def test_a_person_with_too_little_data_is_not_judged(screen: Screen, process: Serving) -> None:
    """The value is greyed and the board says how much is missing."""
    page = screen.show("/board/L03")
    process.feed(scores("E0001", row(10, 12, status="insufficient", points=None), total(None), newest=now_ms()))
    tile = page.locator(".tile").first
    expect(tile).to_have_attribute("data-mark", "insufficient")
    expect(tile.locator(".mark")).to_have_text("not enough data")
    expect(tile.locator(".facts")).to_have_text("n = 12 of 30")


def test_old_data_is_greyed_and_says_since_when(screen: Screen, process: Serving) -> None:
    """Event time decides, in the plant's zone, whatever the clock and zone of the screen."""
    old = now_ms() - 5 * MINUTE
    page = screen.show("/board/L03")
    fresh = page.locator("#hero-value").evaluate("e => getComputedStyle(e).color")
    process.feed(scores("E0001", newest=old), unit_scores("L03", ["E0001", "E0002"], newest=old))
    since = time.strftime("%H:%M", time.gmtime(old / 1000 + 8 * 3600))
    expect(page.locator("#hero-mark")).to_have_text(f"no new data since {since}")
    expect(page.locator(".tile").first.locator(".mark")).to_have_text(f"stale since {since}")
    expect(page.locator(".tile").nth(1)).not_to_have_attribute("data-mark", "stale")
    assert fresh != page.locator("#hero-value").evaluate("e => getComputedStyle(e).color")
    older = now_ms() - 9 * DAY
    process.feed(scores("E0001", newest=older))
    mark = page.locator(".tile").first.locator(".mark")
    day = time.gmtime(older / 1000 + 8 * 3600)
    expect(mark).to_have_text(f"stale since {day.tm_mon}/{day.tm_mday}")
    assert mark.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_data_grow_old_while_nothing_arrives(chromium: Any) -> None:
    """The age is drawn by the page itself: a quiet stream must not look fresh."""
    with serving(*line(newest=now_ms()), tick(now_ms()), pace=PACE, stale_seconds=5) as process:
        for screen in screen_of(chromium, process):
            page = screen.show("/board/L03")
            expect(page.locator("#hero")).to_have_attribute("data-mark", "near")
            expect(page.locator("#hero")).to_have_attribute("data-mark", "stale")


def test_a_screen_finds_the_server_again(screen: Screen, process: Serving) -> None:
    """The server is away, the screen says so, and goes on by itself when it is back; the page is never reloaded."""
    page = screen.show("/board/L03")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    page.evaluate("window.same = true")
    process.stop()
    expect(page.locator("#link-text")).to_have_text(re.compile(r"connection lost since \d\d:\d\d"))
    expect(page.locator(".tile")).to_have_count(2)
    process.feed(scores("E0002", row(77), newest=now_ms()))
    process.start()
    expect(page.locator("#link-text")).to_have_text("live")
    expect(page.locator(".tile").nth(1).locator(".value")).to_have_text("77.0%")
    assert page.evaluate("window.same") is True


def test_a_screen_survives_an_answer_that_is_no_stream(screen: Screen, process: Serving) -> None:
    """One HTTP 503 ends an EventSource for good; the watchdog makes a new one."""
    answers = iter([503, 404])
    screen.page.route("**/stream", lambda route: refuse(route, next(answers, None)))
    page = screen.show("/board/L03")
    expect(page.locator("#link")).to_have_attribute("data-state", "lost")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    screen.complaints = [each for each in screen.complaints if "the server responded with a status of" not in each]


def refuse(route: Any, status: int | None) -> None:
    """Answers with this status, or lets the request through."""
    if status is None:
        route.continue_()
    else:
        route.fulfill(status=status, body="busy")


def test_a_page_of_an_older_build_reloads_itself_once(screen: Screen, process: Serving) -> None:
    """After an update every wall shows the new page; a build that stays strange does not loop."""
    page = screen.show("/board/L03")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    with page.expect_navigation(timeout=60_000):
        page.evaluate("document.body.dataset.build = 'older'")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    page.evaluate("window.same = true; document.body.dataset.build = 'older still'")
    page.wait_for_timeout(4_000)  # the reload would come within three seconds
    assert page.evaluate("window.same") is True


def test_a_silent_service_is_told_apart_from_a_quiet_line(screen: Screen, process: Serving) -> None:
    """The connection is fine, the scores are not coming."""
    page = screen.show("/board/L03")
    expect(page.locator("#link-text")).to_have_text("live")
    silence = now_ms() - 60_000
    process.shelf.clear()
    process.feed(*(each._replace(timestamp=silence) for each in line(newest=silence)[:-1]), tick(silence))
    expect(page.locator("#link-text")).to_have_text(re.compile(r"service silent since \d\d:\d\d"))


def test_the_waiting_page_opens_the_board_by_itself(screen: Screen, process: Serving) -> None:
    """A unit that appears later, and a first unit at all."""
    screen.show("/board/L77")
    expect(screen.page.locator("h1")).to_have_text("No board here yet")
    process.feed(unit_scores("L77", ["E0001"], newest=now_ms()))
    expect(screen.page.locator("#hero-value")).to_have_text("96.0%")
    screen.complaints = [each for each in screen.complaints if "status of 404" not in each]


def test_sixty_people_are_readable_from_five_metres(screen: Screen, process: Serving) -> None:
    """Twelve at a time, main digits of at least 65 pixels, nothing cut off, nothing to scroll."""
    process.feed(*line(people=60, newest=now_ms()))
    page = screen.show("/board/L03")
    expect(page.locator(".dots button")).to_have_count(5)
    expect(page.locator(".tile")).to_have_count(12)
    sizes = page.locator(".tile .value").evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(sizes) >= 65
    assert page.locator("#hero-value").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 150
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize(
    ("language", "people"), [("en", 1), ("zh", 2), ("en", 4), ("zh", 5), ("en", 9), ("zh", 12), ("en", 13)]
)
def test_nothing_is_cut_off_whatever_the_number_of_people(
    screen: Screen, process: Serving, people: int, language: str
) -> None:
    """Every grid, the longest states in both languages."""
    process.feed(*line(people=people, newest=now_ms()))
    process.feed(
        scores("E0001", row(29, 29, status="insufficient"), newest=now_ms()),
        scores("E0002", row(100, 100), total(100.0), newest=now_ms() - 9 * MINUTE),
    )
    page = screen.show(f"/board/L03?lang={language}")
    expect(page.locator(".tile").first).to_have_attribute("data-mark", "insufficient")
    assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, WALL], ids=["laptop", "wall"])
def test_what_a_unit_has_besides_is_beside_its_value(chromium: Any, process: Serving, size: dict[str, int]) -> None:
    """A part of the board that is a unit says how many people it has, where nothing else stands: in every grid."""
    own = {**row(96, 100), "unit": "L1"}
    trend = {f"production-operator/{INDICATOR}/{ROLLING}": [[now_ms() - MINUTE * n, 50, 45 + n] for n in (3, 2, 1)]}
    shown = {"people": 16, "newest": format_rfc3339(now_ms()), "rows": [own], "trends": trend}
    for screen in screen_of(chromium, process, size):
        page = screen.show("/board/L03")
        for units in (1, 2, 4, 6, 9, 12):
            parts = [{"unit": f"L{n}", "name": {"en": f"Packing {n}"}, **shown} for n in range(units)]
            name = {"en": f"Jiangyang {units}"}
            process.feed(unit_scores("L03", [], parts=parts, newest=now_ms(), name=name))
            expect(page.locator("#unit")).to_have_text(name["en"])
            said = page.locator(".tile").get_by_text("16 people", exact=True)
            expect(said.filter(visible=True)).to_have_count(units)
            assert [] == page.evaluate(CUT_OFF), units
            assert [] == page.evaluate(OVERLAPPING), units
            assert page.locator("#unit").evaluate("e => e.scrollHeight <= e.clientHeight"), "letters are cut off below"


@pytest.mark.parametrize("size", [WALL, PHONE], ids=["wall", "phone"])
def test_a_large_number_stands_where_a_percentage_does(chromium: Any, process: Serving, size: dict[str, int]) -> None:
    """Sales are an indicator too; without an interval there is no bar, and the board is none the worse for it."""
    sales = row(indicator="sales", n=None, value=1_234_567.5)
    process.feed(*(scores(f"E{number:04d}", sales, newest=now_ms()) for number in range(1, 13)))
    process.feed(unit_scores("L03", [f"E{number:04d}" for number in range(1, 13)], sales, newest=now_ms()))
    for screen in screen_of(chromium, process, size):
        page = screen.show("/board/L03")
        expect(page.locator("#hero-value")).to_have_text("1,234,568")
        expect(page.locator(".tile .value").first).to_have_text("1,234,568")
        assert [] == page.evaluate(CUT_OFF)


def test_pages_turn_by_themselves_and_by_key(screen: Screen, process: Serving) -> None:
    """Without a hand on a wall; with the arrow keys and a pause at a desk."""
    process.feed(*line(people=30, newest=now_ms()))
    page = screen.show("/board/L03?seconds=3")
    expect(page.locator(".who").first).to_have_text("E0001")
    expect(page.locator(".who").first).to_have_text("E0011")
    page.keyboard.press("Space")
    expect(page.locator(".toggle")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".who").first).to_have_text("E0001")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".who").first).to_have_text("E0021")
    expect(page.locator(".range")).to_have_text("E0021 – E0030 · 30 people")


def test_units_rotate_in_place(screen: Screen, process: Serving) -> None:
    """One screen for all lines; the page is never loaded again."""
    process.feed(*line("L04", newest=now_ms()))
    page = screen.show("/board/L03?rotate=units&seconds=3")
    page.evaluate("window.same = true")
    expect(page.locator("#unit")).to_have_text("L04")
    expect(page).to_have_url(re.compile("/board/L04"))
    expect(page).to_have_title("L04 · live board")
    expect(page.locator("#unit")).to_have_text("L03")
    assert page.evaluate("window.same") is True


def test_a_phone_shows_everybody_on_one_page(phone: Screen, process: Serving) -> None:
    """It scrolls, and only downwards."""
    process.feed(*line(people=30, newest=now_ms()))
    page = phone.show("/board/L03")
    expect(page.locator(".tile")).to_have_count(30)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert page.evaluate(CUT_OFF) == []


def test_a_board_speaks_chinese(screen: Screen) -> None:
    """Names from the template, words from the catalogue."""
    page = screen.show("/board/L03?lang=zh")
    expect(page.locator("#indicator")).to_have_text("半成品良品率")
    expect(page.locator("#window")).to_have_text("最近 60 分钟")
    expect(page.locator("#hero-mark")).to_have_text("接近目标")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"


def test_markup_in_a_name_is_text(screen: Screen, process: Serving) -> None:
    """A unit's id and an indicator's id come from outside."""
    process.feed(unit_scores(EVIL, ["E0001"], row(indicator=EVIL), newest=now_ms()))
    page = screen.show("/board/" + "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D%27broken%20in%27%22%3E")
    expect(page.locator("#unit")).to_have_text(EVIL)
    expect(page.locator("#indicator")).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0


def test_a_state_is_a_shape_and_a_word_besides_its_colour(screen: Screen, process: Serving) -> None:
    """Who sees no colours sees the state; who sees nothing hears it."""
    process.feed(scores("E0001", row(999, 1000), newest=now_ms()), scores("E0002", row(800, 1000), newest=now_ms()))
    page = screen.show("/board/L03")
    expect(page.locator(".tile .mark").first).to_have_text("above target")
    marks = page.locator(".tile .mark")
    assert marks.all_text_contents() == ["above target", "below target"]
    shapes = marks.locator("path").evaluate_all("all => all.map(e => e.getAttribute('d'))")
    assert len(set(shapes)) == 2
    labels = page.locator(".tile .whisker").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    assert labels[1] == "80.0%, 95% interval 77.4% to 82.4%, target 95.0%"
    expect(page.locator("#link")).to_have_attribute("aria-live", "polite")


def test_a_page_of_people_without_new_data_waits_behind_the_others(screen: Screen, process: Serving) -> None:
    """The other shift has gone home: the board begins with those who are there, and keeps the order of ids."""
    process.feed(*line(people=20, newest=now_ms()))
    gone = [scores(f"E{number:04d}", newest=now_ms() - 30 * MINUTE) for number in range(1, 11)]
    process.feed(*gone)
    page = screen.show("/board/L03?seconds=6")
    expect(page.locator(".who").first).to_have_text("E0011")
    shown: list[float] = []
    while min(shown, default=4) >= 4:  # a page of people that are there stays for six
        expect(page.locator(".who").first).to_have_text("E0001")
        began = time.monotonic()
        expect(page.locator(".who").first).to_have_text("E0011")
        shown.append(time.monotonic() - began)
        assert len(shown) < 6, shown


@pytest.mark.parametrize("query", ["", "?theme=light&lang=zh", "?theme=dark"])
@pytest.mark.parametrize("size", [WALL, PHONE], ids=["wall", "phone"])
def test_a_board_passes_the_accessibility_rules(
    chromium: Any, process: Serving, query: str, size: dict[str, int]
) -> None:
    """Contrast of every state in every theme, names of controls, order of headings."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    process.feed(*line(people=30, newest=now_ms()))
    process.feed(
        scores("E0001", row(29, 29, status="insufficient"), newest=now_ms()),
        scores("E0002", row(100, 100), newest=now_ms() - 9 * MINUTE),
        scores("E0003", row(800, 1000), newest=now_ms()),
        scores("E0004", row(999, 1000), newest=now_ms()),
    )
    for screen in screen_of(chromium, process, size):
        page = screen.show(f"/board/L03{query}")
        expect(page.locator(".tile").nth(3)).to_have_attribute("data-mark", "above")
        found = axe.Axe().run(page).response["violations"]
        assert [] == [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
