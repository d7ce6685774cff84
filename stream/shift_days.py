"""Which shifts are worked on which date: by the week or by a cycle, but for holidays and single dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from stream.fields import Field
from stream.shift_times import LocalShift, check_order, items_or_none
from stream.yaml_tree import Listing, Scalar

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_CYCLE: Final = 366
WEEK_REMEDY: Final = "write week: {mon: [early, late], tue: [early]}"
CYCLE_REMEDY: Final = "write cycle: {first: 2026-03-02, days: [[early], [late], []]}"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_REMEDY: Final = "write a date such as 2026-05-01"
_NO_DATE: Final = date.min
Ids = tuple[str, ...]
Known = Mapping[str, LocalShift] | None  # None when they are wrong themselves


def read_week(field: Field, known: Known) -> tuple[Ids, ...]:
    """The lists of Monday to Sunday."""
    fields = field.fields(WEEKDAYS, WEEK_REMEDY)
    if fields is None:
        return ((),)
    return tuple(_ids(fields[day], known) if fields[day].present else () for day in WEEKDAYS)


def read_cycle(field: Field, known: Known) -> tuple[date, tuple[Ids, ...]]:
    """(first date, lists of the days from there on)."""
    fields = field.fields(("first", "days"), CYCLE_REMEDY)
    if fields is None:
        return _NO_DATE, ((),)
    first = read_date(fields["first"])
    days = tuple(_ids(item, known) for item in fields["days"].items(f"{CYCLE_REMEDY}: a list of lists"))
    if len(days) > MAX_CYCLE:
        fields["days"].fail(f"has {len(days)} days", f"write 1 to {MAX_CYCLE}")
    return first, days or ((),)


def read_dates(field: Field) -> frozenset[date]:
    """Dates, each once."""
    found: set[date] = set()
    for item in items_or_none(field, f"{_DATE_REMEDY} for each holiday, in a list"):
        _once(item, read_date(item), found)
    return frozenset(found)


def read_overrides(field: Field, known: Known) -> dict[date, Ids]:
    """What is worked on single dates, whatever else says."""
    found: dict[date, Ids] = {}
    seen: set[date] = set()
    remedy = "write - {date: 2026-05-02, shifts: [early]}"
    for item in items_or_none(field, remedy):
        fields = item.fields(("date", "shifts"), remedy)
        if fields is not None:
            day = read_date(fields["date"])
            _once(fields["date"], day, seen)
            found[day] = _ids(fields["shifts"], known)
    return found


def _once(field: Field, day: date, seen: set[date]) -> None:
    if day in seen and field.findings.is_clean(field.path):
        field.fail("stands there twice", "keep one of them")
    seen.add(day)


def read_date(field: Field) -> date:
    """A date of the calendar on the wall; the first of all dates after an error."""
    scalar: Scalar | None = field.scalar(_DATE_REMEDY)
    if scalar is None:
        return _NO_DATE
    try:
        if _DATE.fullmatch(scalar.text):
            return date.fromisoformat(scalar.text)
    except ValueError:
        pass
    field.fail("is no date", _DATE_REMEDY)
    return _NO_DATE


def _ids(field: Field, known: Known) -> Ids:
    """The shifts of one day; an empty list is a day without any."""
    remedy = "write a list of shifts such as [early, late], or []"
    if not isinstance(field.node, Listing):
        field.fail("is missing" if field.node is None else "is not a list", remedy)
        return ()
    ids: list[str] = []
    for item in items_or_none(field, remedy):
        scalar = item.scalar(remedy)
        if scalar is None:
            continue
        if known is not None and scalar.text not in known:
            item.fail("is no shift of this calendar", f"known here: {', '.join(known)}")
        elif scalar.text in ids:
            item.fail("stands there twice", "keep one of them")
        ids.append(scalar.text)
    if known is not None and field.findings.is_clean(field.path):
        check_order(field, [known[id] for id in ids])
    return tuple(ids)
