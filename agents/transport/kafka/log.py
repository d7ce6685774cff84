"""A log on Kafka: what `append` returned for is with all replicas in sync, a part of `transact` is one transaction.

Only what is committed is read, by whoever reads. Each partition has one owner, the last that called `own`: earlier
ones are fenced (`producing.py`). The committed offsets are those of the group of workers, in the same transactions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from agents.transport.errors import BrokerGone, Fenced, LogBusy, LogError, RecoverableError, TopicMismatch, TopicUnknown
from agents.transport.kafka.cluster import PATIENCE_S, Cluster
from agents.transport.kafka.producing import COMMIT_S, Appender, Owner
from agents.transport.kafka.reader import Readers
from agents.transport.kafka.topics import Topics
from agents.transport.log import READ_BYTES, Append, Outgoing, Part, Record, TopicInfo
from agents.transport.log import TopicPartition as Place

_LOOK_S: Final = 0.05  # between two looks whether anything was written


class KafkaLog:
    """A log on the brokers of a cluster. One object serves all threads of a process."""

    shared = True

    def __init__(self, cluster: Cluster, names: Collection[str] | None = None) -> None:
        """Of topics with these names; None: of all that the brokers have."""
        self.cluster = cluster
        self._names = None if names is None else frozenset(names)
        self.closed = False
        self._topics = Topics(cluster)
        self.log_id = self._topics.cluster_id()
        self._known: dict[str, TopicInfo] = {}
        self._connect()
        self._readers = Readers(cluster)
        self._lock = Lock()
        self._appender: Appender | None = None
        self._owners: dict[int, Owner] = {}
        self._before_commit: Callable[[], None] = _nothing
        self._group = _group_of(cluster)
        self._asking: Any = None  # for committed offsets
        self._looked_at = 0.0
        self._version: tuple[int, ...] = ()

    def _connect(self) -> None:
        """A client for questions that knows nothing yet: one that outlived its broker keeps asking as before."""
        self._admin: Any = AdminClient(self.cluster.config())

    @property
    def name(self) -> str:
        """Its brokers."""
        return self.cluster.name

    # Topics

    def create_topic(
        self,
        topic: str,
        partitions: int,
        *,
        compacted: bool = False,
        ledger: bool = False,
        retention_ms: int | None = None,
        retention_bytes: int | None = None,
    ) -> None:
        """Make a topic, or hold the existing one to what is wanted; see Log."""
        if partitions < 1:
            raise ValueError(f"topic {topic}: partitions is {partitions}; give 1 or more")
        wanted = TopicInfo(topic, partitions, compacted, ledger, retention_ms, retention_bytes)
        there = self._topics.partitions().get(topic)
        if there is None:
            self._topics.create(wanted)
            there = self._topics.partitions()[topic]
        self._topics.check(wanted, there)
        self._known[topic] = wanted

    def topics(self) -> dict[str, TopicInfo]:
        """Every topic; whether one is compacted or a ledger is known of those that `create_topic` was called for."""
        found = self._topics.partitions()
        there = {name: count for name, count in found.items() if self._names is None or name in self._names}
        for name, partitions in there.items():
            known = self._known.get(name)
            if known is None or known.partitions != partitions:
                self._known[name] = TopicInfo(name, partitions, False, False, None, None)
        return {name: self._known[name] for name in there}

    def topic_ids(self, names: Collection[str]) -> dict[str, str]:
        """The ids that the brokers gave topics when they were made."""
        return self._topics.ids(list(names))

    # Writing

    def append(self, records: Sequence[Outgoing]) -> list[int]:
        """Append; durable at return. After BrokerGone some may be there: they are sent again, and count once."""
        if not records:
            return []
        self._demand(records)
        with self._lock:
            appender = self._appender = self._appender or Appender(self.cluster)
        try:
            return appender.append(records)
        except (KafkaException, RecoverableError, LogError):
            # An idempotent client may take nothing more, for ever, after brokers came and went (found by the soak: four
            # appends in a row got no answer from a broker that was well): whoever tries again begins with another one.
            with self._lock:
                if self._appender is appender:
                    self._appender = None
            appender.close()
            raise

    @contextmanager
    def alone(self, name: str) -> Iterator[Append]:
        """Whoever comes last is alone; LogBusy when somebody else came while this one was at it."""
        owner = Owner(self.cluster, f"{self.cluster.access.group}-{name}")

        def append(records: Sequence[Outgoing]) -> list[int]:
            self._demand(records)
            try:
                given = owner.end(owner.begin(records, {}, self._group, _nothing), time.monotonic() + COMMIT_S)
            except Fenced as error:
                raise LogBusy(f"{self.name}: somebody else is {name} at this moment; try again") from error
            self._wait_for({record[:2]: offset for record, offset in zip(records, given, strict=True)})
            return given

        try:
            yield append
        finally:
            owner.close()

    def _wait_for(self, offsets: Mapping[Place, int]) -> None:
        """Until readers see the records at these offsets: a commit holds before its markers are everywhere."""
        deadline = time.monotonic() + PATIENCE_S
        while any(end <= offsets[place] for place, end in self.ends(offsets).items()):
            if time.monotonic() > deadline:
                raise BrokerGone(f"{self.name}: what was committed cannot be read after {PATIENCE_S:g} s")
            time.sleep(0.005)

    def own(self, partition: int) -> None:
        """Become the owner of a partition: from here on no earlier one writes."""
        self.disown(partition)
        self._owners[partition] = Owner(self.cluster, f"{self.cluster.access.group}-{partition}")

    def disown(self, partition: int) -> None:
        """No longer write a partition."""
        if (owner := self._owners.pop(partition, None)) is not None:
            owner.close()

    def append_owned(self, records: Sequence[Outgoing]) -> list[int]:
        """Append as the owner of each record's partition: Fenced when that is somebody else."""
        where: dict[int, list[int]] = {}
        for index, record in enumerate(records):
            where.setdefault(record.partition, []).append(index)
        parts = [Part(number, [records[i] for i in indices], {}) for number, indices in where.items()]
        offsets = [-1] * len(records)
        for indices, given in zip(where.values(), self._commit(parts, _nothing), strict=True):
            for index, offset in zip(indices, given, strict=True):
                offsets[index] = offset
        return offsets

    def transact(self, parts: Sequence[Part]) -> list[list[int]]:
        """One transaction per part, side by side; Fenced, CommitRefused, BrokerGone: some may be committed."""
        return self._commit(parts, self._before_commit)

    def _commit(self, parts: Sequence[Part], before_commit: Callable[[], None]) -> list[list[int]]:
        owners = [self._owner(part.partition) for part in parts]
        deadline = time.monotonic() + COMMIT_S
        under_way = [
            (owner, owner.begin(part.records, part.offsets, self._group, before_commit))
            for owner, part in zip(owners, parts, strict=True)
        ]
        given: list[list[int]] = []
        errors: list[Exception] = []
        for owner, future in under_way:  # all of them end before anything is said
            try:
                given.append(owner.end(future, deadline))
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return given

    def _owner(self, partition: int) -> Owner:
        owner = self._owners.get(partition)
        if owner is None:
            raise Fenced(f"{self.name}: partition {partition} is not this worker's")
        return owner

    def before_commit(self, hook: Callable[[], None]) -> None:
        """Have `hook` called in each transaction of `transact`, before its commit."""
        self._before_commit = hook

    def _demand(self, records: Sequence[Outgoing]) -> None:
        """Appending is for topics that are there, and are no ledger as far as is known."""
        for topic, partition in {record[:2] for record in records}:
            info = self._topic(topic, partition)
            if info.ledger:
                raise TopicMismatch(f"topic {topic} is a ledger: only its partitions' owners write it, with transact()")

    # Reading

    def read(self, topic: str, partition: int, start: int, limit: int, max_bytes: int = READ_BYTES) -> list[Record]:
        """Committed records from offset `start` on; see Log."""
        self._topic(topic, partition)
        return self._readers.read((topic, partition), max(0, start), limit, max_bytes) if limit > 0 else []

    def start(self, topic: str, partition: int) -> int:
        """First offset that is kept."""
        self._topic(topic, partition)
        return self._offsets([(topic, partition)], OffsetSpec.earliest())[topic, partition]

    def end(self, topic: str, partition: int) -> int:
        """Offset behind the last committed record; markers of transactions count."""
        self._topic(topic, partition)
        return self._offsets([(topic, partition)], OffsetSpec.latest())[topic, partition]

    def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """`start` of several partitions at once."""
        return self._offsets(places, OffsetSpec.earliest())

    def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """`end` of several partitions at once."""
        return self._offsets(places, OffsetSpec.latest())

    def bounds(self) -> dict[Place, tuple[int, int]]:
        """(start, end) of every partition of every topic."""
        places = [(name, number) for name, info in self.topics().items() for number in range(info.partitions)]
        starts = self._offsets(places, OffsetSpec.earliest())
        ends = self._offsets(places, OffsetSpec.latest())
        return {place: (starts[place], ends[place]) for place in places}

    def _offsets(self, places: Collection[Place], spec: OffsetSpec) -> dict[Place, int]:
        if not places:
            return {}
        if self.closed:
            raise LogError(f"{self.name}: the log has been closed")
        asked = {TopicPartition(*place): spec for place in places}

        def ask() -> dict[Place, int]:
            answers = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=PATIENCE_S
            )
            return {(place.topic, place.partition): future.result().offset for place, future in answers.items()}

        return self.cluster.patiently("asking for offsets", ask, self._connect)

    def committed(self) -> dict[Place, int]:
        """Committed offsets of the group of workers: the next offset to read."""
        places = [(name, number) for name, info in self.topics().items() for number in range(info.partitions)]
        if not places:
            return {}

        def ask() -> dict[Place, int]:
            found = self._committed_of(places)
            if error := next((place.error for place in found if place.error is not None), None):
                raise KafkaException(error)
            return {(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

        return self.cluster.patiently("asking for committed offsets", ask, self._forget_asking)

    def _committed_of(self, places: Collection[Place]) -> list[Any]:
        """Asked by a consumer that is no member: the admin client's answer to this question ends the whole process
        (SIGSEGV, confluent-kafka 2.16) when the broker goes away meanwhile.
        """
        with self._lock:
            if self._asking is None:
                config = self.cluster.config(group_id=self.cluster.access.group, isolation_level="read_committed")
                self._asking = Consumer(config)
            asking = self._asking
        found: list[Any] = asking.committed([TopicPartition(*place) for place in places], timeout=PATIENCE_S)
        return found

    def _forget_asking(self) -> None:
        """As `_connect`, of who asks for committed offsets."""
        with self._lock:
            self._asking = None

    def version(self) -> tuple[int, ...]:
        """The ends of all partitions, looked at now and then."""
        if time.monotonic() - self._looked_at > _LOOK_S:
            places = [(name, number) for name, info in self.topics().items() for number in range(info.partitions)]
            self._version = tuple(self._offsets(places, OffsetSpec.latest()).values())
            self._looked_at = time.monotonic()
        return self._version

    def _topic(self, topic: str, partition: int) -> TopicInfo:
        info = self._known.get(topic) or self.topics().get(topic)
        if info is None:
            there = ", ".join(sorted(self._known)) or "none"
            raise TopicUnknown(f"{self.name}: no topic {topic!r}; there are: {there}")
        if not 0 <= partition < info.partitions:
            raise TopicUnknown(f"topic {topic}: no partition {partition}, it has 0 to {info.partitions - 1}")
        return info

    # Around it

    def retain(self, now_ms: int) -> int:
        """The brokers do that."""
        return 0

    def compact(self, *, min_dirty: float = 0.0) -> int:
        """The brokers do that."""
        return 0

    def owner(self) -> str | None:
        """The workers in the group, None when there is none."""
        group = self.cluster.access.group

        def ask() -> Any:
            return self._admin.describe_consumer_groups([group], request_timeout=PATIENCE_S)[group].result()

        found = self.cluster.patiently("asking for the workers", ask, self._connect)
        members = [f"{member.group_instance_id or member.member_id} at {member.host}" for member in found.members]
        return ", ".join(sorted(members)) or None

    def close(self) -> None:
        """Let go. What was returned for is with the brokers."""
        self.closed = True
        for partition in list(self._owners):
            self.disown(partition)
        if self._appender is not None:
            self._appender.close()
        self._readers.close()
        if self._asking is not None:
            self._asking.close()

    def __enter__(self) -> KafkaLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _group_of(cluster: Cluster) -> object:
    """The group of workers for offsets in transactions, as somebody outside of it: the producer's fence is the check.

    A generation would be none: it begins at 1 again after a wipe, and stays when a static member is replaced.
    """
    consumer: Any = Consumer(cluster.config(group_id=cluster.access.group))
    try:
        return consumer.consumer_group_metadata()
    finally:
        consumer.close()


def _nothing() -> None:
    """No test is looking."""
