"""Every command takes every setting as a flag; its help shows those that matter to it.

A command declares `flags: Flags = NO_FLAGS` (or `Annotated[Flags, Parameter(show=True)]` to show all of them) and
begins with `settings = flags.settings()`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter

from agents.settings import SETTINGS, Settings

_GROUP: Final = Group("Settings", help="Every setting is a flag too; `scorestream settings` lists them.", sort_key=9)
_HELP: Final = {setting.name: setting.help for setting in SETTINGS}


Switch = Annotated[bool, Parameter(negative=(), show_default=False)]
"""A flag that is there or not."""


def _no_option(_: object, value: object) -> None:
    text = str(value)
    if text.startswith("-") and text != "-":
        raise ValueError(f"unknown option {text!r}; a file of this name is ./{text}")


InputFile = Annotated[str, Parameter(allow_leading_hyphen=True, validator=_no_option)]
"""A file to read, - for standard input."""


def _setting(name: str) -> Parameter:
    return Parameter(help=_HELP[name], group=_GROUP)


def _shown(name: str) -> Parameter:
    return Parameter(help=_HELP[name], group=_GROUP, show=True)


@Parameter(name="*", show=False)
@dataclass(frozen=True)
class Flags:
    """The settings given on the command line, as text; None: not given. One field per row of SETTINGS."""

    broker: Annotated[str | None, _shown("broker")] = None
    data: Annotated[str | None, _shown("data")] = None
    partitions: Annotated[str | None, _setting("partitions")] = None
    late_days: Annotated[str | None, _setting("late_days")] = None
    horizon_days: Annotated[str | None, _setting("horizon_days")] = None
    correction_days: Annotated[str | None, _setting("correction_days")] = None
    held_days: Annotated[str | None, _setting("held_days")] = None
    commit_interval: Annotated[str | None, _setting("commit_interval")] = None
    chunk_records: Annotated[str | None, _setting("chunk_records")] = None
    decoder: Annotated[str | None, _setting("decoder")] = None
    cached_employees: Annotated[str | None, _setting("cached_employees")] = None
    retention_days: Annotated[str | None, _setting("retention_days")] = None
    retention_bytes: Annotated[str | None, _setting("retention_bytes")] = None
    kafka_security_protocol: Annotated[str | None, _setting("kafka_security_protocol")] = None
    kafka_sasl_mechanism: Annotated[str | None, _setting("kafka_sasl_mechanism")] = None
    kafka_sasl_username: Annotated[str | None, _setting("kafka_sasl_username")] = None
    kafka_sasl_password_file: Annotated[str | None, _setting("kafka_sasl_password_file")] = None
    kafka_ca_file: Annotated[str | None, _setting("kafka_ca_file")] = None
    kafka_certificate_file: Annotated[str | None, _setting("kafka_certificate_file")] = None
    kafka_key_file: Annotated[str | None, _setting("kafka_key_file")] = None
    kafka_group: Annotated[str | None, _setting("kafka_group")] = None
    kafka_session_timeout: Annotated[str | None, _setting("kafka_session_timeout")] = None
    kafka_replication: Annotated[str | None, _setting("kafka_replication")] = None
    redis: Annotated[str | None, _shown("redis")] = None
    redis_password_file: Annotated[str | None, _setting("redis_password_file")] = None
    redis_ca_file: Annotated[str | None, _setting("redis_ca_file")] = None
    redis_prefix: Annotated[str | None, _setting("redis_prefix")] = None
    records: Annotated[str | None, _setting("records")] = None
    records_password_file: Annotated[str | None, _setting("records_password_file")] = None
    public_url: Annotated[str | None, _setting("public_url")] = None
    oidc_issuer: Annotated[str | None, _setting("oidc_issuer")] = None
    oidc_client_id: Annotated[str | None, _setting("oidc_client_id")] = None
    oidc_client_secret_file: Annotated[str | None, _setting("oidc_client_secret_file")] = None
    oidc_claim: Annotated[str | None, _setting("oidc_claim")] = None
    port: Annotated[str | None, _setting("port")] = None
    host: Annotated[str | None, _setting("host")] = None
    language: Annotated[str | None, _setting("language")] = None
    stale_seconds: Annotated[str | None, _setting("stale_seconds")] = None
    metric_series: Annotated[str | None, _setting("metric_series")] = None
    metric_people: Annotated[str | None, _setting("metric_people")] = None
    request_rate: Annotated[str | None, _setting("request_rate")] = None
    intake_rate: Annotated[str | None, _setting("intake_rate")] = None
    appeal_days: Annotated[str | None, _setting("appeal_days")] = None
    log_level: Annotated[str | None, _setting("log_level")] = None
    fail_points: Annotated[str | None, _setting("fail_points")] = None

    def settings(self) -> Settings:
        """The settings of these flags over the environment; SettingError (exit code 2) when one is wrong."""
        return Settings.from_environment(dataclasses.asdict(self))


NO_FLAGS: Final = Flags()
