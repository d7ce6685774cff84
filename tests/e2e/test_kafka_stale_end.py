"""An end that a reader was told of while it stood there is none any more when somebody has written since."""

from __future__ import annotations

import time

from agents.transport.access import Access
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing, Part
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_topics import delete_topics
from tests.transport.log_suite import Names, record


def test_what_was_written_after_the_end_was_told_is_read(kafka: KafkaBroker, kafka_prefix: str) -> None:
    """Whether the broker's word of the old end came before the next question or not: tried many times."""
    names = Names(f"{kafka_prefix}events", f"{kafka_prefix}state")
    with KafkaLog(Cluster(kafka.bootstrap, Access(group=f"{kafka_prefix}group")), names) as log:
        log.create_topic(names.state, 1, compacted=True, ledger=True)
        log.own(0)
        offset, deadline = 0, time.monotonic() + 60.0
        for number in range(20):
            log.transact([Part(0, [Outgoing(names.state, 0, 1, b"k", b"%d" % number)], {})])
            while log.end(names.state, 0) <= offset:  # a broker that is busy marks later what is committed
                assert time.monotonic() < deadline
            found = log.read(names.state, 0, offset, 1)  # one only: it stands behind it, the end not told yet
            assert [b"%d" % number] == [record[3] for record in found]
            offset = found[-1][0] + 1


def test_a_topic_that_was_made_anew_is_read_from_its_start(kafka: KafkaBroker, kafka_prefix: str) -> None:
    """A reader that stood in the one before goes on in the new one: it is another place under the same name."""
    names = Names(f"{kafka_prefix}events", f"{kafka_prefix}state")
    with KafkaLog(Cluster(kafka.bootstrap, Access(group=f"{kafka_prefix}group")), names) as log:
        for value in (b"old", b"new"):
            log.create_topic(names.events, 1)
            log.append([record(names.events, value=value) for _ in range(3)])
            assert [value] * 3 == [found[3] for found in log.read(names.events, 0, 0, 10)]
            assert [] == log.read(names.events, 0, 3, 10)
            delete_topics(kafka.bootstrap)
