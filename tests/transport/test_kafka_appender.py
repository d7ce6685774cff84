"""Who appends without an answer begins with another client the next time: the first may never take a record again."""

from __future__ import annotations

from threading import Lock
from types import SimpleNamespace

import pytest

from agents.transport.access import Access
from agents.transport.errors import BrokerGone
from agents.transport.kafka import log
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing


def test_after_a_silent_append_comes_another_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idempotent client that has lost its place gave no answer four times in a row. Found by the soak."""
    made: list[SimpleNamespace] = []

    def appender(_: Cluster) -> SimpleNamespace:
        client = SimpleNamespace(closed=False, silent=not made)

        def append(records: list[Outgoing]) -> list[int]:
            if client.silent:
                raise BrokerGone("no answer to 1 of 1 records")
            return [7]

        client.append = append
        client.close = lambda: setattr(client, "closed", True)
        made.append(client)
        return client

    monkeypatch.setattr(log, "Appender", appender)
    kafka = KafkaLog.__new__(KafkaLog)
    kafka.cluster = Cluster("localhost:1", Access())
    kafka._lock, kafka._appender = Lock(), None
    monkeypatch.setattr(kafka, "_demand", lambda _: None)
    record = Outgoing("qc-events", 0, 1, b"k", b"v")
    with pytest.raises(BrokerGone):
        kafka.append([record])
    assert [7] == kafka.append([record])
    assert [7] == kafka.append([record])
    assert [True, False] == [client.closed for client in made]
