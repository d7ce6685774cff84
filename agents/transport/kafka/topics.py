"""Topics are made here with the settings that the log needs, and those that exist are held to them.

Kafka's retention and its check of timestamps go by the record's timestamp: with default settings a history that is
imported is deleted within a minute of being written, and one record of tomorrow fails its whole batch.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourceType,
)

from agents.transport.errors import BrokerGone, TopicMismatch
from agents.transport.kafka.cluster import PATIENCE_S, Cluster
from agents.transport.kafka.producing import MAX_RECORD_BYTES
from agents.transport.log import TopicInfo

logger: Final = logging.getLogger(__name__)
_FOREVER: Final = "-1"
_ANY_TIME: Final = str(2**63 - 1)
_TIMES: Final = {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": _ANY_TIME,
    "message.timestamp.after.max.ms": _ANY_TIME,
}
_KEPT: Final = ("retention.ms", "retention.bytes")
_COMPACTED: Final = {  # a log that is read from its start should not be mostly of the past
    "segment.bytes": str(128 << 20),
    "min.cleanable.dirty.ratio": "0.3",
}
_SETTLE_S: Final = 0.05
_FIRST_S: Final = 10.0
_TRY_S: Final = 2.0


class Topics:
    """What the brokers know of topics."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._admin: Any = AdminClient(cluster.config())

    def partitions(self) -> dict[str, int]:
        """Number of partitions by name, without Kafka's own topics."""
        with self._cluster.translated("asking for the topics"):
            found = self._admin.list_topics(timeout=PATIENCE_S).topics
        return {name: len(topic.partitions) for name, topic in found.items() if not name.startswith("__")}

    def cluster_id(self) -> str:
        """Another cluster has another one."""
        deadline = time.monotonic() + _FIRST_S
        while True:
            try:
                return str(self._admin.list_topics(timeout=_TRY_S).cluster_id)
            except KafkaException as error:
                self._admin.poll(0)  # hears what the client has to say of its brokers
                # Nobody waits long for brokers that refuse; a slow link has its time.
                if self._cluster.troubles or time.monotonic() > deadline:
                    raise self._cluster.translation("asking for the cluster", error.args[0]) from error

    def ids(self, names: list[str]) -> dict[str, str]:
        """The ids of topics: one that is made anew under its old name has another. Those that do not exist are out."""
        found: dict[str, str] = {}
        for name, future in self._admin.describe_topics(TopicCollection(names), request_timeout=PATIENCE_S).items():
            try:
                found[name] = str(future.result().topic_id)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._cluster.translation(f"asking for topic {name}", error.args[0]) from error
        return found

    def create(self, wanted: TopicInfo) -> None:
        """Make a topic; True to what is wanted it comes back also when somebody else makes it now."""
        replication = self._cluster.access.replication or -1
        topic = NewTopic(wanted.name, wanted.partitions, replication, config=_config(wanted))
        for name, future in self._admin.create_topics([topic], request_timeout=PATIENCE_S).items():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._cluster.translation(f"making topic {name}", error.args[0]) from error
        self._wait_for(wanted.name)

    def _wait_for(self, name: str) -> None:
        """Until every partition of a new topic has a leader."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with self._cluster.translated(f"asking for topic {name}"):
                topic = self._admin.list_topics(name, timeout=PATIENCE_S).topics[name]
            if topic.error is None and topic.partitions and all(p.leader >= 0 for p in topic.partitions.values()):
                return
            time.sleep(_SETTLE_S)
        raise BrokerGone(f"{self._cluster.name}: topic {name} was made and no broker leads it after {PATIENCE_S:g} s")

    def check(self, wanted: TopicInfo, partitions: int) -> None:
        """Holds an existing topic to what is wanted; takes over retention that was asked for. TopicMismatch."""
        name = wanted.name
        if partitions != wanted.partitions:
            raise TopicMismatch(
                f"topic {name}: partitions is {partitions}, asked for {wanted.partitions}; that is fixed, "
                f"use {partitions} or another broker"
            )
        found = self._described(name)
        for key, value in _asked(wanted).items():
            if found[key].value != value:
                self._alter(name, key, value)
                logger.warning("topic %s: %s was %s and is %s now", name, key, found[key].value, value)
        for key, value in _config(wanted).items():
            if key in _KEPT and getattr(wanted, key.replace(".", "_")) is not None:
                continue
            _hold(name, key, value, found.get(key))

    def _described(self, name: str) -> Mapping[str, Any]:
        resource = ConfigResource(ResourceType.TOPIC, name)
        future = self._admin.describe_configs([resource], request_timeout=PATIENCE_S)[resource]
        with self._cluster.translated(f"asking for the settings of topic {name}"):
            found: Mapping[str, Any] = future.result()
            return found

    def _alter(self, name: str, key: str, value: str) -> None:
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        future = self._admin.incremental_alter_configs([resource], request_timeout=PATIENCE_S)[resource]
        with self._cluster.translated(f"setting {key} of topic {name}"):
            future.result()


def _config(wanted: TopicInfo) -> dict[str, str]:
    """The settings of a topic, without which it would lose or refuse records."""
    config = dict(_TIMES)
    if wanted.compacted:
        config |= {"cleanup.policy": "compact", **_COMPACTED}
    else:
        config |= {"cleanup.policy": "delete", "retention.ms": _FOREVER, "retention.bytes": _FOREVER, **_asked(wanted)}
    if wanted.ledger:  # a dead letter holds what was as large as a record may be, and says why
        config["max.message.bytes"] = str(MAX_RECORD_BYTES)
    return config


def _asked(wanted: TopicInfo) -> dict[str, str]:
    """Retention that somebody asked for, as Kafka takes it."""
    asked = {"retention.ms": wanted.retention_ms, "retention.bytes": wanted.retention_bytes}
    return {key: str(max(-1, value)) for key, value in asked.items() if value is not None}


def _hold(name: str, key: str, value: str, found: Any) -> None:
    """One setting of an existing topic. What an operator has set for retention is the operator's to say, aloud."""
    if found is None or found.value == value or key in _COMPACTED:
        return
    if key == "max.message.bytes" and int(found.value) > int(value):
        return
    if key in _KEPT and found.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value:
        logger.warning(
            "topic %s: %s is %s: older records go, scores of them cannot be verified", name, key, found.value
        )
        return
    raise TopicMismatch(
        f"topic {name}: {key} is {found.value}, and must be {value}; set it (kafka-configs --alter --topic {name} "
        f"--add-config {key}={value}), or delete the topic and start again: it is made right"
    )
