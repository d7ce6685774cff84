"""Alerts on the board in a real browser: raised by a real worker, in hand, over; and how they look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.instants import DAY, MINUTE, format_rfc3339
from tests.e2e.processes import call, started
from tests.e2e.screens import BROWSER, CUT_OFF, PACE, PHONE, WALL, Screen, expect, now_ms, screen_of
from tests.e2e.webs import get
from tests.web.factories import TEMPLATE, alert, line, scores, tick
from tests.web.serving import Serving, serving

pytestmark = BROWSER
WATCHED: Final = TEMPLATE.replace("    min_sample: 30\n", "    min_sample: 30\n    alerts: default\n")
TOO_LONG: Final = """() => [...document.querySelectorAll('.alert-who, .alert-state, .flag span, .who, .alerts-open')]
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .concat([...document.querySelectorAll('.alert-who > :not(small)')].filter(
    e => e.getBoundingClientRect().bottom > e.parentElement.getBoundingClientRect().bottom + 1))
  .map(e => e.textContent)"""
PLACES: Final = """() => Object.fromEntries(
  ['.notices', '#hero-value', '#hero-whisker', '#others', '.tile:first-child .value', '.tile:nth-child(2) .who',
   '.tile:nth-child(2) .value', '.tile:nth-child(2) .mark', '.tile:nth-child(2) .spark', '.foot']
  .map(name => [name, JSON.stringify(document.querySelector(name).getBoundingClientRect())]))"""


def inspections(folder: Path, employee: str, inspected: int, accepted: int) -> None:
    """Somebody's pieces of just now, into the log."""
    at = now_ms()
    event = {
        "event_id": f"{employee}-{at}", "type": "qc.inspection", "employee_id": employee, "source": "test",
        "occurred_at": format_rfc3339(at), "measures": {"inspected": inspected, "accepted": accepted},
        "dims": {"line": "L03"},
    }  # fmt: skip
    path = folder / "events.ndjson"
    path.write_text(json.dumps(event) + "\n")
    call("send", str(path), "--broker", f"embedded://{folder / 'log'}")


def test_an_alert_is_on_the_board_from_raised_to_over(chromium: Any, tmp_path: Path) -> None:
    """In Chinese and English: who, how bad, since when; then that somebody is at it; then nothing."""
    broker = f"embedded://{tmp_path / 'log'}"
    (tmp_path / "template.yaml").write_text(WATCHED)
    call("templates", "publish", str(tmp_path / "template.yaml"), "--broker", broker)
    inspections(tmp_path, "E0001", 100, 98)
    inspections(tmp_path, "E0002", 100, 97)
    with (
        started("worker", "--broker", broker, until="/healthz"),
        started("web", "--demo", "--broker", broker, until="http://") as (_, address),
    ):
        origin = address.strip().rstrip("/")
        screens = {tag: Screen(chromium.new_context(viewport=WALL), origin) for tag in ("zh", "en")}
        calm = {"zh": "当前无告警", "en": "no open alerts"}
        for tag, screen in screens.items():
            page = screen.show(f"/board/L03?lang={tag}")
            expect(page.locator("#alerts")).to_contain_text(calm[tag])
            expect(page.locator("#alerts")).to_have_attribute("aria-live", "polite")
        inspections(tmp_path, "E0002", 20, 8)
        said = {"zh": ("警告", "起 · 半成品良品率"), "en": ("warning", "· Semi-finished yield")}
        for tag, screen in screens.items():
            card, flag = screen.page.locator(".alert"), screen.page.locator(".tile .flag:not([hidden])")
            expect(card.locator(".alert-who")).to_contain_text("E0002")
            expect(card.locator(".alert-state")).to_have_text(said[tag][0])
            expect(card.locator(".alert-what")).to_contain_text(said[tag][1])
            expect(flag).to_have_text(said[tag][0])
            expect(screen.page.locator('.tile[data-alert="firing"] .who')).to_have_text("E0002")
        (row,) = get(f"{origin}/api/v1/alerts?unit=L03&state=firing")["alerts"]
        assert ("E0002", "L03", "default") == (row["employee_id"], row["unit"], row["rule"])
        call("alerts", "ack", row["alert_id"], "--by", "lee", "--reason", "nozzle 3", "--broker", broker)
        handled = {"zh": "处理中", "en": "in hand"}
        for tag, screen in screens.items():
            expect(screen.page.locator(".alert .alert-state")).to_have_text(handled[tag])
            expect(screen.page.locator(".tile .flag:not([hidden])")).to_have_text(handled[tag])
            assert "lee" not in screen.page.content()
            assert "nozzle" not in screen.page.content()
        inspections(tmp_path, "E0002", 400, 400)
        for tag, screen in screens.items():
            expect(screen.page.locator(".alert")).to_have_count(0)
            expect(screen.page.locator("#alerts")).to_contain_text(calm[tag])
            expect(screen.page.locator(".tile[data-alert]")).to_have_count(0)
            assert [] == screen.complaints
            screen.context.close()
        assert [] == get(f"{origin}/api/v1/alerts")["alerts"]


@pytest.fixture
def process() -> Iterator[Serving]:
    """A process with line L03, twelve people, data of now."""
    with serving(*line(people=12, newest=now_ms()), tick(now_ms()), pace=PACE) as running:
        yield running


@pytest.fixture
def screen(chromium: Any, process: Serving) -> Iterator[Screen]:
    """A wall screen."""
    yield from screen_of(chromium, process)


def every_kind() -> list[Any]:
    """Each severity and state, one of the unit itself, one of another day, with the longest words."""
    now = now_ms()
    return [
        alert("a1", "E0001", at=now - 9 * MINUTE),
        alert("a2", "E0002", at=now - 8 * MINUTE, state="acknowledged", severity="critical"),
        alert("a3", "E0003", at=now - 7 * MINUTE, state="shelved", until=format_rfc3339(now + 40 * MINUTE)),
        alert("a4", "E0004", at=now - 6 * MINUTE, severity="info"),
        alert("a5", None, at=now - 2 * DAY, severity="critical"),
    ]


@pytest.mark.parametrize("size", [WALL, PHONE], ids=["wall", "phone"])
@pytest.mark.parametrize("query", ["", "?theme=light&lang=zh", "?theme=dark"])
def test_alerts_pass_the_accessibility_rules(chromium: Any, process: Serving, size: dict[str, int], query: str) -> None:
    """Contrast of every kind in every theme; and nothing of them is cut off."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    process.feed(*every_kind())
    for screen in screen_of(chromium, process, size):
        page = screen.show(f"/board/L03{query}")
        expect(page.locator(".alert")).to_have_count(3)
        for _ in range(2):
            found = axe.Axe().run(page).response["violations"]
            assert [] == [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert ([], []) == (page.evaluate(CUT_OFF), page.evaluate(TOO_LONG))
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
            # What fires is over: now those that somebody has in hand are shown.
            process.feed(*(alert(name, state="cleared") for name in ("a1", "a4", "a5")))
            expect(page.locator(".alert")).to_have_count(2)


@pytest.mark.parametrize("people", [2, 4, 7, 12])
def test_nothing_moves_when_an_alert_comes_or_goes(screen: Screen, process: Serving, people: int) -> None:
    """Whoever reads a number goes on reading it; the place of alerts is there before they are."""
    process.shelf.clear()
    process.feed(*line(people=people, newest=now_ms()), tick(now_ms()))
    page = screen.show("/board/L03")
    expect(page.locator(".tile")).to_have_count(people)
    expect(page.locator("#alerts")).to_have_attribute("data-open", "0")
    before = page.evaluate(PLACES)
    over = [alert(f"a{number}", state="cleared") for number in range(1, 6)]
    for records, count in (([alert("a2", "E0002")], 1), (every_kind(), 5), (over, 0)):
        process.feed(*records)
        expect(page.locator("#alerts")).to_have_attribute("data-open", str(count))
        assert before == page.evaluate(PLACES)


def test_alerts_are_readable_from_afar(screen: Screen, process: Serving) -> None:
    """Whom, how bad and since when are as large as the names of people, or larger; the numbers keep their size."""
    process.feed(*every_kind(), scores("E0001", newest=now_ms()))
    page = screen.show("/board/L03")
    expect(page.locator(".alert")).to_have_count(3)
    sizes = {
        name: page.locator(name).first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        for name in (".alert-who", ".alert-state", ".alert-what", ".tile .value", ".who")
    }
    assert sizes[".alert-who"] >= sizes[".who"]
    assert min(sizes[".alert-state"], sizes[".alert-what"]) >= 24
    assert sizes[".tile .value"] >= 65
    assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")


def test_more_alerts_than_have_room_are_counted(screen: Screen, process: Serving) -> None:
    """Three stand there, the count says how many there are; a shape tells them apart besides the colour."""
    process.feed(*every_kind())
    page = screen.show("/board/L03")
    expect(page.locator("#alerts-count")).to_have_text("5")
    assert ["Unit", "E0001", "E0004"] == page.locator(".alert-who b").all_text_contents()
    assert ["critical", "warning", "note"] == page.locator(".alert-state").all_text_contents()
    shapes = page.locator(".alert path").evaluate_all("all => all.map(e => e.getAttribute('d'))")
    assert 3 == len(set(shapes))
    flags = page.locator(".tile .flag:not([hidden])")
    assert ["warning", "in hand", "on hold", "note"] == flags.all_text_contents()
