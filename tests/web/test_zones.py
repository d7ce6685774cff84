"""Dates of forms become instants of the company's zone; what clocks skip, and what is no date, is none."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from dashboards.web.zones import date_of, instant_at, known_zone, last_of, local_of, time_of, zone_of
from schemas.instants import format_rfc3339, parse_rfc3339
from tests.web.factories import template
from tests.web.people import TEMPLATE
from tests.web.shelf import Shelf


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-03-01", date(2026, 3, 1)), ("2026-02-30", None), ("20260301", None), ("2026-W10-1", None), ("", None)],
)
def test_a_date_is_one_of_the_calendar(text: str, day: date | None) -> None:
    """As a date picker writes it."""
    assert day == date_of(text)


@pytest.mark.parametrize(
    ("text", "clock"),
    [("08:30", time(8, 30)), ("08:30:05", time(8, 30, 5)), ("24:30", None), ("8", None), ("08:30+00", None)],
)
def test_a_time_is_one_of_the_day(text: str, clock: time | None) -> None:
    """Without a zone."""
    assert clock == time_of(text)


@pytest.mark.parametrize(
    ("day", "clock", "zone", "expected"),
    [
        (date(2026, 3, 1), time(), "Asia/Shanghai", "2026-02-28T16:00:00.000Z"),
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", None),
        (date(2026, 3, 29), time(3, 30), "Europe/Berlin", "2026-03-29T01:30:00.000Z"),
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", "2026-10-25T00:30:00.000Z"),
        (date.min, time(), "Asia/Shanghai", None),
    ],
)
def test_a_local_time_is_an_instant(day: date, clock: time, zone: str, expected: str | None) -> None:
    """But for one that is skipped; of one that comes twice it is the first."""
    found = instant_at(day, clock, zone)
    assert expected == (None if found is None else format_rfc3339(found))


def test_a_day_ends_before_the_next_one_begins() -> None:
    """Also one of 23 hours, and the last that there is."""
    assert "2026-03-29T21:59:59.999Z" == format_rfc3339(last_of(date(2026, 3, 29), "Europe/Berlin"))
    assert last_of(date.max, "UTC") > 0
    noon = parse_rfc3339("2026-03-01T12:00:00Z") or 0
    assert (2026, 20) == ((local := local_of(noon, "Asia/Shanghai")).year, local.hour)


def test_a_zone_is_known_by_its_name() -> None:
    """And nothing else is."""
    assert [True, False, False, False] == [known_zone(name) for name in ("Asia/Shanghai", "Mars/One", "../etc", "")]


async def test_the_company_has_the_zone_of_its_newest_template(tmp_path: Path) -> None:
    """UTC before there is one."""
    shelf = Shelf(tmp_path)
    assert "UTC" == await zone_of(shelf.reader())
    newer = TEMPLATE.replace("version: 1", "version: 2").replace("2026-01-01", "2026-02-01")
    await shelf.put(
        [
            template(TEMPLATE),
            template(newer.replace("Asia/Shanghai", "Europe/Berlin"))._replace(key=b"production-operator@2"),
        ]
    )
    assert "Europe/Berlin" == await zone_of(shelf.reader())
