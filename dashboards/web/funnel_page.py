"""The page of a unit's funnel: read from the views when somebody asks, drawn by the server, fresh once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from babel import Locale
from babel.numbers import format_decimal, format_percent

from agents.access.viewer import Subject
from dashboards.web.carried import asking, kept_of
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.funnel import BOTTOM, LEFT, RIGHT, Chart, chart, choices
from dashboards.web.known import unit_of
from dashboards.web.labels import Label, Point, by_id, placed
from dashboards.web.languages import Words
from dashboards.web.names import unit_segment
from dashboards.web.reading import facts_of
from dashboards.web.sight import Sight
from dashboards.web.updates import KnownUnit, Row, decode_scores
from dashboards.web.web import Web

MOST: Final = 500  # people of a unit that are drawn
LETTERS: Final = 30  # of a name in the picture, which is a thousand wide
_MINUTES: Final = ((1440, "days"), (60, "hours"), (1, "minutes"))


class Choice(NamedTuple):
    """Another indicator or window that can be looked at."""

    label: str
    href: str
    current: bool


async def funnel_values(web: Web, unit: str, query: Mapping[str, str], said: Words, sight: Sight) -> dict[str, Any]:
    """What the page's template takes. RequestProblem when there is no such unit, ViewsUnavailable when nobody knows."""
    known = await unit_of(web.views, unit)
    seen = [who for who in known.members if sight.open or sight.sees(who)]
    await sight.tell("read-scores", Subject("unit", unit), seen[:MOST])
    found = await web.views.employees(seen[:MOST])
    texts = await web.views.templates()
    # Hundreds of updates are decoded: not on the event loop, where screens wait.
    people = {who: (sight.called(who, unit) or "", value) for who, value in found.items()}
    names = {called: name for who, (called, _) in people.items() if (name := sight.name(who)) is not None}
    return await asyncio.to_thread(_values, unit, known, people, names, texts, query, said)


def _values(
    unit: str,
    known: KnownUnit,
    people: Mapping[str, tuple[str, bytes | None]],  # by id: what to call them, and their update
    names: Mapping[str, str],  # by what to call them
    texts: Sequence[bytes],
    query: Mapping[str, str],
    said: Words,
) -> dict[str, Any]:
    catalogue = Catalogue(read_template)
    for text in texts:
        catalogue.publish(text.decode("utf-8", "replace"))
    update = known.update()
    rows = choices(update.rows, catalogue)
    asked = (query.get("indicator"), query.get("window"))
    chosen = next((row for row in rows if asked in ((row.indicator, row.window), (row.indicator, None))), None)
    chosen = chosen or next(iter(rows), None)
    drawn: Chart | None = None
    if chosen is not None:
        scored = {
            called: decode_scores(who, value).update().rows
            for who, (called, value) in people.items()
            if value is not None
        }
        drawn = chart(chosen, scored, catalogue)
    locale = Locale.parse(said.tag.replace("-", "_"))
    address = f"/board/{unit_segment(unit)}"
    kept = kept_of(query)
    return {
        "board": address + asking(kept),
        "title": update.name.get(said.language) or unit,
        "chart": None if drawn is None else _by_name(drawn, names),
        "called": lambda who: names.get(who, who),
        "labels": {} if drawn is None else _labels(drawn, names),
        "choices": [_choice(address, row, row is chosen, kept, catalogue, said) for row in rows],
        "name": "" if chosen is None else _name(chosen, catalogue, said),
        "window": "" if chosen is None else window_words(chosen.window, said),
        "number": lambda value: format_decimal(value, locale=locale),
        "whole": lambda share: format_percent(share, format="#,##0%", locale=locale),
        "percent": lambda share: format_percent(share, format="#,##0.0%", locale=locale),
    }


def _by_name(drawn: Chart, names: Mapping[str, str]) -> Chart:
    """People in the order of what they are called."""
    return drawn._replace(dots=sorted(drawn.dots, key=lambda dot: (names.get(dot.id, dot.id), dot.id)))


def _labels(drawn: Chart, names: Mapping[str, str]) -> Mapping[str, Label]:
    """Where the names of those who differ stand. As a phone has letters (funnel.css), which are larger."""
    marked = [dot for dot in drawn.dots if dot.mark != "inside"]
    points = [Point(dot.id, names.get(dot.id, dot.id), dot.x, dot.y) for dot in marked]
    return by_id(placed(points, LETTERS, LEFT, RIGHT, 0, BOTTOM))


def _choice(
    address: str, row: Row, current: bool, kept: Mapping[str, str], catalogue: Catalogue, said: Words
) -> Choice:
    query = urlencode({"indicator": row.indicator, "window": row.window, **kept})
    label = f"{_name(row, catalogue, said)}, {window_words(row.window, said)}"
    return Choice(label, f"{address}/funnel?{query}", current)


def _name(row: Row, catalogue: Catalogue, said: Words) -> str:
    return facts_of(row, catalogue).name.get(said.language) or row.indicator


def window_words(window: str, said: Words) -> str:
    """A template's window as people say it."""
    if not window.startswith("rolling "):
        return said(f"window.{window}")
    minutes = int(window.removeprefix("rolling ").removesuffix("m"))
    length, unit = next((length, unit) for length, unit in _MINUTES if minutes % length == 0)
    return said(f"window.rolling.{unit}", n=minutes // length)
