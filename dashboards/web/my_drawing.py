"""A person's page as HTML: stencils for what many pages share, and the person's own numbers put into them.

The key of a stencil says everything that its template looks at; what it does not say stands in a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from dashboards.web.api_types import OpenAlert
from dashboards.web.carried import Tab
from dashboards.web.catalogue import Catalogue
from dashboards.web.course import begin_of
from dashboards.web.framing import Frame, quoted
from dashboards.web.my_card import Card
from dashboards.web.my_page import Page, Score, Sheet
from dashboards.web.my_words import Telling
from dashboards.web.stencil import GAPS, Stencil
from dashboards.web.subject import Subject
from dashboards.web.tasks import Task
from schemas.instants import parse_rfc3339


class CardKind(NamedTuple):
    """How a card looks, beside the numbers in it: which parts it has."""

    mark: str
    points: bool
    n: bool
    interval: bool
    beside: str
    course: bool
    step: bool
    sum: bool
    personal: bool
    elsewhere: tuple[str, ...]


class SheetKind(NamedTuple):
    """How a sheet looks: which parts it has."""

    total: bool
    part: bool
    dimensions: tuple[str, ...]
    helps: bool
    tasks: bool
    cards: bool


class Drawing:
    """One page being drawn. `as_of` is the page's, quoted for addresses."""

    def __init__(self, frame: Frame, subject: Subject, page: Page, tell: Telling) -> None:
        self._frame = frame
        self._page = page
        self._tell = tell
        self._own = subject.own
        self._path = "/me" if subject.own else GAPS.path  # others are many: their stencils are the same
        self._common = {"path": subject.path, "as_of": quoted(page.as_of)}
        self._key = (frame.words.language, tuple(frame.kept.items()), subject.own, page.window)

    def sheets(self, alerts: Sequence[OpenAlert], catalogue: Catalogue) -> Markup:
        """All that is below the choice of the window; the alerts stand in the first part."""
        shown = [self._alerts(alerts, catalogue), *[""] * len(self._page.sheets)]
        return _joined(self._sheet(sheet, told) for sheet, told in zip(self._page.sheets, shown, strict=False))

    def _stencil(self, template: str, key: tuple[object, ...], values: Mapping[str, Any]) -> Stencil:
        frame = self._frame

        def whole() -> Mapping[str, Any]:
            common = {"link": frame.link, "words": frame.words, "tell": self._tell, "own": self._own}
            return {**common, "path": self._path, **values}

        return frame.web.stencils.get(template, (self._key, *key), whole)

    def _sheet(self, sheet: Sheet, alerts: str) -> Markup:
        guide, total, points = sheet.guide, sheet.total, sheet.total.points
        kind = SheetKind(
            points is not None,
            (points or 0) > 0,
            tuple(one.indicator for one in sheet.dimensions),
            bool(sheet.helps),
            bool(sheet.tasks),
            bool(sheet.cards),
        )
        title = guide.title.get(self._frame.words.language) or guide.template
        values = {"key": guide.template, "kind": kind, "title": title, "window": self._page.window}
        window = self._tell.window(self._page.window or "")
        stencil = self._stencil("me_sheet.html", (guide.digest, kind), {**values, "window_text": window})
        own = {f"dimension{i}": self._points(one) for i, one in enumerate(sheet.dimensions)}
        return stencil.fill(
            {
                **self._common,
                **own,
                "part": str(round(min(100.0, max(0.0, points or 0.0)), 1)),
                "points": self._points(total),
                "to_go": self._tell.to_go(sheet),
                "helps": _joined(self._help(sheet, card) for card in sheet.helps),
                "tasks": _joined(self._task(sheet, task) for task in sheet.tasks),
                "alerts": alerts,
                "cards": _joined(self._card(sheet, card) for card in sheet.cards),
            }
        )

    def _points(self, score: Score) -> str:
        return "" if score.points is None else self._tell.figures.points(score.points)

    def _help(self, sheet: Sheet, card: Card) -> Markup:
        item = card.indicator
        values = {"id": f"{sheet.guide.template}-{item.id}", "name": self._tell.name(item)}
        stencil = self._stencil("me_help.html", (sheet.guide.digest, item.id), values)
        return stencil.fill({"short": self._tell.short(card), "gain": self._tell.figures.points(card.gain)})

    def _task(self, sheet: Sheet, task: Task) -> Markup:
        item, window, done = task.indicator, task.row.window, not task.left
        values = {
            "asked": {"indicator": item.id, "window": window, "template": sheet.guide.template},
            "done": done, "name": self._tell.name(item), "personal": task.own, "window": window,
        }  # fmt: skip
        stencil = self._stencil("me_task.html", (sheet.guide.digest, item.id, window, done, task.own), values)
        amount = self._tell.amount
        part = 300 * min(1.0, max(0.0, task.done / task.goal))
        return stencil.fill(
            {
                **self._common,
                "done": amount(task.done, ""), "goal": amount(task.goal, "" if task.own else item.unit),
                "left": amount(task.left, "" if task.own else item.unit), "part": str(round(part, 1)),
            }
        )  # fmt: skip

    def _card(self, sheet: Sheet, card: Card) -> Markup:
        item, row, guide, tell = card.indicator, card.row, sheet.guide, self._tell
        language = self._frame.words.language
        kind = CardKind(
            mark=card.mark,
            points=row.points is not None,
            n=row.n is not None,
            interval=card.whisker is not None,
            beside="" if card.beside is None else card.beside.stands,
            course=card.spark is not None,
            step=bool(item.next_step.get(language)) and (card.missing.points or 0) > 0,
            sum=card.points_with_numbers is not None,
            personal=card.personal is not None,
            elsewhere=tuple(other.window for other in card.elsewhere),
        )
        values = {
            "asked": {"indicator": item.id, "window": row.window, "template": guide.template},
            "id": f"{guide.template}-{item.id}", "item": item, "kind": kind, "name": tell.name(item),
            "target": "" if item.target is None else tell.value(card, item.target),
            "title": guide.title.get(language) or guide.template, "version": str(guide.version), "window": row.window,
        }  # fmt: skip
        stencil = self._stencil("me_card.html", (guide.digest, item.id, kind), values)
        return stencil.fill(self._common | self._figures(card) | self._pictures(card) | self._elsewhere(card))

    def _figures(self, card: Card) -> dict[str, str]:
        row, tell, figures = card.row, self._tell, self._tell.figures
        value = tell.value(card, row.value)
        beside, personal, course = card.beside, card.personal, card.course
        points = "" if card.points_with_numbers is None else card.points_with_numbers
        return {
            "value": value,
            "points": "" if row.points is None else tell.points(row.points),
            "n": "" if row.n is None else figures.number(row.n),
            "low": tell.value(card, row.low),
            "high": tell.value(card, row.high),
            "missing": tell.missing(card),
            "unit": "" if beside is None else beside.unit,
            "beside": "" if beside is None else tell.value(card, beside.value),
            "trend": "" if course is None else tell.trend(card, course),
            "share": figures.percent(card.share),
            "with_numbers": card.with_numbers if row.value is None else f"{card.with_numbers} = {value}",
            "points_with_numbers": f"{points} = {figures.points(row.points or 0)}",
            "personal_name": "" if personal is None else personal[0],
            "personal": "" if personal is None else figures.number(personal[1]),
            "begins": figures.time(begin_of(row)),
        }

    @staticmethod
    def _pictures(card: Card) -> dict[str, str]:
        found: dict[str, str] = {}
        if (drawn := card.whisker) is not None:
            goal = "" if drawn.goal is None else str(drawn.goal - 2)
            found |= {"span_x": str(drawn.low), "span_width": str(drawn.width), "goal_x": goal}
            found["own_x"] = str(drawn.value - 4)
        if (line := card.spark) is not None:
            bands = "".join(f'<polygon class="band" points="{each}"/>' for each in line.band)
            found |= {"bands": Markup(bands), "line": line.line, "goal_y": str(line.goal)}  # numbers alone
        return found

    def _elsewhere(self, card: Card) -> dict[str, str]:
        found: dict[str, str] = {}
        figures = self._tell.figures
        for i, row in enumerate(card.elsewhere):
            found[f"value{i}"] = self._tell.value(card, row.value)
            found[f"n{i}"] = "–" if row.n is None else figures.number(row.n)
            found[f"points{i}"] = "–" if row.points is None else figures.points(row.points)
        return found

    def _alerts(self, alerts: Iterable[OpenAlert], catalogue: Catalogue) -> str:
        drawn = _joined(self._alert(alert, catalogue) for alert in alerts)
        return self._stencil("me_alerts.html", (), {}).fill({"alerts": drawn}) if drawn else ""

    def _alert(self, alert: OpenAlert, catalogue: Catalogue) -> Markup:
        guide = catalogue.guide(alert.template, alert.version)
        facts = None if guide is None else guide.indicators.get(alert.indicator)
        item = None if facts is None else facts.indicator
        windows = [] if item is None else [window.text for window in item.windows]
        # A rule that looks at change has no window: the events are those of the one that the page shows.
        window = next((each for each in (alert.window, self._page.window, *windows) if each in windows), None)
        asked = {"indicator": alert.indicator, "window": window, "template": alert.template} if window else {}
        folded, counted = alert.folded_into is not None, alert.n is not None
        values = {
            "asked": asked, "counted": counted, "folded": folded, "severity": alert.severity, "state": alert.state,
            "name": "" if item is None else self._tell.name(item),
        }  # fmt: skip
        known = "" if guide is None else guide.digest
        key = (*asked.values(), known, alert.severity, alert.state, folded, counted)
        figures, raised = self._tell.figures, parse_rfc3339(alert.raised_at)
        return self._stencil("me_alert.html", key, values).fill(
            {
                **self._common,
                "id": alert.alert_id,
                "message": alert.message.zh if self._frame.words.language == "zh" else alert.message.en,
                "n": "" if alert.n is None else figures.number(alert.n),
                "since": "" if raised is None else figures.time(raised),
                "value": figures.value(alert.value, facts.unit if facts else "", alert.low is not None),
            }
        )

    def tabs(self) -> str:
        """The choice of the window; nothing where there is one only."""
        page, frame, tell = self._page, self._frame, self._tell
        if len(page.windows) < 2:
            return ""
        tabs = [
            Tab(tell.window(window), frame.link(self._path, window=window), window == page.window)
            for window in page.windows
        ]
        return self._stencil("me_tabs.html", page.windows, {"tabs": tabs}).fill(self._common)


def _joined(parts: Iterable[str]) -> Markup:
    """Parts that are HTML already."""
    return Markup("".join(parts))
