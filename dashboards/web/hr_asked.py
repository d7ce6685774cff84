"""What HR's lists are asked for, by a page's address or over the API: each filter is read here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Final, cast

from agents.access.audit import Asked as AskedEntries
from agents.records.listing import Here
from agents.records.result_pages import Asked, Kind, ResultKey, read_key
from dashboards.web.hr_people import Wanted, units_of
from dashboards.web.hr_results import KINDS, TOTAL, WINDOWS
from dashboards.web.problems import RequestProblem
from dashboards.web.web import Web
from dashboards.web.zones import date_of, instant_at, last_of
from schemas.instants import parse_rfc3339

LONGEST: Final = 200  # characters of a filter
HERE: Final = ("here", "left")
_LONGEST_NUMBER: Final = 18  # digits: what a store keeps as a number

Given = Mapping[str, str]  # filters by name, as they were sent


def text_of(given: Given, name: str) -> str:
    """A filter as it was given; "" where it was not. No store takes a NUL, and nothing has one."""
    return given.get(name, "").strip()[:LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}")


def instant_of(given: Given, name: str, zone: str, *, end: bool = False) -> int | None:
    """An instant (ms) of a filter that is one, or a date: its beginning, or (`end`) the beginning of the next day."""
    said = text_of(given, name)
    if not said:
        return None
    day = date_of(said)
    found = parse_rfc3339(said) if day is None else _bound_of(day, zone, end=end)
    if found is None:
        detail = "it is no date: write YYYY-MM-DD, or an instant as RFC 3339 with a zone"
        raise RequestProblem(400, detail, name, said)
    return found


def _bound_of(day: date, zone: str, *, end: bool) -> int | None:
    return last_of(day, zone) + 1 if end else instant_at(day, time(), zone)


def wanted_people(given: Given) -> Wanted:
    """Text in id or name, a unit with all below it, here or gone."""
    here = _one_of(given, "here", HERE)
    return Wanted(text_of(given, "q"), text_of(given, "unit"), cast(Here | None, here))


async def wanted_results(web: Web, given: Given, zone: str) -> Asked:
    """What the filters leave; without one for the indicator, totals. Raises DeskClosed where a unit is looked up."""
    kind, window, unit = _one_of(given, "kind", KINDS), _one_of(given, "window", WINDOWS), text_of(given, "unit")
    return Asked(
        kind=cast(Kind | None, kind),
        subject=text_of(given, "subject") or None,
        units=await units_of(web, unit) if unit else None,
        window=window,
        template=text_of(given, "template") or None,
        indicator=text_of(given, "indicator") or None if "indicator" in given else TOTAL,
        since=instant_of(given, "since", zone),
        until=instant_of(given, "until", zone, end=True),
        restated=text_of(given, "restated") == "1",
    )


def result_before(given: Given) -> ResultKey | None:
    """The result behind which a list goes on; None: it begins."""
    said = given.get("after", "").strip()
    try:
        return read_key(said) if said else None
    except ValueError as error:
        raise RequestProblem(400, str(error), "after", said) from None


def wanted_entries(given: Given, zone: str) -> AskedEntries:
    """Who, whom, what, when."""
    since, until = instant_of(given, "since", zone), instant_of(given, "until", zone, end=True)
    return AskedEntries(text_of(given, "who"), text_of(given, "whom"), text_of(given, "what"), since, until)


def entry_number(given: Given, name: str) -> int | None:
    """The number of an entry behind which a list goes on; None: it begins with the newest."""
    said = text_of(given, name)
    if said and not (said.isascii() and said.isdecimal() and len(said) <= _LONGEST_NUMBER):
        raise RequestProblem(400, "it is the number of an entry", name, said)
    return int(said) if said else None


def _one_of(given: Given, name: str, known: tuple[str, ...]) -> str | None:
    said = text_of(given, name)
    if said and said not in known:
        raise RequestProblem(400, f"it is one of {', '.join(known)}, or nothing", name, said)
    return said or None
