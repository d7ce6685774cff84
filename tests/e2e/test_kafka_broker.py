"""The broker that other tests rely on: it keeps what it acknowledged through a kill, and nothing through a wipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.e2e import kafka_broker
from tests.e2e.kafka_broker import KafkaBroker, User
from tests.e2e.kafka_topics import admin, create_topic, delete_topics, topics
from tests.e2e.tcp_proxy import TcpProxy

PATIENCE = 30.0


def send(bootstrap: str, topic: str, *values: bytes) -> None:
    """Sends values to partition 0; returns when all are acknowledged."""
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "log_level": 0})
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(PATIENCE) == 0


def received(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The first `count` values of partition 0."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    try:
        found = consumer.consume(count, PATIENCE)
        return [bytes(record.value() or b"") for record in found if record.error() is None]
    finally:
        consumer.close()


def test_a_record_goes_in_and_comes_out(kafka: KafkaBroker, kafka_prefix: str) -> None:
    """What a client sends is what another client reads, in order."""
    create_topic(kafka.bootstrap, kafka_prefix + "in")
    send(kafka.bootstrap, kafka_prefix + "in", b"one", b"two")
    assert [b"one", b"two"] == received(kafka.bootstrap, kafka_prefix + "in", 2)


def test_topics_are_never_made_on_use(kafka: KafkaBroker, kafka_prefix: str) -> None:
    """A misspelt topic is an error, as in a real plant."""
    name = kafka_prefix + "misspelt"
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0, "message.timeout.ms": 2_000})
    errors: list[KafkaError | None] = []
    producer.produce(name, b"lost", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(PATIENCE) == 0
    assert [True] == [error is not None for error in errors]
    assert name not in topics(kafka.bootstrap)


def test_an_empty_broker_has_no_topics(kafka: KafkaBroker, kafka_prefix: str) -> None:
    """Deleted topics are gone when the call returns, and one made again under its name is empty."""
    create_topic(kafka.bootstrap, kafka_prefix + "old")
    send(kafka.bootstrap, kafka_prefix + "old", b"old")
    delete_topics(kafka.bootstrap)
    assert topics(kafka.bootstrap) == set()
    create_topic(kafka.bootstrap, kafka_prefix + "old")
    send(kafka.bootstrap, kafka_prefix + "old", b"new")
    assert [b"new"] == received(kafka.bootstrap, kafka_prefix + "old", 1)


@pytest.mark.long
def test_records_outlive_a_kill_and_nothing_outlives_a_wipe(fresh_kafka: KafkaBroker) -> None:
    """After SIGKILL and a start on the same port the records are there; after a wipe it is another, empty cluster."""
    address, cluster = fresh_kafka.bootstrap, cluster_id(fresh_kafka.bootstrap)
    create_topic(address, "kept")
    send(address, "kept", b"one", b"two")
    fresh_kafka.kill()
    assert not fresh_kafka.running
    fresh_kafka.start()
    assert address == fresh_kafka.bootstrap
    assert [b"one", b"two"] == received(address, "kept", 2)
    assert cluster == cluster_id(address)
    fresh_kafka.stop()
    fresh_kafka.wipe()
    fresh_kafka.start()
    assert topics(address) == set()
    assert cluster != cluster_id(address)


@pytest.mark.long
def test_a_paused_broker_answers_once_it_goes_on(fresh_kafka: KafkaBroker) -> None:
    """While it is paused a record is not acknowledged; after that it is, and the broker can be stopped in any state."""
    create_topic(fresh_kafka.bootstrap, "held")
    fresh_kafka.pause()
    producer = Producer({"bootstrap.servers": fresh_kafka.bootstrap, "log_level": 0})
    producer.produce("held", b"late", partition=0)
    assert producer.flush(1.0) == 1
    fresh_kafka.resume()
    assert producer.flush(PATIENCE) == 0
    fresh_kafka.pause()
    fresh_kafka.stop()
    assert not fresh_kafka.running


@pytest.mark.long
def test_the_secured_listener_knows_its_users(tmp_path: Path) -> None:
    """With TLS and the right password a client is served; with another password, or another authority, it is not."""
    if reason := kafka_broker.missing(secured=True):
        pytest.skip(reason)
    broker = KafkaBroker(tmp_path / "kafka", users=[User("scoring", "right")])
    broker.start()
    try:
        assert broker.certificates is not None
        authority = str(broker.certificates.authority)
        assert 1 in signed_in(broker, "right", authority).list_topics(timeout=PATIENCE).brokers
        for password, trusted in (("wrong", authority), ("right", "probe")):
            with pytest.raises(KafkaException):
                signed_in(broker, password, trusted).list_topics(timeout=2.0)
    finally:
        broker.stop()


@pytest.mark.long
def test_clients_behind_a_proxy_stay_behind_it(proxied_kafka: tuple[KafkaBroker, TcpProxy]) -> None:
    """An acknowledgement that is held and then cut off is sent again by the client; without idempotence it is twice."""
    broker, proxy = proxied_kafka
    create_topic(broker.bootstrap, "held")
    proxy.hold_acks()
    producer = Producer({"bootstrap.servers": proxy.address, "log_level": 0})
    producer.produce("held", b"once", partition=0)
    proxy.wait(lambda it: it.held == 1)
    proxy.cut()
    proxy.heal()
    assert producer.flush(PATIENCE) == 0
    assert [b"once", b"once"] == received(broker.bootstrap, "held", 2)


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Its own words are in the error."""
    if reason := kafka_broker.missing():
        pytest.skip(reason)
    broker = KafkaBroker(tmp_path / "kafka", settings={"node.id": "-7"})
    with pytest.raises(AssertionError, match=r"node\.id"):
        broker.start()
    assert not broker.running


def cluster_id(bootstrap: str) -> str:
    """Which cluster answers there."""
    return str(admin(bootstrap).list_topics(timeout=PATIENCE).cluster_id)


def signed_in(broker: KafkaBroker, password: str, authority: str) -> AdminClient:
    """A client of the secured listener; `authority` is a PEM file, or `probe` for the machine's own."""
    return admin(
        broker.secure_bootstrap,
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="scoring", sasl_password=password,
        ssl_ca_location=authority,
    )  # fmt: skip
