"""A record waits until rules apply to it, at most 400 days by a tick; whatever happens meanwhile, it ends once."""

from __future__ import annotations

import pytest

from agents.transport.embedded.log import unpack_headers
from agents.transport.log import Record
from stream.topics import BUSINESS_EVENTS, LATE_EVENTS, PEOPLE_EVENTS, QC_EVENTS, TICKS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, NOON, Log, published, template

YEAR = 400 * DAY


def _for_operators() -> str:
    return template(applies_to="{roles: [operator]}")


async def _passes(rig: Rig, milliseconds: int) -> None:
    rig.wall += milliseconds
    rig.tick()
    rig.feed(TICKS)
    await rig.commit()


async def test_a_record_is_held_for_400_days_and_late_at_the_first_tick_after(rig: Rig) -> None:
    """Exactly 400 days is not too long; a second more is, and the record leaves as late."""
    log = Log()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    await _passes(rig, YEAR)
    assert {"held": 1} == rig.outcomes()
    await _passes(rig, 1_000)
    assert {"late": 1} == rig.outcomes()
    assert [] == disagreements(rig)
    ((_, timestamp, key, value, headers),) = [
        row for number in rig.numbers for row in rig.log.read(LATE_EVENTS, number, 0, 10)
    ]
    assert (NOON, b"E1") == (timestamp, key)
    assert value is not None
    assert (b"late", b"0") == tuple(dict(unpack_headers(headers))[name] for name in ("reason", "offset"))


async def test_a_record_that_was_never_committed_is_late_at_the_same_tick(rig: Rig) -> None:
    """What is held is known to the next tick, not only to the one after the next commit."""
    log = Log()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    rig.wall += YEAR + 1_000
    rig.tick()
    assert {"late": 1} == rig.outcomes()
    await rig.drain()
    assert [] == disagreements(rig)


@pytest.mark.parametrize("kind", ["same", "deleted"])
async def test_a_start_knows_who_waits(rig: Rig, kind: str) -> None:
    """The first tick after a start finds everybody of whom a record is held."""
    log = Log()
    log.send()
    rig.write(log)
    await rig.drain()
    await rig.crash()
    rig.restart(kind)
    rig.wall += YEAR + 1_000
    rig.tick()
    assert {"late": 1} == rig.outcomes()
    assert [] == disagreements(await _committed(rig))


async def test_late_is_late_whatever_is_published_afterwards(rig: Rig) -> None:
    """A template for its time does not bring back what became late, nor does a restatement; a repetition is known."""
    log = Log()
    sent = log.send()
    log.send(event_id="e2")
    log.send(event_id="e3", occurred_at=NOON + DAY)
    rig.write(log)
    rig.feed(QC_EVENTS)
    await _passes(rig, YEAR + 1_000)
    log.publish(_for_operators(), at=rig.wall)
    log.assign(NOON - HOUR, sent_at=NOON, role="operator")
    log.records.append(sent)
    rig.write(log)
    await rig.drain()
    assert {"late": 2, "scored": 2, "duplicate": 1} == rig.outcomes()
    assert [] == disagreements(rig)
    await rig.crash()
    rig.restart("deleted")
    log.assign(NOON - 2 * HOUR, sent_at=NOON, role="guest")
    log.assign(NOON - HOUR // 2, sent_at=NOON, role="operator")
    rig.write(log)
    await rig.drain()
    assert {"late": 2, "scored": 4, "duplicate": 1} == rig.outcomes()
    assert [] == disagreements(rig)


async def test_a_tick_acts_on_what_it_follows_and_no_more(rig: Rig) -> None:
    """An old record sent after the tick waits for the next one, though it is read before the tick."""
    log = Log()
    rig.wall = NOON + YEAR + 10_000
    rig.tick()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    rig.feed(TICKS)
    assert {"held": 1} == rig.outcomes()
    log.publish(template(), at=rig.wall)
    rig.write(log)
    rig.refresh()
    await _passes(rig, 10_000)
    assert {"scored": 1} == rig.outcomes()
    assert [] == disagreements(rig)


@pytest.mark.parametrize("way_out", ["assignment", "template"])
async def test_a_tick_that_was_not_committed_decides_again_as_it_did(rig: Rig, way_out: str) -> None:
    """After a crash the rules and assignments of a tick's place decide, not those that came later."""
    log = published(_for_operators(), at=NOON) if way_out == "assignment" else Log()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    rig.refresh()
    await rig.commit()
    rig.wall += YEAR + 1_000
    rig.tick()
    if way_out == "assignment":
        log.assign(NOON - HOUR, sent_at=NOON, role="operator")
    else:
        log.publish(template(), at=rig.wall + 1)
    rig.write(log)
    await rig.crash()
    rig.restart()
    rig.feed(PEOPLE_EVENTS)
    rig.feed(BUSINESS_EVENTS)
    await rig.drain()
    assert 1 == rig.outcomes()["late"]
    assert [] == disagreements(rig)


async def _committed(rig: Rig) -> Rig:
    await rig.drain()
    return rig


async def test_rules_that_are_known_are_known_to_the_next_tick(rig: Rig) -> None:
    """A template published in the second of a tick, and adopted before it, has released what the tick would end."""
    log = Log()
    log.send()
    rig.write(log)
    rig.feed(QC_EVENTS)
    rig.wall += YEAR + 1_500
    log.publish(template(), at=rig.wall - 100)
    rig.write(log)
    rig.refresh()
    await rig.drain()
    assert {"scored": 1} == rig.outcomes()
    assert [] == disagreements(rig)


async def test_a_publisher_ahead_of_the_worker_does_not_stop_time(rig: Rig) -> None:
    """A publication from the future is known when it is read; ticks go on by the worker's clock."""
    log = published(at=NOON + DAY)
    rig.write(log)
    rig.refresh()
    rig.tick()
    rig.feed(TICKS)
    assert {NOON} == {partition.meta.now for partition in rig.partitions}


def _many() -> Log:
    log = Log()
    for number in range(600):
        log.send(event_id=f"i-{number}", employee=f"E{number % 7}", occurred_at=NOON + number)
    return log


def _reads(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics that are read from here on."""
    topics: list[str] = []
    read = rig.log.read

    def counted(topic: str, partition: int, start: int, limit: int, max_bytes: int = 1 << 23) -> list[Record]:
        topics.append(topic)
        return read(topic, partition, start, limit, max_bytes)

    monkeypatch.setattr(rig.log, "read", counted)
    return topics


async def test_a_first_template_releases_many_with_few_reads(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are read again in ranges, not one by one, and all of them count."""
    rig.write(_many())
    rig.feed(QC_EVENTS)
    assert {"held": 600} == rig.outcomes()
    reads = _reads(rig, monkeypatch)
    rig.write(published(template(), at=NOON + 1_000))
    rig.refresh()
    assert {"scored": 600} == {outcome: number for outcome, number in rig.outcomes().items() if number}
    assert len(rig.numbers) >= reads.count(QC_EVENTS)
    await rig.commit()
    assert [] == disagreements(rig)


async def test_a_tick_ends_many_with_few_reads(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes late at once is read again in ranges, and leaves as it is in the log."""
    rig.write(_many())
    rig.feed(QC_EVENTS)
    rig.wall += YEAR + 2_000
    reads = _reads(rig, monkeypatch)
    rig.tick()
    assert {"late": 600} == rig.outcomes()
    assert len(rig.numbers) >= reads.count(QC_EVENTS)
    monkeypatch.undo()
    await rig.commit()
    assert 600 == sum(len(rig.log.read(LATE_EVENTS, number, 0, 1_000)) for number in rig.numbers)
    assert [] == disagreements(rig)
