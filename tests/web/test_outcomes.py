"""What becomes of a command is known to whoever gave it: two people in one second, and one of them was faster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from agents.told import latest_alerts
from dashboards.web.acting import Acted, Acting
from dashboards.web.outcomes import OBEYED, PENDING, REFUSED, Outcome
from dashboards.web.problems import RequestProblem
from schemas.alerts import AlertRow
from stream.topics import COMMANDS
from tests.agents.rig import Rig
from tests.oracle.logs import MINUTE, NOON, PARTITIONS, YIELD, published, template

RULE = "alerts: [{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}}]"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A worker, and somebody who drops."""
    made = Rig(tmp_path, PARTITIONS, NOON)
    log = published(template(f"{YIELD.rstrip('}')}, {RULE}}}"))
    log.send(occurred_at=NOON - MINUTE, measures={"inspected": 10, "accepted": 2})
    made.write(log)
    yield made
    made.close()


@pytest.fixture
async def alert(rig: Rig) -> AlertRow:
    """Their alert."""
    await rig.drain()
    (row,) = latest_alerts(rig.log).values()
    return row


@pytest.fixture
async def acting(rig: Rig) -> AsyncIterator[Acting]:
    """The way of commands, with all the patience there is."""
    made = Acting(lambda: nullcontext(rig.log), lambda: rig.wall, patience=60)
    yield made
    made.close()


async def _given(rig: Rig, number: int) -> None:
    """So many commands are in the log."""
    async with asyncio.timeout(60):
        while sum(rig.log.end(COMMANDS, n) for n in rig.numbers) < number:  # noqa: ASYNC110 - written in a thread
            await asyncio.sleep(0.01)


async def test_of_two_in_one_tick_the_second_is_told_that_it_was_late(
    rig: Rig, alert: AlertRow, acting: Acting
) -> None:
    """The first one's command is obeyed; to both their answers wait for the tick."""
    first = asyncio.create_task(acting.act(alert, "ack", "lee", "nozzle"))
    await _given(rig, 1)
    second = asyncio.create_task(acting.act(alert, "ack", "kim", ""))
    await _given(rig, 2)
    rig.wall += 1_000
    await rig.drain()
    obeyed = await first
    assert obeyed.obeyed
    with pytest.raises(RequestProblem, match=r"is acknowledged by lee since .*: there is nothing to ack") as late:
        await second
    assert (409, "action", "ack") == (late.value.problem.status, late.value.problem.field, late.value.problem.value)
    _, found = await acting.outcome(alert.alert_id, obeyed.command, "lee")
    assert (OBEYED, "") == found
    with pytest.raises(RequestProblem, match="you gave alert"):
        await acting.outcome(alert.alert_id, obeyed.command, "kim")


async def test_what_no_worker_has_come_to_is_pending_and_can_be_asked_for_later(rig: Rig, alert: AlertRow) -> None:
    """Of commands that were both in the log before the tick, one is obeyed and the other refused."""
    acting = Acting(lambda: nullcontext(rig.log), lambda: rig.wall, patience=0)
    given = [await acting.act(alert, "clear", by, "") for by in ("lee", "kim")]
    assert [False, False] == [one.obeyed for one in given]
    assert [PENDING, PENDING] == [found.what for found in await _found(acting, alert, given)]
    rig.wall += 1_000
    await rig.drain()
    first, second = await _found(acting, alert, given)
    assert (OBEYED, REFUSED) == (first.what, second.what)
    assert second.why.startswith(f"alert {alert.alert_id} is")
    acting.close()


async def _found(acting: Acting, alert: AlertRow, given: list[Acted]) -> list[Outcome]:
    pairs = zip(given, ("lee", "kim"), strict=True)
    return [(await acting.outcome(alert.alert_id, one.command, by))[1] for one, by in pairs]
