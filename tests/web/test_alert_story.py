"""What became of an alert, step by step, from what was said of it; and where its time lies in its picture."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dashboards.web.alert_story import Step, chart, steps
from schemas.alerts import ACKNOWLEDGED, CLEARED, FIRING, SHELVED, WITHDRAWN, AlertRow, Message
from schemas.instants import MINUTE, format_rfc3339
from stream.lifecycle import SHELF_OVER

NOON = 1_772_452_800_000
AT = format_rfc3339(NOON)
ROW = AlertRow(
    "a1", "drop", "L1", "yield", "line-yield", 1, FIRING, "warning", AT, AT, None, "",
    format_rfc3339(NOON - 10 * MINUTE), 0.8, 50, 40, 0.67, 0.89, 0.95, None, "e1", "e9", Message("", ""),
    employee_id="E1",
)  # fmt: skip


def _then(row: AlertRow, minutes: int, **changes: Any) -> AlertRow:
    return replace(row, changed_at=format_rfc3339(NOON + minutes * MINUTE), **changes)


def test_every_step_is_told_once() -> None:
    """Whoever moved it, and whatever was only said again: a tick says whether people are told."""
    told = replace(ROW, notify=True)
    until = format_rfc3339(NOON + 60 * MINUTE)
    escalated = replace(told, escalated_at=format_rfc3339(NOON + 5 * MINUTE))
    taken = _then(escalated, 6, state=ACKNOWLEDGED, by="lea", reason="looks")
    held = _then(taken, 7, state=SHELVED, by="lea", reason="part", until=until)
    again = _then(held, 60, state=FIRING, by="", reason=SHELF_OVER, until=None)
    folded = _then(again, 61, by="", reason="", folded_into="u1")
    over = _then(folded, 62, state=CLEARED, cleared_at=format_rfc3339(NOON + 62 * MINUTE))
    at = [NOON + minutes * MINUTE for minutes in (0, 5, 6, 7, 60, 61, 62)]
    assert [
        Step("raised", at[0]),
        Step("escalated", at[1]),
        Step("acknowledged", at[2], "lea", "looks"),
        Step("shelved", at[3], "lea", "part", until=at[4]),
        Step("firing", at[4], own="shelf"),
        Step("folded", at[5]),
        Step("cleared", at[6]),
    ] == list(steps([ROW, told, escalated, taken, held, held, again, folded, over]))


def test_of_the_latest_row_alone_it_tells_what_that_knows() -> None:
    """When it was raised, and how it stands."""
    over = _then(ROW, 9, state=CLEARED, cleared_at=format_rfc3339(NOON + 9 * MINUTE), reason=WITHDRAWN)
    assert [Step("raised", NOON), Step("cleared", NOON + 9 * MINUTE, own="withdrawn")] == list(steps([over]))
    assert [] == list(steps([]))


@pytest.mark.parametrize(
    ("minutes", "marked"),
    [(-60, None), (0, (444, 144)), (5, (372, 144)), (-5, (516, 72)), (60, None)],
)
def test_the_alerts_time_is_marked_where_the_picture_has_it(minutes: int, marked: tuple[int, int] | None) -> None:
    """Ten minutes before noon until noon, in 40 minutes of panes that end so many minutes after noon."""
    first = NOON + (minutes - 40) * MINUTE
    panes = [(first + n * 5 * MINUTE, 20.0, 19.0) for n in range(9)]
    drawn = chart(ROW, ["rolling 60m"], {"line-yield/yield/rolling 60m": panes})
    assert drawn is not None
    assert (marked, first, first + 40 * MINUTE) == (drawn.marked, drawn.begins, drawn.ends)


def test_without_two_panes_there_is_no_picture() -> None:
    """Nor of an indicator that is no rate."""
    assert chart(ROW, ["day"], {}) is None
    assert chart(ROW, ["rolling 60m"], {"line-yield/yield/rolling 60m": [(NOON, 20.0, 19.0)]}) is None
