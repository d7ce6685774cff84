"""Load that is unlike the usual, and a Redis that cannot be relied on (faults 13, 15)."""

from __future__ import annotations

import json
import time
from random import Random
from typing import Final

from agents.transport.log import Outgoing
from agents.transport.murmur2 import partition_for
from stream.topics import QC_EVENTS
from tests.e2e.kafka_workers import until
from tests.soak.kafka.faults import fault
from tests.soak.kafka.feed import HOT
from tests.soak.kafka.site import ALWAYS, RATE, Site
from tests.soak.workload import PARTITIONS

HUGE: Final = 1_000_000  # bytes of a record, just below what brokers take by default
BURST: Final = 80  # times as many records
BACKLOG: Final = 600 * 2 * RATE  # records: ten minutes of both senders


@fault(13, "hot key")
def hot(site: Site, dice: Random) -> str:
    """Half of all events are one employee's."""
    for feed in site.sending:
        feed.hot = True
    site.pass_time(15)
    return f"half of {2 * RATE} records a second"


@fault(13, "backlog", large=True)
def backlog(site: Site, dice: Random) -> str:
    """Nobody is there while ten minutes' records come; then all of it is caught up with."""
    for name in ALWAYS:
        worker = site.worker(name)
        (worker.stop if dice.random() < 0.5 else worker.kill)()
    before = sum(feed.sent for feed in site.sending)

    def waiting() -> int:
        return sum(feed.sent for feed in site.sending) - before

    for feed in site.sending:
        feed.rate = BURST * RATE
    until(lambda: waiting() > site.shorter(BACKLOG), lambda: f"{waiting():,} records sent", 120)
    for feed in site.sending:
        feed.rate = RATE
    for name in ALWAYS:
        site.worker(name).start()
    return f"{waiting():,} records"


@fault(13, "huge records")
def huge(site: Site, dice: Random) -> str:
    """As large as brokers take: a dead letter each, whole; larger ones are refused at once, with the reason."""
    feed, log = site.sending[0], site.world.log
    for number in range(3):
        record = _huge(f"{site.seed}.{site.phase}.{number}", HUGE)
        feed.acknowledged([record], log.append(feed.tried([record])))
    try:
        log.append([_huge("larger", 2 * HUGE)])
    except ValueError as error:
        return f"3 of {HUGE:,} bytes; one of twice that: {error}"
    raise AssertionError("a record that no broker takes was taken")


def _huge(event_id: str, size: int) -> Outgoing:
    now, key = time.time_ns() // 1_000_000, HOT.encode()
    fields = {"event_id": event_id, "type": "qc.inspection", "employee_id": HOT, "occurred_at": now, "source": "aoi"}
    value = json.dumps({**fields, "measures": {}, "pad": ""}).encode()
    return Outgoing(
        QC_EVENTS, partition_for(key, PARTITIONS), now, key, value[:-2] + b"x" * (size - len(value)) + b'"}'
    )


@fault(15, "Redis killed")
def redis_killed(site: Site, dice: Random) -> str:
    """It comes back empty; scoring goes on meanwhile."""
    site.redis.kill()
    site.wait_taken(2 * RATE)
    site.pass_time(dice.random() * 5)
    site.redis.start()
    return "and empty"


@fault(15, "Redis frozen")
def redis_frozen(site: Site, dice: Random) -> str:
    """It does not answer; scoring goes on meanwhile."""
    site.redis.pause()
    try:
        site.wait_taken(2 * RATE)
        site.pass_time(dice.random() * 10)
    finally:
        site.redis.resume()
    return "and thawed"


@fault(15, "Redis flushed")
def redis_flushed(site: Site, dice: Random) -> str:
    """Everything in it is gone, at any moment, three times."""
    for _ in range(3):
        assert site.redis.ask("FLUSHALL") == "+OK\r\n"
        site.pass_time(dice.random() * 4)
    return "three times"


@fault(15, "Redis full")
def redis_full(site: Site, dice: Random) -> str:
    """It takes nothing more; scoring goes on meanwhile."""
    assert site.redis.ask("CONFIG", "SET", "maxmemory", "1") == "+OK\r\n"
    try:
        site.wait_taken(2 * RATE)
        site.pass_time(5)
    finally:
        assert site.redis.ask("CONFIG", "SET", "maxmemory", "0") == "+OK\r\n"
    return "and given room"
