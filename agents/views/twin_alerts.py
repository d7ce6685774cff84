"""Open alerts in the file beside the embedded log: a row each, and per unit the change that touched its alerts last.

What is over leaves no row behind: readers hear of it by its unit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from agents.views.port import AlertKey, AlertView
from agents.views.twin_file import looked_up

_TOUCH: Final = "INSERT INTO alerted VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET change = excluded.change"


def write_alerts(connection: sqlite3.Connection, alerts: Mapping[str, AlertView | None], change: int) -> None:
    """Puts alerts in place of what was there."""
    touched: set[str] = set()
    for name, view in alerts.items():
        # It may have been of another unit: a past that is counted anew can tell where it was.
        old = connection.execute("DELETE FROM alerts WHERE id = ? RETURNING unit", (name,)).fetchall()
        touched.update(unit for (unit,) in old)
        if view is not None:
            row = (name, view.unit, view.employee, view.raised, view.value)
            connection.execute("INSERT INTO alerts VALUES (?, ?, ?, ?, ?)", row)
            touched.add(view.unit)
    connection.executemany(_TOUCH, ((unit, change) for unit in touched))


def alert_keys(unit: str | None, employee: str | None, views: sqlite3.Connection) -> list[AlertKey]:
    """All open alerts, or those of a unit, of an employee, of both; oldest first."""
    asked = [(field, value) for field, value in (("unit", unit), ("employee", employee)) if value is not None]
    where = " AND ".join(f"{field} = ?" for field, _ in asked) or "TRUE"
    sql = f"SELECT raised, id FROM alerts WHERE {where} ORDER BY raised, id"
    return [AlertKey(*row) for row in views.execute(sql, [value for _, value in asked])]


def alert_counts(employees: Sequence[str], views: sqlite3.Connection) -> dict[str, int]:
    """How many open alerts there are about each of these people; about whom there is none is left out."""
    return looked_up("SELECT employee, count(*) FROM alerts WHERE employee IN ({}) GROUP BY employee", employees, views)


def unit_alerts(units: Iterable[str], views: sqlite3.Connection) -> dict[str, list[bytes]]:
    """The open alerts of each of these units, oldest first."""
    sql = "SELECT value FROM alerts WHERE unit = ? ORDER BY raised, id"
    return {unit: [value for (value,) in views.execute(sql, (unit,))] for unit in units}


def employee_alerts(employee: str, most: int, views: sqlite3.Connection) -> list[bytes]:
    """The open alerts about a person, oldest first, at most so many."""
    sql = "SELECT value FROM alerts WHERE employee = ? ORDER BY raised, id LIMIT ?"
    return [value for (value,) in views.execute(sql, (employee, most))]
