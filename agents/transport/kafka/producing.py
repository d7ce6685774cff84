"""What `append` returned for is with all replicas in sync; a partition's owner writes in transactions, and alone.

Whoever begins to own a partition (`Owner`) fences every owner before it: what those have under way is taken back, and
nothing more of theirs is accepted. So there are never two who write, however long one of them was frozen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from agents.transport.errors import BrokerGone, CommitRefused, Fenced, LogError
from agents.transport.kafka.cluster import PATIENCE_S, Cluster
from agents.transport.log import Outgoing, unpack_headers
from agents.transport.log import TopicPartition as Place

MAX_RECORD_BYTES: Final = 16 << 20
TRANSACTION_S: Final = 60.0  # after which the broker takes back what nobody ended
COMMIT_S: Final = 30.0  # after which a commit is given up
# The client looks for the group's coordinator three times within 15 ms and, without an answer, waits for ever: a cut
# link is enough for that. Offsets are a few bytes, and are given up much sooner than a commit.
OFFSETS_S: Final = 6.0
_LOOK_S: Final = 0.2  # between two looks at how long it has been
_QUEUED: Final = 1_000_000  # records on their way
_OPTIONS: Final[dict[str, object]] = {
    "enable_idempotence": True,
    "linger_ms": 5,
    "message_max_bytes": MAX_RECORD_BYTES,
    "queue_buffering_max_messages": _QUEUED,
    "queue_buffering_max_kbytes": 1 << 20,
    "retry_backoff_ms": 5,  # a transaction right after another one waits for its markers
    "retry_backoff_max_ms": 500,
    "delivery_timeout_ms": int(PATIENCE_S * 1000),
}


class Appender:
    """Appends for all threads, in no transaction."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: Any = Producer(cluster.config(**_OPTIONS))
        with cluster.translated("asking for the topics"):
            self._producer.list_topics(timeout=PATIENCE_S)  # without it the first records wait half a second

    def append(self, records: Sequence[Outgoing]) -> list[int]:
        """Offsets of the records, once all are durable. BrokerGone: some may be there, those of one place in order.

        ValueError when the brokers do not take a record of that size: sent again it would be refused again.
        """
        delivery = _Delivery(len(records))
        for index, record in enumerate(records):
            _produce(self._producer, record, partial(delivery, index))
        deadline = time.monotonic() + PATIENCE_S + 5  # each record gives up by itself
        while delivery.missing and time.monotonic() < deadline:
            self._producer.flush(0.1)
        if delivery.error is not None:
            if delivery.error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                raise ValueError(
                    _too_large(max(records, key=_size), "the brokers take, max.message.bytes of its topic")
                )
            raise self._cluster.translation(f"appending {len(records)} records", delivery.error)
        if delivery.missing:
            raise BrokerGone(f"{self._cluster.name}: no answer to {delivery.missing} of {len(records)} records")
        return delivery.offsets

    def close(self) -> None:
        """Lets go; what `append` returned for is out."""
        _let_go(self._producer)


class Owner:
    """The only one who writes in transactions under a name, until somebody else begins to.

    Its transactions run in a thread of its own, one after the other: the client may keep a call far longer than it was
    told to when brokers come and go, and nobody has to wait for it then, not even the end of the process.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self._cluster = cluster
        self._work: SimpleQueue[tuple[Future[list[int]], Callable[[], list[int]]] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._offsets_until = math.inf  # monotonic; when what is sent now is given up
        self._fenced: Fenced | None = None  # for ever: the client would say something else the next time
        options = {**_OPTIONS, "transactional_id": name, "transaction_timeout_ms": int(TRANSACTION_S * 1000)}
        self._producer: Any = Producer(cluster.config(**options))
        with cluster.translated(f"taking over {name}"):
            self._producer.list_topics(timeout=PATIENCE_S)  # as above
            self._producer.init_transactions(PATIENCE_S)

    def begin(
        self,
        records: Sequence[Outgoing],
        offsets: Mapping[Place, int],
        group: object,
        before_commit: Callable[[], None],
    ) -> Future[list[int]]:
        """Commits records and a group's offsets, whole or not there, in the thread; the future has their offsets.

        It raises Fenced, CommitRefused or BrokerGone: whether it is there is not known then, and this owner is of no
        more use.
        """
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()
        future: Future[list[int]] = Future()
        self._work.put((future, partial(self._commit, records, offsets, group, before_commit)))
        return future

    def end(self, future: Future[list[int]], deadline: float) -> list[int]:
        """What `begin` has promised; CommitRefused when it is not there by `deadline` (of time.monotonic), or when
        nobody takes its offsets.
        """
        while not future.done():
            now = time.monotonic()
            if now >= min(deadline, self._offsets_until):
                seconds, what = (COMMIT_S, "") if now >= deadline else (OFFSETS_S, " about the offsets")
                raise CommitRefused(
                    f"{self._cluster.name}: committing as {self.name}: no answer{what} for {seconds:g} s"
                )
            wait((future,), min(deadline - now, _LOOK_S))
        return future.result()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, commit = work
            try:
                future.set_result(commit())
            except BaseException as error:
                future.set_exception(error)
        _let_go(self._producer)

    def _commit(
        self,
        records: Sequence[Outgoing],
        offsets: Mapping[Place, int],
        group: object,
        before_commit: Callable[[], None],
    ) -> list[int]:
        if self._fenced is not None:
            raise self._fenced
        try:
            self._producer.begin_transaction()
            delivery = self._send(records)
            if offsets:
                places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
                self._offsets_until = time.monotonic() + OFFSETS_S
                self._producer.send_offsets_to_transaction(places, group, PATIENCE_S)
                self._offsets_until = math.inf
            self._producer.flush(PATIENCE_S)
            before_commit()
            self._producer.commit_transaction(PATIENCE_S)
        except (KafkaException, SystemError) as error:
            self._offsets_until = math.inf
            reason, last = _kafka_error(error), self._give_up()
            # A client that was fenced meanwhile takes no record: it says "fatal" then, and the reason at the end.
            refusal = self._refusal(last if last is not None and reason.code() == KafkaError._FATAL else reason)
            self._fenced = refusal if isinstance(refusal, Fenced) else None
            raise refusal from error
        return delivery.offsets_of(records)

    def _send(self, records: Sequence[Outgoing]) -> _Ends:
        """Only the first and the last record of each place say where they are: nobody else writes between."""
        ends = _Ends(records)
        for index, record in enumerate(records):
            _produce(self._producer, record, partial(ends, index) if index in ends.wanted else None)
        return ends

    def _give_up(self) -> KafkaError | None:
        """Takes back what was sent; why that cannot be: the next owner, or time, does it then."""
        with suppress(SystemError):
            try:
                self._producer.abort_transaction(1.0)
            except (KafkaException, SystemError) as error:
                return _kafka_error(error)
        return None

    def _refusal(self, error: KafkaError) -> Exception:
        ours = self._cluster.translation(f"committing as {self.name}", error)
        if isinstance(ours, Fenced | LogError):
            return ours
        return Fenced(str(ours)) if error.fatal() else CommitRefused(str(ours))

    def close(self) -> None:
        """Lets go, without waiting for anything; what is under way goes on or is taken back by the next owner."""
        if self._thread is None:
            _let_go(self._producer)
        else:
            self._work.put(None)


def _let_go(producer: Any) -> None:
    """What is still on its way is given up; one that was fenced says so once more."""
    with suppress(KafkaException, SystemError):
        producer.purge()
        producer.flush(0)


def _kafka_error(error: BaseException) -> KafkaError:
    """The error in an exception. Where records are given up in the same call, the client wraps it in a SystemError."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KafkaException):
        cause = cause.__cause__
    if cause is None:
        raise error
    found: KafkaError = cause.args[0]
    return found


class _Delivery:
    """Where each of some records went; `error` is the first that did not."""

    def __init__(self, count: int) -> None:
        self.offsets = [-1] * count
        self.missing = count
        self.error: KafkaError | None = None
        self._lock = Lock()

    def __call__(self, index: int, error: KafkaError | None, message: Any) -> None:
        with self._lock:
            self.missing -= 1
            if error is not None:
                self.error = self.error or error
            else:
                self.offsets[index] = message.offset()


class _Ends:
    """The offsets of the first and the last of some records in each place."""

    def __init__(self, records: Sequence[Outgoing]) -> None:
        self._where: dict[Place, list[int]] = {}
        for index, record in enumerate(records):
            self._where.setdefault(record[:2], []).append(index)
        self.wanted = {indices[end] for indices in self._where.values() for end in (0, -1)}
        self._offsets: dict[int, int] = {}

    def __call__(self, index: int, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self._offsets[index] = message.offset()

    def offsets_of(self, records: Sequence[Outgoing]) -> list[int]:
        """Of every record. LogError when somebody wrote in between, which nobody can."""
        offsets = [-1] * len(records)
        for (topic, partition), indices in self._where.items():
            first, last = self._offsets[indices[0]], self._offsets[indices[-1]]
            if last - first != len(indices) - 1:
                raise LogError(
                    f"{topic}/{partition}: {len(indices)} records of one transaction lie at {first} to {last}; "
                    "somebody else writes this topic, only workers may"
                )
            for offset, index in enumerate(indices, first):
                offsets[index] = offset
        return offsets


def _produce(producer: Any, record: Outgoing, told: Callable[..., None] | None) -> None:
    topic, partition, timestamp, key, value, headers = record
    if timestamp < 1:
        raise ValueError(f"record timestamp {timestamp}: Kafka keeps none before 1970; give milliseconds since then")
    options = {"headers": unpack_headers(headers)} if headers is not None else {}
    while True:
        try:
            producer.produce(
                topic, value=value, key=key, partition=partition, timestamp=timestamp, on_delivery=told, **options
            )
            return
        except BufferError:
            producer.poll(0.05)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                raise ValueError(_too_large(record, f"a log takes, {MAX_RECORD_BYTES}")) from error
            raise


def _size(record: Outgoing) -> int:
    return len(record.value or b"") + len(record.key or b"")


def _too_large(record: Outgoing, most: str) -> str:
    return f"a record of {_size(record)} bytes for {record.topic}: that is more than {most}; send it in parts"
