"""What a board needs that nobody touches for weeks: it stays awake, no pixel shows the same for ever, its clock is the
server's, a stream that falls silent is told within ten seconds. Time is the page's own, and moves when a test says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.screens import BROWSER, PACE, PHONE, Screen, expect, now_ms, screen_of
from tests.web.factories import line, row, scores, tick
from tests.web.serving import Serving, serving

pytestmark = BROWSER
# Stands for the screen's lock, which a browser without a screen has none of; and for the page being hidden and shown.
LOCKS: Final = """
window.asked = []; window.refusing = false; window.shown = 'visible';
Object.defineProperty(document, 'visibilityState', { get: () => window.shown });
Object.defineProperty(navigator, 'wakeLock', { value: { request: async (kind) => {
  window.asked.push(kind);
  if (window.refusing) throw new DOMException('no', 'NotAllowedError');
  return (window.held = { released: false });
} } });
window.show = (state) => {
  window.shown = state;
  if (state === 'hidden') window.held.released = true;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""
NEVER: Final = 36_000_000  # ms
ELSEWHEN: Final = "const own = Date.now; Date.now = () => own() - 400 * 86_400_000;"
# A network on which nothing comes any more and nothing breaks either.
DEAF: Final = """
window.deaf = false;
window.EventSource = class extends EventSource {
  addEventListener(kind, hear) { super.addEventListener(kind, (event) => window.deaf || hear(event)); }
};
"""
# Keeps what the stream said first and who listens, so that a test can go on saying things in the page's own time.
DRIVEN: Final = """
window.hear = {}; window.first = {};
window.EventSource = class extends EventSource {
  addEventListener(kind, hear) {
    window.hear[kind] = hear;
    super.addEventListener(kind, (event) => { window.first[kind] ??= event.data; hear(event); });
  }
};
"""
DAY: Final = """() => {
  const [whole, beat] = [window.first.snapshot, window.first.heartbeat].map((text) => JSON.parse(text));
  beat.pulse = 3_600; // time goes on in leaps: nothing is silent meanwhile
  const say = (kind, data) => window.hear[kind]({ data: JSON.stringify(data) });
  const now = () => new Date(Date.now()).toISOString();
  const flag = { severity: 'warning', state: 'firing', until: null };
  const card = (n) => ({
    id: `a${n}`, employee: whole.people[n % 12].id, severity: 'warning', state: 'firing', since: now(), until: null,
    indicator: 'y', name: { en: 'Yield' }, window: '', unit: 'percent', value: 0.8, n: 32, low: 0.6, person: null,
    affected: null,
  });
  window.deaf = true;
  window.changes = 0;
  setInterval(() => say('heartbeat', { ...beat, at: now(), now: now() }), 4_000);
  setInterval(() => {
    const n = (window.changes += 1);
    const people = whole.people.filter((_, place) => (place + n) % 3 === 0).map((tile) => ({
      ...tile, newest: now(), score: 70 + (n % 40), alert: n % 7 ? null : flag,
      reading: { ...tile.reading, value: 0.8 + (n % 20) / 100, n: 100 + (n % 900) },
      trend: { ...tile.trend, start: now() },
    }));
    const gone = n % 60 ? [] : [whole.people[n % 12].id];
    const shown = Array.from({ length: n % 4 }, (_, place) => card(n + place));
    const reading = { ...whole.summary.reading, value: 0.9 + (n % 9) / 100 };
    const summary = { ...whole.summary, newest: now(), reading };
    say('change', { summary, people, gone, alerts: { shown, open: shown.length } });
  }, 5_000);
}"""
SHIFT: Final = """() => ['x', 'y'].map((axis) =>
  parseFloat(document.documentElement.style.getPropertyValue(`--shift-${axis}`) || '0'))"""
CORNER: Final = "() => { const { x, y } = document.querySelector('.frame').getBoundingClientRect(); return [x, y]; }"


@pytest.fixture(scope="module")
def process() -> Iterator[Serving]:
    """A process with two lines of twelve people, data of now."""
    fed = [*line(people=12, newest=now_ms()), *line("L04", newest=now_ms()), tick(now_ms())]
    with serving(*fed, pace=PACE, stale_seconds=36_000, still_after=NEVER) as running:
        running.app.state.web.service.silent_after = NEVER  # there is no worker here, and these tests take their time
        yield running


@pytest.fixture
def screen(chromium: Any, process: Serving) -> Iterator[Screen]:
    """A wall screen."""
    yield from screen_of(chromium, process)


def lived(screen: Screen, address: str = "/board/L03", *scripts: str) -> Any:
    """The board when it is live, with time in the test's hand."""
    screen.page.clock.install()
    for script in scripts:
        screen.page.add_init_script(script)
    page = screen.show(address)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    return page


def test_a_screen_stays_awake(screen: Screen) -> None:
    """The lock goes with the page's being hidden, and may be refused or taken away: it is asked for until it holds."""
    page = lived(screen, "/board/L03", LOCKS)
    asked = "window.asked.length"
    assert ["screen"] == page.evaluate("window.asked")
    page.clock.run_for(180_000)
    assert 1 == page.evaluate(asked), "one that holds is enough"
    page.evaluate("show('hidden')")
    page.clock.run_for(180_000)
    assert 1 == page.evaluate(asked), "a hidden page may have none"
    page.evaluate("show('visible')")
    assert 2 == page.evaluate(asked)
    page.evaluate("window.refusing = true; window.held.released = true")
    page.clock.run_for(60_000)
    assert 3 == page.evaluate(asked)
    page.evaluate("window.refusing = false")
    page.clock.run_for(60_000)
    assert [4, False] == page.evaluate("[window.asked.length, window.held.released]")


def test_no_pixel_shows_the_same_for_ever(screen: Screen) -> None:
    """Each minute everything moves a little, and nothing leaves the screen; on a phone nothing moves."""
    page = lived(screen)
    seen = [(page.evaluate(SHIFT), page.evaluate(CORNER))]
    for _ in range(8):
        page.clock.run_for(60_000)
        seen.append((page.evaluate(SHIFT), page.evaluate(CORNER)))
    assert all(shift == corner for shift, corner in seen), seen
    assert 8 == len({tuple(shift) for shift, _ in seen})
    assert seen[0] == seen[8]
    assert max(abs(each) for shift, _ in seen for each in shift) <= 3
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    page.set_viewport_size(PHONE)
    page.clock.run_for(60_000)
    assert [0, 0] == page.evaluate(CORNER)


def shown_within(seconds: float, zone: str) -> set[str]:
    """What a clock in the zone may show: now, and as long ago as that."""
    now = time.time()
    return {datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M") for at in (now, now - seconds)}


def test_a_screen_with_a_wrong_clock_has_the_servers(screen: Screen) -> None:
    """Four hundred days behind: the clock is right and nothing is old, also while the stream is refused."""
    screen.page.add_init_script(ELSEWHEN)
    page = screen.show("/board/L03")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    assert page.locator("#clock").text_content() in shown_within(60, "Asia/Shanghai")
    expect(page.locator("#hero")).to_have_attribute("data-mark", "near")
    expect(page.locator('.tile[data-mark="stale"]')).to_have_count(0)
    page.route("**/stream", lambda route: route.fulfill(status=503, body="busy"))
    page.reload()
    expect(page.locator("#link")).to_have_attribute("data-state", "lost")
    said = re.search(r"\d\d:\d\d", page.locator("#link-text").text_content() or "")
    assert said is not None
    assert {said[0], page.locator("#clock").text_content()} <= shown_within(60, "America/New_York"), "no unit, no zone"
    page.unroute("**/stream")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    screen.complaints = [each for each in screen.complaints if "status of 503" not in each]


def test_a_stream_that_falls_silent_is_told_within_ten_seconds(screen: Screen) -> None:
    """And not before a pulse could have come; the screen makes a new stream by itself."""
    page = lived(screen, "/board/L03", DEAF)
    page.evaluate("window.same = true; window.deaf = true")
    page.clock.run_for(7_000)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    page.clock.run_for(3_000)
    expect(page.locator("#link")).to_have_attribute("data-state", "lost")
    expect(page.locator("#link-text")).to_have_text(re.compile(r"connection lost since \d\d:\d\d"))
    page.evaluate("window.deaf = false")
    page.clock.run_for(2_000)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    assert page.evaluate("window.same") is True


def test_people_stand_where_they_stood_whoever_is_best(screen: Screen, process: Serving) -> None:
    """Nobody's place is told by a number, so there is no last one."""
    page = lived(screen)
    for good in ((60, 99), (99, 60)):
        process.feed(*(scores(f"E{n:04d}", row(good[n % 2]), newest=now_ms()) for n in range(1, 13)))
        expect(page.locator(".tile .value").first).to_have_text(f"{good[1]}.0%")
        expect(page.locator(".tile .value").last).to_have_text(f"{good[0]}.0%")
        assert [f"E{n:04d}" for n in range(1, 13)] == page.locator(".who").all_text_contents()


def test_a_board_speaks_the_other_language_when_asked(screen: Screen) -> None:
    """One word at its foot, reached by the keyboard; it keeps all that the address says, over units and reloads."""
    page = lived(screen, "/board/L03?theme=dark&rotate=units&seconds=30")
    page.clock.run_for(31_000)
    expect(page.locator("#unit")).to_have_text("L04")
    other = page.locator(".foot a.language")
    expect(other).to_have_text("中文")
    heights = [page.locator(name).evaluate("e => e.getBoundingClientRect().height") for name in (".foot", "#asof")]
    assert heights[0] <= 2 * heights[1], "it takes no line of its own"
    other.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/board/L04?theme=dark&rotate=units&seconds=30&lang=zh")
    expect(page.locator("#indicator")).to_have_text("半成品良品率")
    page.reload()
    expect(page.locator("#indicator")).to_have_text("半成品良品率")
    expect(other).to_have_text("English")
    assert "zh-Hans" == page.evaluate("document.documentElement.lang")


@pytest.mark.long
def test_a_day_leaves_nothing_behind(screen: Screen) -> None:
    """24 hours of the page's time: values, people and alerts come and go each minute, pages turn; neither the heap nor
    the nodes nor the listeners are more at its end than after its first hours.
    """
    page = lived(screen, "/board/L03?distance=8&diagonal=55", DEAF, DRIVEN)
    page.evaluate(DAY)
    told = screen.context.new_cdp_session(page)

    def left() -> dict[str, int]:
        told.send("HeapProfiler.collectGarbage")
        counted = told.send("Memory.getDOMCounters")
        return {"heap": told.send("Runtime.getHeapUsage")["usedSize"], **counted}

    hours = []
    for _ in range(24):
        for _ in range(60):
            page.clock.fast_forward(60_000)
        hours.append(left())
    assert page.evaluate("window.changes") >= 24 * 60
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    early, late = hours[2:6], hours[-4:]
    for name, room in (("heap", 256 * 1024), ("nodes", 100), ("jsEventListeners", 10)):
        assert min(each[name] for each in late) <= max(each[name] for each in early) + room, (name, hours)
