"""Who finds that it is fenced only as it sends says so, and for ever, whatever the client says to the next try."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import NoReturn

import pytest
from confluent_kafka import KafkaError, KafkaException

from agents.transport.access import Access
from agents.transport.errors import CommitRefused, Fenced
from agents.transport.kafka import producing
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.producing import COMMIT_S, Owner
from agents.transport.log import Outgoing


def _fails(*errors: KafkaError) -> object:
    """A call that fails in these ways, one after the other; the last one from then on."""
    left = list(errors)

    def fail(*_: object, **__: object) -> NoReturn:
        raise KafkaException(left.pop(0) if len(left) > 1 else left[0])

    return fail


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A client that takes everything; tests have some of it fail."""
    made = SimpleNamespace(
        list_topics=lambda **_: None,
        init_transactions=lambda _: None,
        begin_transaction=lambda: None,
        purge=lambda: None,
        flush=lambda _: None,
    )
    monkeypatch.setattr(producing, "Producer", lambda _: made)
    return made


@pytest.fixture
def owner(client: SimpleNamespace) -> Iterator[Owner]:
    made = Owner(Cluster("localhost:1", Access()), "scorestream-1")
    yield made
    made.close()


def _commit(owner: Owner) -> None:
    record = Outgoing("qc-events", 0, 1, b"k", b"v")
    owner.end(owner.begin([record], {}, None, lambda: None), time.monotonic() + COMMIT_S)


def test_a_fatal_error_is_told_by_its_reason(client: SimpleNamespace, owner: Owner) -> None:
    """The client says "fatal", and names the reason when what was sent is taken back."""
    client.produce = _fails(KafkaError(KafkaError._FATAL))
    client.abort_transaction = _fails(KafkaError(KafkaError._FENCED))
    with pytest.raises(Fenced, match="another worker has taken over"):
        _commit(owner)


def test_fenced_once_is_fenced_for_ever(client: SimpleNamespace, owner: Owner) -> None:
    """What the first try had sent may not be taken back yet: the client says that a call is under way then."""
    client.begin_transaction = _fails(
        KafkaError(KafkaError._FENCED, "fenced", fatal=True), KafkaError(KafkaError._CONFLICT, "already in progress")
    )
    client.abort_transaction = _fails(KafkaError(KafkaError._TIMED_OUT, "still under way"))
    for _ in range(2):
        with pytest.raises(Fenced, match="another worker has taken over"):
            _commit(owner)


def test_refused_once_may_be_fenced_later(client: SimpleNamespace, owner: Owner) -> None:
    """Only being fenced is for ever."""
    client.begin_transaction = _fails(
        KafkaError(KafkaError._CONFLICT, "busy"), KafkaError(KafkaError._FENCED, "fenced", fatal=True)
    )
    client.abort_transaction = _fails(KafkaError(KafkaError._TIMED_OUT, "still under way"))
    with pytest.raises(CommitRefused):
        _commit(owner)
    with pytest.raises(Fenced):
        _commit(owner)
