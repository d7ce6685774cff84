"""Who has rows, and which: found by the property test, kept here by hand."""

from __future__ import annotations

from agents.query import committed, rows_as_of
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, NOON, published


async def test_somebody_with_nothing_but_late_records_has_no_rows(rig: Rig) -> None:
    """A late record makes nobody known, though a template is for everyone."""
    log = published()
    log.send(NOON + 8 * DAY, employee_id="E1")
    log.send(employee_id="E2")
    rig.write(log)
    await rig.drain()
    rows = rows_as_of(rig.log, committed(rig.log), NOON, rig.limits)
    assert {"E2"} == {row.employee_id for row in rows}
    assert [] == disagreements(rig)
