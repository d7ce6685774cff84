"""The page of whoever leads a unit: read from the views when somebody asks, drawn by the server, fresh every 15 s."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale
from babel.dates import format_datetime, format_time
from babel.numbers import format_decimal, format_percent

from agents.access.viewer import Subject
from dashboards.web.acting import may_act
from dashboards.web.board import flagship
from dashboards.web.carried import asking, kept_of
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.figures import shown_share
from dashboards.web.funnel_page import window_words
from dashboards.web.guard import may_ever
from dashboards.web.known import unit_of
from dashboards.web.languages import Words
from dashboards.web.names import unit_segment
from dashboards.web.reading import Reading
from dashboards.web.sight import Sight
from dashboards.web.team import Team, team
from dashboards.web.updates import KnownEmployee, KnownUnit, decode_scores, decode_unit, key, readable
from dashboards.web.web import Web
from schemas.alerts import AlertRow
from schemas.instants import parse_rfc3339
from schemas.unreadable import UNREADABLE

MOST: Final = 500  # people of a unit that are shown
_alert: Final = msgspec.json.Decoder(AlertRow)


async def team_values(web: Web, unit: str, query: Mapping[str, str], said: Words, sight: Sight) -> dict[str, Any]:
    """What the page's template takes. RequestProblem when there is no such unit, ViewsUnavailable when nobody knows."""
    known = await unit_of(web.views, unit)
    seen = [who for who in known.members if sight.named(who)][:MOST]
    await sight.tell("read-scores", Subject("unit", unit), seen)
    people = await web.views.employees(seen)
    alerts = (await web.views.unit_alerts([unit])).get(unit, [])
    texts = await web.views.templates()
    names = await _names(web, known.update().parents[:1])
    now = (await web.views.standing()).now or web.clock()
    # Hundreds of updates are decoded: not on the event loop, where screens wait.
    values = await asyncio.to_thread(
        _values, unit, known, people, alerts, names, texts, now, web.stale_seconds * 1000, query, said
    )
    known_as = {who: name for who in seen if (name := sight.knows_as(who)) is not None}
    answers = not sight.open and may_ever(sight.viewer, "answer-appeals")
    may = {
        "may_act": lambda row: web.acting.possible and may_act(sight, row, known.people),
        "appeals": "/appeals" + asking(kept_of(query)) if answers else "",
    }
    may["part"] = len(known.members) - len(seen)
    return values | may | {"called": lambda who: f"{known_as[who]} · {who}" if who in known_as else who}


async def _names(web: Web, units: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """What units are called, by language; nothing where nobody says it."""
    found = await web.views.units(units)
    known = {unit: readable(decode_unit, unit, found.get(unit)) for unit in units}
    return {unit: {} if one is None else one.update().name for unit, one in known.items()}


def _values(
    unit: str,
    known: KnownUnit,
    people: Mapping[str, bytes | None],
    alerts: Iterable[bytes],
    names: Mapping[str, Mapping[str, str]],
    texts: Sequence[bytes],
    now: int,
    silent_ms: int,
    query: Mapping[str, str],
    said: Words,
) -> dict[str, Any]:
    catalogue = Catalogue(read_template)
    for text in texts:
        catalogue.publish(text.decode("utf-8", "replace"))
    update = known.update()
    row = flagship(update.rows, catalogue)
    guide = None if row is None else catalogue.guide(row.template, row.version)
    members = {who: one for who, value in people.items() if (one := _person(who, value)) is not None}
    drawn: Team = team(members, list(_rows(alerts)), catalogue, None if row is None else key(row), now, silent_ms)
    kept = kept_of(query)
    shown = _Shown(said, guide.timezone if guide else "UTC", now, catalogue)
    return {
        "title": update.name.get(said.language) or unit,
        "team": drawn,
        "people": len(members),
        "parts": [
            _Link(one.name.get(said.language) or one.unit, _to("/team/", one.unit, kept)) for one in update.parts
        ],
        "above": [_Link(called.get(said.language) or one, _to("/team/", one, kept)) for one, called in names.items()],
        "board": _to("/board/", unit, kept),
        "funnel": _to("/board/", unit, kept, "/funnel"),
        "act": "/alerts",
        "evidence": lambda alert: f"/alerts/{quote(alert)}" + asking(kept),
        "kept": kept,
        "person": lambda who: f"/people/{quote(who)}" + asking(kept),
        "shown": shown,
        "updated": shown.time(now),
    }


class _Link(msgspec.Struct, frozen=True):
    label: str
    href: str


def _to(begin: str, unit: str, kept: Mapping[str, str], end: str = "") -> str:
    return f"{begin}{unit_segment(unit)}{end}" + asking(kept)


def _person(who: str, value: bytes | None) -> KnownEmployee | None:
    return readable(decode_scores, who, value)


def _rows(values: Iterable[bytes]) -> Iterable[AlertRow]:
    for value in values:
        try:
            yield _alert.decode(value)
        except UNREADABLE:
            continue


class _Shown:
    """Numbers, instants and names as the page's language writes them, in the zone of the unit's template."""

    def __init__(self, said: Words, timezone: str, now: int, catalogue: Catalogue) -> None:
        self._said = said
        self._locale = Locale.parse(said.tag.replace("-", "_"))
        self._zone = ZoneInfo(timezone)
        self._today = datetime.fromtimestamp(now / 1000, self._zone).date()
        self._catalogue = catalogue

    def value(self, one: Reading | None, value: float | None) -> str:
        """A value of an indicator; a share in percent, and never rounded to a perfect one that it is not."""
        if one is None or value is None:
            return "–"
        if one.unit == "percent" or (not one.unit and one.low is not None):
            return str(format_percent(shown_share(value), format="#,##0.0%", locale=self._locale))
        return f"{format_decimal(value, locale=self._locale)} {self._said.unit(one.unit)}".strip()

    def name(self, one: Reading) -> str:
        """An indicator's name."""
        return one.name.get(self._said.language) or one.indicator

    def window(self, one: Reading) -> str:
        """The window of a reading."""
        return window_words(one.window, self._said)

    def percent(self, share: float) -> str:
        """A share, whole."""
        return str(format_percent(share, locale=self._locale))

    def number(self, value: float | None) -> str:
        """A number."""
        return "–" if value is None else str(format_decimal(value, locale=self._locale))

    def message(self, alert: AlertRow) -> str:
        """What an alert says, in the page's language."""
        return alert.message.zh if self._said.language == "zh" else alert.message.en

    def word(self, name: str) -> str:
        """The word for a severity, or for the state of an alert."""
        return self._said(f"alert.{name}")

    def indicator(self, alert: AlertRow) -> str:
        """The name of the indicator that an alert is about."""
        facts = self._catalogue.facts(alert.template, alert.version, alert.indicator)
        return (facts.name.get(self._said.language) if facts else None) or alert.indicator

    def instant(self, text: str | None) -> str:
        """An instant: only its time when it is of today."""
        at = None if text is None else parse_rfc3339(text)
        return "–" if at is None else self.time(at)

    def time(self, at: int) -> str:
        """An instant in ms."""
        moment = datetime.fromtimestamp(at / 1000, self._zone)
        if moment.date() == self._today:
            return str(format_time(moment, "HH:mm", locale=self._locale))
        return str(format_datetime(moment, "short", locale=self._locale))
