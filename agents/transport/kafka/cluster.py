"""Every connection to a broker is configured here, and every error of one leaves in the words of `errors`.

`kafka://host:port[,host:port]` names brokers to begin with; they name the others.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from agents.transport.access import PLAIN, Access
from agents.transport.errors import BrokerGone, Fenced, LogRefused, TopicUnknown

_log: Final = logging.getLogger("agents.transport.kafka.client")
_log.setLevel(logging.CRITICAL + 1)
SCHEME: Final = "kafka"
PATIENCE_S: Final = 30.0  # how long a call waits for a broker
_FENCED: Final = frozenset((KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED))
_REFUSED: Final = frozenset(
    (
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    )
)
_SETTLING: Final = frozenset(
    (
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError._TRANSPORT,
        KafkaError._NOENT,  # no leaders found, by a client whose connections were cut
    )
)
_PAUSE_S: Final = 0.05
_T = TypeVar("_T")
_SILENT: Final = frozenset((KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN))
_UNKNOWN: Final = frozenset(
    (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
)


def servers_of(url: str) -> str:
    """`host:port,...` of a `kafka:` URL. Raises ValueError for another scheme."""
    scheme, mark, servers = url.partition("://")
    if scheme != SCHEME or not mark or not servers:
        raise ValueError(f"{url!r} is no {SCHEME}://host:port[,host:port]")
    return servers


@dataclass(frozen=True, slots=True)
class Cluster:
    """Brokers, and how to get in."""

    servers: str
    access: Access = PLAIN
    troubles: list[KafkaError] = field(default_factory=list, compare=False, repr=False)  # the newest, told by clients

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{SCHEME}://{self.servers}"

    def config(self, **options: object) -> dict[str, Any]:
        """Configuration of a librdkafka client; `options` with underscores for dots."""
        access = self.access
        config: dict[str, object] = {
            "bootstrap.servers": self.servers,
            "client.id": "scorestream",
            "security.protocol": access.protocol.upper(),
            "logger": _log,  # what goes wrong comes as an error of the call
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 1_000,
            "error_cb": self._trouble,
        }
        if access.named:
            config |= {
                "sasl.mechanism": access.mechanism,
                "sasl.username": access.username,
                "sasl.password": access.password,
            }
        for name, path in (("ca", access.ca), ("certificate", access.certificate), ("key", access.key)):
            if access.encrypted and path is not None:
                config[f"ssl.{name}.location"] = str(path)
        return config | {name.replace("_", "."): value for name, value in options.items()}

    def _trouble(self, error: KafkaError) -> None:
        """A call that times out does not know why; its client does."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.troubles[:] = [error]

    def aiokafka(self) -> dict[str, Any]:
        """The same for a client of aiokafka."""
        access = self.access
        config: dict[str, object] = {
            "bootstrap_servers": self.servers,
            "client_id": "scorestream",
            "security_protocol": access.protocol.upper(),
        }
        if access.encrypted:
            context = ssl.create_default_context(cafile=None if access.ca is None else str(access.ca))
            if access.certificate is not None:
                context.load_cert_chain(access.certificate, access.key)
            config["ssl_context"] = context
        if access.named:
            config |= {
                "sasl_mechanism": access.mechanism,
                "sasl_plain_username": access.username,
                "sasl_plain_password": access.password,
            }
        return config

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Turn librdkafka's errors into ours; `what` was to be done."""
        try:
            yield
        except KafkaException as error:
            raise self.translation(what, error.args[0]) from error

    def patiently(self, what: str, ask: Callable[[], _T], again: Callable[[], None]) -> _T:
        """The answer to a question that changes nothing; asked again while brokers settle who leads what.

        `again` is called before: who asked is to forget what it knew of the brokers.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return ask()
            except KafkaException as error:
                if error.args[0].code() not in _SETTLING or time.monotonic() > deadline:
                    raise self.translation(what, error.args[0]) from error
            time.sleep(_PAUSE_S)
            again()

    def translation(self, what: str, error: KafkaError) -> Exception:
        """An error of librdkafka as one of ours."""
        text = f"{self.name}: {what}: {error.str()}"
        if error.code() in _SILENT and self.troubles:
            error = self.troubles[0]
            text += f" ({error.str()})"
        if error.code() in _FENCED:
            return Fenced(f"{text}; another worker has taken over")
        if error.code() in _REFUSED:
            return LogRefused(f"{text}; give the kafka_ settings what the broker asks for, or the account the right")
        if error.code() in _UNKNOWN:
            return TopicUnknown(f"{text}; start a worker, it makes the topics")
        return BrokerGone(text)
