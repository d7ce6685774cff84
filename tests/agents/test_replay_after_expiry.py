"""Who once had a record that waited for too long is replayed like everybody else: nothing counts twice."""

from __future__ import annotations

from stream.topics import PEOPLE_EVENTS, QC_EVENTS, TICKS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, MINUTE, NOON, published, template


async def test_a_duplicate_is_known_also_behind_identities_put_away_in_the_same_chunk(rig: Rig) -> None:
    """A restatement reads many records at once; identities sealed by the first are looked up for the last."""
    log = published(template(applies_to="{roles: [operator]}"))
    log.send(event_id="old", occurred_at=NOON - 401 * DAY, source="archive")
    log.assign(NOON - HOUR, role="operator")
    rig.write(log)
    rig.refresh()
    rig.feed(PEOPLE_EVENTS)
    rig.feed(QC_EVENTS)
    rig.wall = NOON
    rig.tick()
    rig.feed(TICKS)
    await rig.commit()
    assert {"late": 1, "scored": 1} == rig.outcomes()
    for number in range(20):
        log.send(event_id=f"e{number}", occurred_at=NOON + number * MINUTE)
    log.send(event_id="e0", occurred_at=NOON, sent_at=NOON + 20 * MINUTE)
    log.assign(NOON - 2 * HOUR, NOON + 30 * MINUTE, role="operator", unit="L1")
    rig.write(log)
    rig.wall = NOON + HOUR
    await rig.drain()
    assert {"duplicate": 1, "late": 1, "scored": 22} == rig.outcomes()
    assert [] == disagreements(rig)
