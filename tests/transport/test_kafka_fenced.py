"""Who finds that it is fenced only as it sends says so: "fatal" alone helps nobody."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

import pytest
from confluent_kafka import KafkaError, KafkaException

from agents.transport.access import Access
from agents.transport.errors import Fenced
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.producing import Owner
from agents.transport.log import Outgoing


def _fails(code: int) -> object:
    def fail(*_: object, **__: object) -> NoReturn:
        raise KafkaException(KafkaError(code))

    return fail


def test_a_fatal_error_is_told_by_its_reason() -> None:
    """The client names it when what was sent is taken back."""
    owner = Owner.__new__(Owner)
    owner.name = "scorestream-1"
    owner._cluster = Cluster("localhost:1", Access())
    owner._producer = SimpleNamespace(
        begin_transaction=lambda: None, produce=_fails(KafkaError._FATAL), abort_transaction=_fails(KafkaError._FENCED)
    )
    with pytest.raises(Fenced, match="another worker has taken over"):
        owner._commit([Outgoing("qc-events", 0, 1, b"k", b"v")], {}, None, lambda: None)
