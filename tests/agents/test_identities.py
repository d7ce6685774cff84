"""Nothing counts twice, and an identity is remembered exactly as long as the contract says, however it is kept."""

from __future__ import annotations

import pytest

from stream.keys import IDENTITIES, hour_of
from stream.pipeline import Limits
from tests.agents.agreement import disagreements
from tests.agents.conftest import World
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, NOON, published


async def test_an_identity_is_forgotten_by_its_own_source(rig: Rig) -> None:
    """35 days behind its source's newest an id is free again, also for another source that lags behind."""
    log = published()
    log.send(source="aoi")
    log.send(source="aoi", occurred_at=NOON + 35 * DAY)
    log.send(source="erp")
    log.send(source="aoi", event_id="e2", occurred_at=NOON + 35 * DAY + 1)
    log.send(source="mes")
    log.send(source="erp")
    log.send(source="mes")
    rig.write(log)
    await rig.drain()
    assert {"scored": 4, "rejected:conflict": 2, "duplicate": 1} == rig.outcomes()
    assert [] == disagreements(rig)


async def test_a_correction_may_take_the_id_of_an_event_that_is_forgotten(rig: Rig) -> None:
    """Corrections are remembered for longer than the events whose ids they may share."""
    log = published()
    log.send()
    log.send(corrects="e1")
    log.send(event_id="e2", occurred_at=NOON + 36 * DAY)
    log.send(corrects="e1", measures={"accepted": -1})
    log.send(corrects="e1", measures={"accepted": -2})
    rig.write(log)
    await rig.drain()
    assert {"scored": 3, "rejected:conflict": 2} == rig.outcomes()
    assert [] == disagreements(rig)


@pytest.mark.parametrize("tail", [1, 2, 3, 4, 7, 32])
async def test_identities_are_known_wherever_they_are_kept(world: World, tail: int) -> None:
    """In the state, sealed and on the way to the store, or in the store after a restart: a repetition is one."""
    rig = world(limits=Limits(tail=tail))
    log = published()
    for hour in range(12):
        log.send(event_id="e1", occurred_at=NOON + hour * HOUR)
        log.send(event_id=f"e{hour}", occurred_at=NOON + hour * HOUR + 1)
    sent = list(log.records)
    rig.write(log)
    await rig.drain()
    for _ in range(2):
        log.records.extend(sent[1:])
        rig.write(log)
        rig.feed("qc-events")
        await rig.commit()
        await rig.crash()
        rig.restart("deleted")
    assert {"scored": 24, "duplicate": 48} == rig.outcomes()
    assert [] == disagreements(rig)


async def test_old_identities_are_put_out_of_the_store(world: World) -> None:
    """What nothing can look up any more is deleted, so that the state does not grow for ever."""
    rig = world(limits=Limits(tail=4))
    log = published()
    for day in range(0, 120, 2):
        log.send(event_id=f"e{day}", occurred_at=NOON + day * DAY)
        log.send(event_id=f"f{day}", occurred_at=NOON + day * DAY + 1)
        rig.write(log)
        rig.feed("qc-events")
        await rig.commit()
    hours = {hour_of(key) for partition in rig.partitions for key, _ in partition.store.items(IDENTITIES)}
    newest = NOON + 118 * DAY
    assert newest - 35 * DAY <= min(hours) * HOUR + 4 * DAY
    assert min(hours) * HOUR <= newest - 35 * DAY
