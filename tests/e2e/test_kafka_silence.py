"""A broker that does not answer in time: nobody waits for it longer than was said, and nothing of it counts twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from agents.transport.access import Access
from agents.transport.errors import CommitRefused, RecoverableError
from agents.transport.kafka import log as kafka_log
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Part
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.tcp_proxy import TcpProxy
from tests.transport.log_suite import Names, record, values

NAMES = Names("t-silence-events", "t-silence-state")
PATIENCE = 1.5  # s for a commit


@pytest.fixture
def log(proxied_kafka: tuple[KafkaBroker, TcpProxy], monkeypatch: pytest.MonkeyPatch) -> Iterator[KafkaLog]:
    """Behind a link that can be broken; commits have little time."""
    monkeypatch.setattr(kafka_log, "COMMIT_S", PATIENCE)
    with _open(proxied_kafka[1].address) as opened:
        opened.create_topic(NAMES.state, 1, compacted=True, ledger=True)
        opened.own(0)
        yield opened


def _open(servers: str) -> KafkaLog:
    return KafkaLog(Cluster(servers, Access(group="t-silence-group")), NAMES)


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120  # a broker that begins on a busy machine takes its time
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_commit_without_an_answer_is_given_up(log: KafkaLog, proxied_kafka: tuple[KafkaBroker, TcpProxy]) -> None:
    """In time, and so is its owner: it may be there or not, and the next owner finds it whole or not at all."""
    broker, proxy = proxied_kafka
    log.transact([Part(0, [record(NAMES.state, value=b"first")], {})])
    proxy.hold_acks()
    began = time.monotonic()
    with pytest.raises(CommitRefused, match="committing as t-silence-group-0: no answer for"):
        log.transact([Part(0, [record(NAMES.state, value=b"second")], {})])
    log.disown(0)
    assert PATIENCE <= time.monotonic() - began < PATIENCE + 5
    with _open(broker.bootstrap) as other:
        other.own(0)
        other.transact([Part(0, [record(NAMES.state, value=b"third")], {})])
        proxy.heal()
        log.own(0)
        log.transact([Part(0, [record(NAMES.state, value=b"fourth")], {})])
        _wait(lambda: values(other, NAMES.state)[-1:] == [b"fourth"])
        assert [b"first", b"third", b"fourth"] == [value for value in values(other, NAMES.state) if value != b"second"]
        assert 4 >= len(values(other, NAMES.state))


@pytest.mark.long
def test_an_owner_that_is_let_go_leaves_no_thread(log: KafkaLog) -> None:
    """Its transactions run in a thread of its own, which ends with it."""

    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "t-silence-group-0"]

    log.transact([Part(0, [record(NAMES.state)], {})])
    assert ["t-silence-group-0"] == threads()
    log.disown(0)
    _wait(lambda: not threads())


def test_who_asks_for_committed_offsets_outlives_the_broker(fresh_kafka: KafkaBroker) -> None:
    """Asked again and again while it stops and comes back, the question is answered, or refused, and then answered."""
    answers: list[object] = []
    done = threading.Event()
    with _open(fresh_kafka.bootstrap) as log:
        log.create_topic(NAMES.state, 1, compacted=True, ledger=True)

        def ask() -> None:
            while not done.is_set():
                try:
                    answers.append(log.committed())
                except RecoverableError:
                    answers.clear()

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            _wait(lambda: len(answers) > 20)
            fresh_kafka.stop()
            fresh_kafka.start()
            answers.clear()
            _wait(lambda: len(answers) > 20)
        finally:
            done.set()
            asking.join()
    assert all(answer == {} for answer in answers)
