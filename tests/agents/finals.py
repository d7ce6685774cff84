"""The results of closed windows as the oracle has them, and as the store does, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text

from agents.closing import Closing
from agents.oracle.compare import differences
from agents.oracle.recompute import Recomputed
from agents.oracle.rows import entered
from agents.oracle.windows import calendar_span
from agents.records.database import Records
from agents.results import close
from agents.rules import rulebook
from stream.closed import WITHDRAWN
from tests.agents import final_shifts
from tests.agents.pooled import unit_of, unit_rows
from tests.agents.rig import Rig

KINDS: Final = ("day", "week", "month", "quarter", "year")
Row = dict[str, Any]
Window = final_shifts.Window


def run(rig: Rig, records: Records) -> Closing:
    """Windows are closed, as of the rig's time of day."""
    return close(rig.log, records, rig.limits, rig.wall)


def stored(records: Records, latest: bool = True) -> list[Row]:
    """Rows of the store, in the order of subjects, windows, indicators and numbers."""
    table = "latest_results" if latest else "results"
    order = "subject_kind, subject, window_end, window_start, window_kind, template, indicator, number"
    with records.reading() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY {order}")).mappings()]


def wrong(rig: Rig, records: Records, until: int) -> list[object]:
    """Where the latest results differ from what the oracle says of each closed window; what it lacks has no data."""
    oracle = rig.recompute()
    given: dict[Window, list[Row]] = {}
    for row in stored(records):
        key = (row["subject_kind"], row["subject"], row["template"], row["window_kind"])
        given.setdefault((*key, row["window_start"], row["window_end"]), []).append(row)
    found: list[object] = []
    wanted = dict(_expected(rig, oracle, until))
    for window, rows in wanted.items():
        found += differences(rows, map(_as_row, given.get(window, [])))
    for window in given.keys() - wanted.keys():
        left = "no_data" if final_shifts.exists(oracle, *window) else WITHDRAWN
        found += [row for row in given[window] if row["status"] != left or row["window_end"] > until]
    return found


def _as_row(row: Row) -> Row:
    """A row of the store as the comparison takes it."""
    found = {**row, "employee_id": row["subject"], "window": row["window_kind"]}
    found["sums"] = json.loads(row["sums"], parse_float=Decimal)
    if row["allowance"] is None:
        del found["allowance"], found["adjusted"]
    return found


def _expected(rig: Rig, oracle: Recomputed, until: int) -> Iterator[tuple[Window, list[Row]]]:
    """Every closed window in which an event of its own version counted, for the person, the unit, and those above."""
    tree = rulebook(rig.log).tree
    asked = {window for window in _touched(oracle) if window[-1] <= until}
    for kind, subject, template, window, start, end in list(asked):
        if kind == "unit":
            asked |= {("unit", above, template, window, start, end) for above in tree.above(subject, end - 1)}
    asked |= set(final_shifts.touched(oracle, tree, until))
    for kind, subject, template, window, start, end in asked:
        if kind == "unit" and window == "shift":
            rows = final_shifts.unit_rows(oracle, subject, start, end, tree)
        elif kind == "unit":
            rows = unit_rows(oracle, subject, end - 1, tree.subtree(subject, end - 1))
        else:
            rows = oracle.rows(end - 1, subject)
        own = [
            row for row in rows if (row["template"], row["window"], row["window_start"]) == (template, window, start)
        ]
        if own:
            yield (kind, subject, template, window, start, end), own


def _touched(oracle: Recomputed) -> Iterator[Window]:
    for name, person in oracle._people.items():
        for version in oracle._rulebook.versions:
            for indicator, events in entered(person, version, oracle._rulebook):
                for window in indicator.windows:
                    for event in events if window.kind in KINDS else ():
                        start, end = calendar_span(window.kind, version.template.timezone, event.at)
                        if version.end is None or end <= version.end:
                            place = (version.template.template, window.text, start, end)
                            yield ("employee", name, *place)
                            if unit := unit_of(event, person.events):
                                yield ("unit", unit, *place)
