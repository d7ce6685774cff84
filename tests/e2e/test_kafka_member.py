"""A member of the group gets what trickles in together and soon, and what comes after a rest at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Final

import pytest
from confluent_kafka import Producer

from agents.transport.access import Access
from agents.transport.kafka.assignor import Assignor
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.member import Member, Pace
from agents.transport.log import TopicPartition
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import create_topic

PARTITIONS: Final = 4
TRICKLE: Final = 200  # records, one every 5 ms
EVERY: Final = 0.005
TRIES: Final = 10  # a busy machine may spoil some


async def test_a_trickle_comes_soon_and_the_first_after_a_rest_at_once(kafka: KafkaBroker, kafka_prefix: str) -> None:
    """Brokers that answer with each single record leave the others' for the next round: they wait for two."""
    topic = f"{kafka_prefix}trickle"
    create_topic(kafka.bootstrap, topic, PARTITIONS)
    places: asyncio.Future[set[TopicPartition]] = asyncio.get_running_loop().create_future()

    async def assigned(found: set[TopicPartition], generation: int) -> None:
        places.set_result(found)

    async def revoked() -> None:
        return

    cluster = Cluster(kafka.bootstrap, Access(group=f"{kafka_prefix}group"))
    pace = Pace()
    member = Member(cluster, None, Assignor(list), pace, revoked, assigned)
    async with AsyncExitStack() as stack:
        await member.start()
        stack.push_async_callback(member.stop, leave=True)
        await member.subscribe([topic])
        mine = await places
        await member.seek(dict.fromkeys(mine, 0))
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 0})
        waits = []
        for _ in range(TRIES):
            assert not await member.take(mine, 0.6)  # nothing is there
            began = time.monotonic()
            producer.produce(topic, b"0", partition=0)
            producer.flush()
            assert ["0"] == _texts(await member.take(mine, 5.0))
            first = time.monotonic() - began
            waits.append((first, await _trickled(topic, member, mine, producer)))
            # Who had to gather half a second would answer later.
            if min(first for first, _ in waits) < 0.3 and min(mean for _, mean in waits) < pace.linger:
                break
        else:
            pytest.fail(f"(first, mean of the trickle) in seconds: {waits}")


async def _trickled(topic: str, member: Member, mine: Collection[TopicPartition], producer: Producer) -> float:
    """Sends records one after the other to partitions in turn; how long they are on their way, on average (s)."""
    sent: dict[str, float] = {}
    waits: list[float] = []

    async def trickle() -> None:
        for number in range(TRICKLE):
            sent[str(number)] = time.monotonic()
            producer.produce(topic, b"%d" % number, partition=number % PARTITIONS)
            producer.poll(0)
            await asyncio.sleep(EVERY)
        await asyncio.to_thread(producer.flush)

    sending, found = asyncio.ensure_future(trickle()), list[str]()
    while len(found) < TRICKLE:
        texts, now = _texts(await member.take(mine, 5.0)), time.monotonic()
        found += texts
        waits += [now - sent[text] for text in texts]
    await sending
    assert sorted(map(str, range(TRICKLE))) == sorted(found)
    return sum(waits) / len(waits)


def _texts(chunks: Collection[object]) -> list[str]:
    """The values of all records."""
    return [value.decode() for chunk in chunks for _, _, _, value, _ in chunk.records]  # type: ignore[attr-defined]
