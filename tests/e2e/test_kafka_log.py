"""A log on Kafka keeps what any log promises, and what only brokers make necessary: fences, settings, ids, sign-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import Producer

from agents.transport.access import Access
from agents.transport.errors import (
    BrokerGone,
    Fenced,
    LogBusy,
    LogError,
    LogRefused,
    LogReplaced,
    TopicMismatch,
)
from agents.transport.kafka import reader
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.identity import demand_same, instance_of, remember
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing, Part
from tests.e2e import kafka_broker
from tests.e2e.kafka_broker import KafkaBroker, User
from tests.e2e.kafka_topics import create_topic, delete_topics
from tests.e2e.processes import free_port
from tests.transport.log_suite import LogSuite, Names, committed, numbered, record, seen, values

FOREVER = str(2**63 - 1)


@pytest.fixture
def names(kafka_prefix: str) -> Names:
    """Of this test's own topics."""
    return Names(f"{kafka_prefix}events", f"{kafka_prefix}state")


def _open(kafka: KafkaBroker, prefix: str, names: Names) -> KafkaLog:
    return KafkaLog(Cluster(kafka.bootstrap, Access(group=f"{prefix}group")), names)


@pytest.fixture
def log(kafka: KafkaBroker, kafka_prefix: str, names: Names) -> Iterator[KafkaLog]:
    """Topics of its own on the shared broker, owned."""
    with _open(kafka, kafka_prefix, names) as opened:
        opened.create_topic(names.events, 2)
        opened.create_topic(names.state, 2, compacted=True, ledger=True)
        for number in range(2):
            opened.own(number)
        yield opened


class TestKafkaLog(LogSuite):
    """Over a broker; the fixtures are those above."""


# One owner


def test_a_new_owner_fences_the_old_one(log: KafkaLog, kafka: KafkaBroker, kafka_prefix: str, names: Names) -> None:
    """However alive the old one is, it writes nothing more: no part, no tick, no offset; its other partitions stay."""
    log.transact([Part(0, [record(names.state, value=b"old")], {(names.events, 0): 1})])
    with _open(kafka, kafka_prefix, names) as other:
        other.own(0)
        with pytest.raises(Fenced, match="another worker has taken over"):
            log.transact([Part(0, [record(names.state, value=b"zombie")], {(names.events, 0): 9})])
        with pytest.raises(Fenced):
            log.append_owned([record(names.events, value=b"zombie")])
        other.transact([Part(0, [record(names.state, value=b"new")], {(names.events, 0): 2})])
        log.transact([Part(1, [record(names.state, 1, value=b"mine")], {})])
        seen([b"old", b"new"], other, names.state)
        seen([b"mine"], other, names.state, 1)
        assert [] == values(other, names.events)
        committed(other, (names.events, 0), 2)


def test_what_an_owner_had_under_way_is_not_there(
    log: KafkaLog, kafka: KafkaBroker, kafka_prefix: str, names: Names
) -> None:
    """A transaction that was written and not committed is taken back by the next owner, before it reads the end."""
    log.transact([Part(0, [record(names.state, value=b"whole")], {})])
    with _open(kafka, kafka_prefix, names) as other:

        def taken_over() -> None:
            other.own(0)

        log.before_commit(taken_over)
        with pytest.raises(Fenced):
            log.transact([Part(0, numbered(range(5), names.state), {(names.events, 0): 5})])
        assert [b"whole"] == values(other, names.state)
        assert (names.events, 0) not in other.committed()
        other.transact([Part(0, [record(names.state, value=b"next")], {})])
        seen([b"whole", b"next"], other, names.state)


def test_who_owns_nothing_writes_nothing(kafka: KafkaBroker, kafka_prefix: str, names: Names, log: KafkaLog) -> None:
    """A partition that was let go, or never taken, is not written."""
    log.disown(1)
    with pytest.raises(Fenced, match="partition 1 is not this worker's"):
        log.transact([Part(1, [record(names.state, 1)], {})])


def test_only_one_is_alone(log: KafkaLog, kafka: KafkaBroker, kafka_prefix: str, names: Names) -> None:
    """Who was overtaken between the look and the append is told to try again; nothing of it is there."""
    with _open(kafka, kafka_prefix, names) as other, log.alone("publishing") as append:
        with other.alone("publishing") as overtaking:
            overtaking([record(names.events, value=b"second")])
        with pytest.raises(LogBusy, match="try again"):
            append([record(names.events, value=b"first")])
        assert [b"second"] == values(log, names.events)


def test_offsets_of_transactions_have_gaps_that_readers_pass(log: KafkaLog, names: Names) -> None:
    """Markers take offsets: the end lies behind them, the committed offsets and records do not care."""
    log.transact([Part(0, [record(names.state)], {})])
    seen([b"v"], log, names.state)
    assert 2 == log.end(names.state, 0)
    assert [] == log.read(names.state, 0, 1, 10)
    assert [[2]] == log.transact([Part(0, [record(names.state)], {})])


def test_a_reader_finds_another_topic_at_once(log: KafkaLog, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never heard of a topic asks for it only once a second: a takeover reads many topics."""
    monkeypatch.setattr(reader, "_READERS", 1)
    log.append([record(names.events)])
    began = time.monotonic()
    for _ in range(10):
        assert len(log.read(names.events, 0, 0, 10)) == 1
        assert not log.read(names.state, 0, 0, 10)
    assert time.monotonic() - began < 5


def test_a_reader_at_the_end_leaves_the_broker_alone(log: KafkaLog, names: Names) -> None:
    """It would ask it a hundred times a second, for ever; and finds what comes then."""
    for number in range(3):
        log.append([record(names.events)])
        assert len(log.read(names.events, 0, number, 10)) == 1
        assert not any(idle._consumer.assignment() for idle in log._readers._idle)
    assert not log.read(names.events, 0, 3, 10)
    assert not any(idle._consumer.assignment() for idle in log._readers._idle)
    log.append([record(names.events)])
    assert len(log.read(names.events, 0, 3, 10)) == 1


def test_senders_in_transactions_are_read_when_they_commit(kafka: KafkaBroker, log: KafkaLog, names: Names) -> None:
    """What a sender takes back was never there; what it has not committed yet is not there yet."""
    sender = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{names.events}-sender"})
    sender.init_transactions(30)
    for value, ended in ((b"back", sender.abort_transaction), (b"kept", sender.commit_transaction)):
        sender.begin_transaction()
        sender.produce(names.events, value, partition=0)
        sender.flush()
        assert 0 == len(values(log, names.events))
        ended()
    seen([b"kept"], log, names.events)


# Topics


def test_a_topic_with_default_settings_is_refused(kafka: KafkaBroker, log: KafkaLog, names: Names) -> None:
    """It would lose a history within a minute; the text says what to set."""
    create_topic(kafka.bootstrap, f"{names.events}-plain", 2)
    with pytest.raises(TopicMismatch, match=r"message\.timestamp\.after\.max\.ms is \d+, and must be \d+; set it"):
        log.create_topic(f"{names.events}-plain", 2)


def test_a_topic_that_forgets_is_refused(kafka: KafkaBroker, log: KafkaLog, names: Names) -> None:
    """Seven days of retention that nobody asked for are a mistake; those of an operator are taken, aloud."""
    times = {"message.timestamp.after.max.ms": FOREVER, "message.timestamp.before.max.ms": FOREVER}
    create_topic(kafka.bootstrap, f"{names.events}-week", 2, times)
    with pytest.raises(TopicMismatch, match=r"retention\.ms is 604800000, and must be -1"):
        log.create_topic(f"{names.events}-week", 2)
    create_topic(kafka.bootstrap, f"{names.events}-asked", 2, {**times, "retention.ms": "86400000"})
    log.create_topic(f"{names.events}-asked", 2)


def test_a_topic_that_is_not_compacted_is_refused(kafka: KafkaBroker, log: KafkaLog, names: Names) -> None:
    """The state's changelog would be cut off, or never end."""
    times = {"message.timestamp.after.max.ms": FOREVER, "message.timestamp.before.max.ms": FOREVER}
    create_topic(kafka.bootstrap, f"{names.state}-deleted", 2, times)
    with pytest.raises(TopicMismatch, match=r"cleanup\.policy is delete, and must be compact"):
        log.create_topic(f"{names.state}-deleted", 2, compacted=True, ledger=True)


def test_retention_is_taken_over(log: KafkaLog, names: Names, caplog: pytest.LogCaptureFixture) -> None:
    """What is asked for is set, and taken back when nothing is asked for any more by -1."""
    log.create_topic(names.events, 2, retention_ms=86_400_000)
    assert f"topic {names.events}: retention.ms was -1 and is 86400000 now" in caplog.text
    caplog.clear()
    log.create_topic(names.events, 2, retention_ms=86_400_000)
    assert "" == caplog.text
    log.create_topic(names.events, 2, retention_ms=-1)
    assert f"topic {names.events}: retention.ms was 86400000 and is -1 now" in caplog.text


def test_records_of_any_time_are_taken(log: KafkaLog, names: Names) -> None:
    """Of 1970 and of 2100; a record without a time is refused before it goes out."""
    log.append([record(names.events)._replace(timestamp=at) for at in (1, 4_102_444_800_000)])
    assert [1, 4_102_444_800_000] == [row[1] for row in log.read(names.events, 0, 0, 10)]
    with pytest.raises(ValueError, match="Kafka keeps none before 1970"):
        log.append([record(names.events)._replace(timestamp=0)])


def test_a_dead_letter_of_a_huge_record_fits(log: KafkaLog, names: Names) -> None:
    """A megabyte of a record, and why it was refused."""
    log.transact([Part(0, [record(names.state, value=bytes(3_000_000))], {})])
    seen([bytes(3_000_000)], log, names.state)
    assert 3_000_000 == len(log.read(names.state, 0, 0, 1)[0][3] or b"")


def test_a_record_that_the_brokers_do_not_take_is_no_trouble_of_theirs(log: KafkaLog, names: Names) -> None:
    """It is refused at once and for good, with its size and its topic; nobody sends it again and again."""
    with pytest.raises(ValueError, match=rf"a record of 2000001 bytes for {names.events}: .* send it in parts"):
        log.append([record(names.events), record(names.events, value=bytes(2_000_000))._replace(key=b"k")])
    log.append([record(names.events, value=bytes(1_000_000))])


# Which log


def test_a_topic_made_anew_has_another_id(kafka: KafkaBroker, tmp_path: Path) -> None:
    """The folder remembers: another id, a topic that is gone, another cluster are refused; the same log is not."""
    names = Names("t-identity-events", "t-identity-state")
    with KafkaLog(Cluster(kafka.bootstrap), names) as log:
        for name in names:
            log.create_topic(name, 1)
        demand_same(tmp_path, log)  # a new folder
        remember(tmp_path, log, names)
        demand_same(tmp_path, log)
        delete_topics(kafka.bootstrap)
        with pytest.raises(LogReplaced, match="topic t-identity-events is gone"):
            demand_same(tmp_path, log)
        log.create_topic(names.events, 1)
        with pytest.raises(LogReplaced, match="topic t-identity-events was made anew"):
            demand_same(tmp_path, log)
        log.log_id = "another"
        with pytest.raises(LogReplaced, match=r"this is cluster another, and the state in .* is of cluster"):
            demand_same(tmp_path, log)


def test_a_topic_made_anew_is_read_by_who_read_the_old_one(
    fresh_kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its leader had changed before, after which librdkafka takes no news of the new one."""
    monkeypatch.setattr(reader, "SILENT_S", 1.0)
    names = Names("anew-events", "anew-state")
    with KafkaLog(Cluster(fresh_kafka.bootstrap), names) as log:
        log.create_topic(names.events, 2)
        log.append([Outgoing(names.events, number, 1, b"E1", b"old") for number in (0, 1)])
        fresh_kafka.kill()
        fresh_kafka.start()
        assert [b"old", b"old"] == [log.read(names.events, number, 0, 10)[0][3] for number in (0, 1)]
        delete_topics(fresh_kafka.bootstrap)
        log.create_topic(names.events, 2)
        log.append([Outgoing(names.events, number, 1, b"E1", b"new") for number in (0, 1)])
        began = time.monotonic()
        assert [b"new", b"new"] == [log.read(names.events, number, 0, 10)[0][3] for number in (0, 1)]
        assert time.monotonic() - began < 10


def test_a_folder_has_a_name(tmp_path: Path) -> None:
    """The same at every start; one that cannot be a name is refused with the file."""
    name = instance_of(tmp_path)
    assert name == instance_of(tmp_path)
    (tmp_path / "instance").write_text("no name\n")
    with pytest.raises(LogError, match=r"instance: 'no name' is no name of a worker"):
        instance_of(tmp_path)


# Getting in


@pytest.mark.long
def test_tls_and_a_name(tmp_path: Path) -> None:
    """SASL/SCRAM over TLS: with name, password and authority one gets in, and is told what is wrong without."""
    if reason := kafka_broker.missing(secured=True):
        pytest.skip(reason)
    broker = KafkaBroker(tmp_path / "kafka", users=[User("scorer", "s3cret")])
    try:
        broker.start()
        assert broker.certificates is not None
        access = Access("sasl_ssl", "SCRAM-SHA-512", "scorer", "s3cret", broker.certificates.authority)
        with KafkaLog(Cluster(broker.secure_bootstrap, access)) as log:
            log.create_topic("events", 1)
            log.own(0)
            log.append([record("events")])
            log.append_owned([record("events")])
            seen([b"v", b"v"], log, "events")
        wrong = Access("sasl_ssl", "SCRAM-SHA-512", "scorer", "guess", broker.certificates.authority)
        with pytest.raises(LogRefused, match="give the kafka_ settings what the broker asks for"):
            KafkaLog(Cluster(broker.secure_bootstrap, wrong))
        untrusted = Access("sasl_ssl", "SCRAM-SHA-512", "scorer", "s3cret")
        with pytest.raises((BrokerGone, LogRefused), match="certificate"):
            KafkaLog(Cluster(broker.secure_bootstrap, untrusted))
    finally:
        broker.stop()


async def test_ones_own_certificate(tmp_path: Path) -> None:
    """Where the broker asks for it, both clients show it; without it neither gets in."""
    if reason := kafka_broker.missing(secured=True):
        pytest.skip(reason)
    asked = {
        "listener.name.sasl_ssl.ssl.client.auth": "required",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(tmp_path / "kafka" / "tls" / "authority.pem"),
    }
    broker = KafkaBroker(tmp_path / "kafka", users=[User("scorer", "s3cret")], settings=asked)
    try:
        broker.start()
        files = broker.certificates
        assert files is not None
        without = Access("sasl_ssl", "SCRAM-SHA-512", "scorer", "s3cret", files.authority)
        shown = replace(without, certificate=files.client, key=files.client_key)
        KafkaLog(Cluster(broker.secure_bootstrap, shown)).close()
        with pytest.raises((BrokerGone, LogRefused)):
            KafkaLog(Cluster(broker.secure_bootstrap, without))
        consumer = AIOKafkaConsumer(**Cluster(broker.secure_bootstrap, shown).aiokafka(), group_id="own")
        await consumer.start()
        await consumer.stop()
        consumer = AIOKafkaConsumer(**Cluster(broker.secure_bootstrap, without).aiokafka(), group_id="own")
        with pytest.raises(KafkaConnectionError):
            await consumer.start()
        await consumer.stop()
    finally:
        broker.stop()


def test_the_password_is_not_shown() -> None:
    """Neither access nor cluster say it when they are printed."""
    assert "s3cret" not in repr(Cluster("a:1", Access("sasl_ssl", password="s3cret")))


def test_nobody_waits_long_for_a_broker_that_is_not_there() -> None:
    """It is said soon, with what the connection said."""
    begin = time.monotonic()
    with pytest.raises(BrokerGone, match="Connection refused"):
        KafkaLog(Cluster(f"127.0.0.1:{free_port()}"))
    assert time.monotonic() - begin < 10


def test_a_group_that_never_was_has_no_workers(fresh_kafka: KafkaBroker, kafka_prefix: str, names: Names) -> None:
    """Whoever asks a broker for the workers before the first one came gets none, no error."""
    with _open(fresh_kafka, kafka_prefix, names) as log:
        assert log.owner() is None
