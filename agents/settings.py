"""What an operator may set: each setting is declared once, read once, and wrong values stop the start.

Nothing else in the product reads the environment. A flag wins over the environment, the environment over the default.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from agents.setting_values import (
    EMBEDDED,
    MECHANISMS,
    PROTOCOLS,
    Parser,
    broker_folder,
    folder_broker,
    one_of,
    optional,
    parse_broker,
    parse_decoder,
    parse_fail_points,
    parse_file,
    parse_folder,
    parse_host,
    parse_issuer,
    parse_origin,
    parse_prefix,
    parse_records,
    parse_redis,
    parse_size,
    parse_username,
    parse_word,
    seconds,
    whole,
    without_secret,
)

if TYPE_CHECKING:
    from agents.transport.access import Access

PREFIX: Final = "SCORESTREAM_"
DEFAULT_BROKER: Final = "embedded:///./scorestream-data"
DAY_MS: Final = 86_400_000

Origin = Literal["default", "environment", "flag"]


class SettingError(Exception):
    """A setting that cannot be used; the text names it, its value and what would be right."""


class Setting(NamedTuple):
    """One row of the table below. `parse` raises ValueError with what would be right."""

    name: str
    default: str
    help: str
    parse: Parser

    @property
    def key(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, parsed. Days, minutes and seconds as named; None where a limit or a choice is off."""

    broker: str
    data: Path
    partitions: int
    late_days: int
    horizon_days: int
    correction_days: int
    held_days: int
    commit_interval: float
    chunk_records: int
    decoder: int | None
    cached_employees: int
    retention_days: int | None
    retention_bytes: int | None
    kafka_security_protocol: str
    kafka_sasl_mechanism: str
    kafka_sasl_username: str
    kafka_sasl_password_file: Path | None
    kafka_ca_file: Path | None
    kafka_certificate_file: Path | None
    kafka_key_file: Path | None
    kafka_group: str
    kafka_session_timeout: float
    kafka_replication: int | None
    redis: str | None
    redis_password_file: Path | None
    redis_ca_file: Path | None
    redis_prefix: str
    records: str | None
    records_password_file: Path | None
    public_url: str | None
    oidc_issuer: str | None
    oidc_client_id: str
    oidc_client_secret_file: Path | None
    oidc_claim: str
    port: int | None
    host: str
    language: str
    stale_seconds: int
    metric_series: int
    metric_people: int
    request_rate: int | None
    intake_rate: int | None
    appeal_days: int
    log_level: str
    fail_points: str
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, environ: Mapping[str, str], flags: Mapping[str, object] | None = None) -> Settings:
        """The settings of these flags (None = not given) over this environment; SettingError when one is wrong."""
        _refuse_unknown(environ)
        given = {name: str(value) for name, value in (flags or {}).items() if value is not None}
        if unknown := given.keys() - {setting.name for setting in SETTINGS}:
            raise SettingError(f"there is no setting {min(unknown)!r}; `scorestream settings` lists them")
        texts, origins = _texts(environ, given)
        values = {setting.name: _parsed(setting, texts[setting.name], origins[setting.name]) for setting in SETTINGS}
        return cls(**values, origins=origins)

    @classmethod
    def from_environment(cls, flags: Mapping[str, object] | None = None) -> Settings:
        """As `load`, over the environment of this process."""
        return cls.load(os.environ, flags)

    @property
    def embedded(self) -> bool:
        """Whether the log is a folder on this machine."""
        return self.broker.startswith(EMBEDDED)

    @property
    def folder(self) -> Path:
        """The embedded log's folder; SettingError for a broker that has none."""
        if not self.embedded:
            raise SettingError(f"broker {self.broker!r}: this works on an embedded log only (embedded:///DIR)")
        return broker_folder(self.broker)

    @property
    def access(self) -> Access:
        """How to get in at a Kafka broker; SettingError when a name or password is missing, or not asked for."""
        from agents.transport.access import Access  # not for `--help`

        named = self.kafka_security_protocol.startswith("sasl")
        if named and not (self.kafka_sasl_username and self.kafka_sasl_password_file):
            raise SettingError(
                f"kafka_security_protocol={self.kafka_security_protocol!r}: it takes kafka_sasl_username and "
                "kafka_sasl_password_file too"
            )
        if self.kafka_sasl_username and not named:
            raise SettingError(
                f"kafka_sasl_username={self.kafka_sasl_username!r}: it means nothing with kafka_security_protocol="
                f"{self.kafka_security_protocol!r}; that must be sasl_ssl (or sasl_plaintext)"
            )
        if self.kafka_key_file is not None and self.kafka_certificate_file is None:
            raise SettingError(
                f"kafka_key_file={str(self.kafka_key_file)!r}: it is the key of kafka_certificate_file, which is off"
            )
        return Access(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username,
            password=_password(self.kafka_sasl_password_file) if named else "",
            ca=self.kafka_ca_file,
            certificate=self.kafka_certificate_file,
            key=self.kafka_key_file,
            group=self.kafka_group,
            session=self.kafka_session_timeout,
            replication=self.kafka_replication,
        )

    @property
    def oidc_secret(self) -> str | None:
        """The client's secret; SettingError when its file cannot be read, or signing in lacks `public_url`."""
        if self.oidc_issuer is not None and self.public_url is None:
            raise SettingError(
                f"oidc_issuer={self.oidc_issuer!r}: it takes public_url too, to which the provider sends people back"
            )
        file = self.oidc_client_secret_file
        return None if file is None else _secret("oidc_client_secret_file", file)

    @property
    def retention_ms(self) -> int | None:
        """Retention of the input topics by time, in milliseconds."""
        return None if self.retention_days is None else self.retention_days * DAY_MS


_DAYS: Final = whole(1, 36_500)

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "broker",
        DEFAULT_BROKER,
        "where the log is: embedded:///DIR (embedded:///./DIR is relative to here) or kafka://host:port[,...]",
        parse_broker,
    ),
    Setting(
        "data", "", "folder of local state (default: the embedded log's folder, and the other way round)", parse_folder
    ),
    Setting("partitions", "4", "partitions of each topic, fixed when the log is created", whole(1, 1024)),
    Setting("late_days", "7", "an event counts when it arrives within this many days", _DAYS),
    Setting(
        "horizon_days", "35", "how far identities are kept behind the newest event of an employee and source", _DAYS
    ),
    Setting("correction_days", "400", "a correction counts within this many days", _DAYS),
    Setting("held_days", "400", "an event without a template is kept waiting for this many days", _DAYS),
    Setting(
        "commit_interval",
        "0.5",
        "seconds between two commits of the worker; in a backlog up to 15 s pass, for fewer and larger ones",
        seconds(0.01, 60),
    ),
    Setting("chunk_records", "60000", "most records the worker takes from a partition at once", whole(1, 1_000_000)),
    Setting(
        "decoder",
        "auto",
        "processes beside the worker that decode: auto (a backlog, where there are two processors), always, off",
        parse_decoder,
    ),
    Setting("cached_employees", "25000", "employees whose state the worker keeps in memory", whole(1, 100_000_000)),
    Setting(
        "retention_days", "off", "days after which records of the input topics are removed", optional("off", _DAYS)
    ),
    Setting(
        "retention_bytes", "off", "size of a partition's input beyond which the oldest go", optional("off", parse_size)
    ),
    Setting(
        "kafka_security_protocol",
        "plaintext",
        "how Kafka is spoken to: plaintext, ssl (TLS), sasl_plaintext, sasl_ssl (TLS and a name)",
        one_of(*PROTOCOLS),
    ),
    Setting(
        "kafka_sasl_mechanism", MECHANISMS[0], "signing in at Kafka: " + ", ".join(MECHANISMS), one_of(*MECHANISMS)
    ),
    Setting("kafka_sasl_username", "", "who signs in at Kafka", parse_username),
    Setting("kafka_sasl_password_file", "off", "file with the password for Kafka", optional("off", parse_file)),
    Setting(
        "kafka_ca_file", "off", "certificates that may vouch for Kafka (off: the system's)", optional("off", parse_file)
    ),
    Setting("kafka_certificate_file", "off", "one's own certificate for Kafka, in PEM", optional("off", parse_file)),
    Setting("kafka_key_file", "off", "the key of that certificate, in PEM", optional("off", parse_file)),
    Setting("kafka_group", "scorestream", "name of the group of workers and of their transactions", parse_prefix),
    Setting(
        "kafka_session_timeout",
        "10",
        "seconds of silence after which a worker's partitions go to the others",
        seconds(1, 300),
    ),
    Setting(
        "kafka_replication",
        "auto",
        "copies of each topic, when it is created (auto: the brokers' default)",
        optional("auto", whole(1, 32)),
    ),
    Setting(
        "redis",
        "off",
        "where the views of boards are: redis://[user@]host:port[/db], rediss:// with TLS "
        "(off: in the folder of an embedded log)",
        optional("off", parse_redis),
    ),
    Setting("redis_password_file", "off", "file with the password of Redis", optional("off", parse_file)),
    Setting(
        "redis_ca_file", "off", "certificates that may vouch for Redis (off: the system's)", optional("off", parse_file)
    ),
    Setting("redis_prefix", "scorestream", "first part of all keys in Redis: one for each installation", parse_prefix),
    Setting(
        "records",
        "auto",
        "what people edit, look up and sign: sqlite:///FILE or postgresql://[user@]host[:port]/database "
        "(auto: records.sqlite in the folder of local state)",
        optional("auto", parse_records),
    ),
    Setting("records_password_file", "off", "file with the password of that database", optional("off", parse_file)),
    Setting(
        "public_url",
        "off",
        "where browsers find the web, for links and to sign in: https://host[:port] (off: wherever they came)",
        optional("off", parse_origin),
    ),
    Setting(
        "oidc_issuer",
        "off",
        "identity provider at which people sign in (OpenID Connect), as it calls itself",
        optional("off", parse_issuer),
    ),
    Setting("oidc_client_id", "scorestream", "what this service is called at the identity provider", parse_word),
    Setting(
        "oidc_client_secret_file",
        "off",
        "file with the secret of that client (off: a public client)",
        optional("off", parse_file),
    ),
    Setting("oidc_claim", "preferred_username", "claim that names the account at somebody's first sign-in", parse_word),
    Setting(
        "port",
        "auto",
        "port to listen on (auto: the command picks one and prints it)",
        optional("auto", whole(1, 65_535)),
    ),
    Setting("host", "127.0.0.1", "address to listen on", parse_host),
    Setting("language", "en", "language of boards and messages: en or zh", one_of("en", "zh")),
    Setting("stale_seconds", "120", "age of the newest event at which a board marks its data stale", whole(1, 86_400)),
    Setting(
        "metric_series",
        "20000",
        "series that a worker shows Prometheus at most; what does not fit is named in its log",
        whole(1_000, 10_000_000),
    ),
    Setting(
        "metric_people",
        "5",
        "people who must be behind a unit's value in Prometheus; with fewer it is left out (1: never)",
        whole(1, 1_000),
    ),
    Setting(
        "request_rate",
        "1000",
        "requests of the API that a client may make a second, as many at once",
        optional("off", whole(1, 1_000_000)),
    ),
    Setting(
        "intake_rate",
        "50000",
        "events that a client may send a second by HTTP; at once as many, and 10,000 at least",
        optional("off", whole(1, 10_000_000)),
    ),
    Setting("appeal_days", "7", "days within which an appeal against a score has to be answered", whole(1, 365)),
    Setting("log_level", "info", "what is worth a log line", one_of("debug", "info", "warning", "error")),
    Setting("fail_points", "", "for tests: PLACE:N,... kills the worker the N-th time it is there", parse_fail_points),
)


def _password(file: Path | None) -> str:
    return "" if file is None else _secret("kafka_sasl_password_file", file)


def _secret(name: str, file: Path) -> str:
    """What stands in a secret's file, without the line end that editors add."""
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}={str(file)!r}: it cannot be read ({error})") from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    # The value is not shown: a misspelt key may hold a secret.
    keys = [setting.key for setting in SETTINGS]
    for key in sorted(environ):
        if key.startswith(PREFIX) and key not in keys:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0.0)
            raise SettingError(
                f"{key}: there is no such setting; did you mean {near[0]}? `scorestream settings` lists them"
            )


def _texts(environ: Mapping[str, str], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Origin]]:
    texts: dict[str, str] = {}
    origins: dict[str, Origin] = {}
    for setting in SETTINGS:
        name = setting.name
        if name in given:
            texts[name], origins[name] = given[name], "flag"
        elif setting.key in environ:
            texts[name], origins[name] = environ[setting.key], "environment"
        else:
            texts[name], origins[name] = setting.default, "default"
    # The folder of the log and of the state are one unless both are named.
    if origins["broker"] == "default" != origins["data"]:
        texts["broker"] = folder_broker(texts["data"])
    elif origins["data"] == "default":
        embedded = texts["broker"].startswith(EMBEDDED)
        texts["data"] = str(broker_folder(texts["broker"] if embedded else DEFAULT_BROKER))
    return texts, origins


def _parsed(setting: Setting, text: str, origin: Origin) -> Any:
    try:
        return setting.parse(text)
    except ValueError as right:
        named = setting.flag if origin == "flag" else setting.key
        raise SettingError(f"{named}={without_secret(text)!r}: it must be {right}") from None
