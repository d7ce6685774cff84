"""Closed results in pages and their histories, over real runs of closing: each once, with what it was and why."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from agents.records.causes import edits_between, edits_of, restated_with
from agents.records.edits import transfer
from agents.records.result_pages import Asked, ResultKey, before, history, key_of, page_of, read_key, written
from tests.agents.finals import stored
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON
from tests.records.test_restated import CLOSED, World, world

__all__ = ["world"]
EVERYTHING = Asked()


def keys(world: World, asked: Asked = EVERYTHING, size: int = 7) -> list[ResultKey]:
    """All that is asked for, page by page."""
    found: list[ResultKey] = []
    with world.records.reading() as connection:
        while page := page_of(connection, asked, found[-1] if found else None, size):
            found += map(key_of, page)
    return found


async def test_results_come_in_pages(world: World) -> None:
    """Each result once, as it holds now, whatever the size of pages; filters leave what they say."""
    late = transfer("E1", "operator", "L02", MIDNIGHT + DAY)
    world.edit(late)
    await world.close(CLOSED + HOUR)
    held = [key_of(row) for row in stored(world.records)]
    assert sorted(held) == sorted(keys(world)) == sorted(keys(world, size=500))
    assert len(set(held)) == len(held)
    total = Asked(indicator="@total", window="day")
    assert {"E1", "E2", "L01", "L02", "D1", "D2", "acme"} == {key.subject for key in keys(world, total)}
    own = {key.subject for key in keys(world, total._replace(kind="employee", units=["L02"], since=MIDNIGHT + DAY))}
    assert {"E1", "E2"} == own
    assert {"E1"} == {key.subject for key in keys(world, total._replace(kind="employee", units=["L01"]))}
    first = total._replace(until=MIDNIGHT + DAY)
    assert {MIDNIGHT} == {key.window_start for key in keys(world, first)}
    restated = {key.subject for key in keys(world, total._replace(restated=True))}
    assert {"L01", "L02", "D1", "D2"} == restated
    assert [] == keys(world, Asked(template="other"))
    assert {"L01"} == {key.subject for key in keys(world, Asked(subject="L01"))}


async def test_a_history_says_what_changed(world: World) -> None:
    """From row to row, and why: who was restated with it, what was edited between the runs."""
    events = {"corrects": "E1-1", "measures": {"accepted": -2}, "occurred_at": NOON + DAY}
    world.log.send(world.rig.wall, employee_id="E1", event_id="c", **events)
    await world.close(CLOSED + HOUR)
    world.rig.wall += 1
    world.edit(transfer("E1", "operator", "L02", MIDNIGHT + DAY))
    await world.close(CLOSED + 2 * HOUR)
    key = ResultKey("unit", "L01", MIDNIGHT + 2 * DAY, MIDNIGHT + DAY, "day", "op", "yield")
    with world.records.reading() as connection:
        steps = history(connection, key)
        assert [0.9, 0.7, None] == [step.row["value"] for step in steps]
        assert (0.9, 0.7) == steps[1].changed["value"]
        assert ("ok", "no_data") == steps[2].changed["status"]
        assert {key: steps[1].row} == before(connection, [steps[2].row])
        at = [step.row["computed_at"] for step in steps]
        assert [["E1"], []] == [restated_with(connection, key, ["L01", "L02"], computed) for computed in at[1:]]
        assert [[], ["L02"]] == [
            [one.became["unit"] for one in edits_between(connection, *span, ["assignments"]) if one.became]
            for span in pairwise(at)
        ]
        assert [{"L01"}, {"L02"}] == [one.units for one in edits_of(connection, "E1")]


@pytest.mark.parametrize("text", ["", "?", "e30", "WyJhIl0", "x" * 50, "\udc80", "é"])
def test_a_key_is_read_as_it_was_written(text: str) -> None:
    """And nothing else is one."""
    key = ResultKey("unit", "L/1 行", 2, 1, "day", "op", "@total")
    assert key == read_key(written(key))
    assert Path(written(key)).name == written(key)
    with pytest.raises(ValueError, match="no key of a result"):
        read_key(text)
