"""Settings: one reader, three origins, and errors that name key, value and remedy."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from agents.cli.flags import Flags
from agents.settings import SETTINGS, SettingError, Settings
from agents.transport.kafka.cluster import Cluster
from tests.cli.conftest import Run


def test_defaults() -> None:
    """Without environment and flags everything has its documented default."""
    loaded = Settings.load({})
    assert Path("scorestream-data") == loaded.folder == loaded.data
    assert (
        loaded.partitions,
        loaded.late_days,
        loaded.horizon_days,
        loaded.correction_days,
        loaded.held_days,
    ) == (4, 7, 35, 400, 400)
    assert (loaded.retention_days, loaded.retention_bytes, loaded.port) == (None, None, None)
    assert {"default"} == set(loaded.origins.values())


def test_flag_wins_over_environment() -> None:
    """A flag wins over the environment, the environment over the default; the origin says which it was."""
    loaded = Settings.load({"SCORESTREAM_LATE_DAYS": "8", "SCORESTREAM_HELD_DAYS": "9"}, {"late_days": 10})
    assert (loaded.late_days, loaded.origins["late_days"]) == (10, "flag")
    assert (loaded.held_days, loaded.origins["held_days"]) == (9, "environment")
    assert (loaded.horizon_days, loaded.origins["horizon_days"]) == (35, "default")


@pytest.mark.parametrize(
    ("broker", "folder"),
    [
        ("embedded:///./x", "x"),
        ("embedded:///../x/y", "../x/y"),
        ("embedded:///var/lib/x", "/var/lib/x"),
        ("embedded:////var/lib/x", "/var/lib/x"),
        ("embedded:///with space/ü", "/with space/ü"),
        ("embedded:///./.", "."),
    ],
)
def test_folder_of_a_broker(broker: str, folder: str) -> None:
    """An embedded broker names a folder, relative to here only behind `/./` or `/../`."""
    loaded = Settings.load({}, {"broker": broker})
    assert Path(folder) == loaded.folder == loaded.data


def test_home_folder() -> None:
    """`embedded:///~/x` is below the home folder."""
    assert Path.home() / "x" == Settings.load({}, {"broker": "embedded:///~/x"}).folder


@pytest.mark.parametrize("folder", ["x", "./x", "../x", "/tmp/x", "a b"])
def test_data_alone_names_the_log_too(folder: str) -> None:
    """`--data DIR` alone is the folder of the embedded log and of the state."""
    loaded = Settings.load({}, {"data": folder})
    assert Path(folder) == loaded.folder == loaded.data


def test_both_folders() -> None:
    """Given both, the log is where the broker says and the state where data says."""
    loaded = Settings.load({"SCORESTREAM_BROKER": "embedded:///srv/log"}, {"data": "state"})
    assert (Path("/srv/log"), Path("state")) == (loaded.folder, loaded.data)


def test_kafka_parses_and_has_no_folder() -> None:
    """A Kafka broker is accepted as a setting; asking for its folder says that there is none."""
    loaded = Settings.load({}, {"broker": "kafka://a:9092,b.example:9093,[::1]:9094"})
    with pytest.raises(SettingError, match="works on an embedded log only"):
        _ = loaded.folder


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("broker", "redis://x", "embedded:///DIR or kafka://host:port"),
        ("broker", "embedded://x", "three slashes"),
        ("broker", "embedded:///", "three slashes"),
        ("broker", "kafka://", "kafka://host:port"),
        ("broker", "kafka://host", "kafka://host:port"),
        ("broker", "kafka://host:0", "kafka://host:port"),
        ("broker", "kafka://host:65536", "kafka://host:port"),
        ("partitions", "0", "from 1 to 1024"),
        ("late_days", "٤٢", "from 1 to 36500"),
        ("late_days", "1_0", "from 1 to 36500"),
        ("late_days", " 7", "from 1 to 36500"),
        ("commit_interval", "nan", "from 0.01 to 60"),
        ("commit_interval", "0", "from 0.01 to 60"),
        ("retention_days", "never", "or 'off'"),
        ("retention_bytes", "0", "e.g. 500MB"),
        ("port", "70000", "or 'auto'"),
        ("host", "a b", "IP address"),
        ("language", "de", "one of en, zh"),
        ("data", "", "path of a folder"),
        ("fail_points", "after transaction", "PLACE:N"),
    ],
)
def test_wrong_values(name: str, text: str, right: str) -> None:
    """A wrong value stops the start and names key, value and what would be right."""
    with pytest.raises(SettingError) as caught:
        Settings.load({f"SCORESTREAM_{name.upper()}": text})
    said = str(caught.value)
    assert said.startswith(f"SCORESTREAM_{name.upper()}={text!r}: it must be ")
    assert right in said


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("retention_days", "30", 30),
        ("retention_bytes", "500MB", 500_000_000),
        ("retention_bytes", "12345", 12_345),
        ("port", "auto", None),
        ("port", "8080", 8080),
        ("commit_interval", "0.25", 0.25),
        ("fail_points", "after-transaction:3,before-store", "after-transaction:3,before-store"),
    ],
)
def test_right_values(name: str, text: str, value: object) -> None:
    """A right value is parsed once, at the start."""
    assert value == getattr(Settings.load({}, {name: text}), name)


def test_unknown_key() -> None:
    """An unknown key is an error with the closest known name; its value, maybe a secret, is not shown."""
    with pytest.raises(SettingError) as caught:
        Settings.load({"SCORESTREAM_LATEDAYS": "s3cret", "OTHER": "x"})
    assert "did you mean SCORESTREAM_LATE_DAYS?" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_password_in_a_url() -> None:
    """A password in a URL is refused and never printed."""
    with pytest.raises(SettingError) as caught:
        Settings.load({"SCORESTREAM_BROKER": "kafka://user:s3cret@host:9092"})
    assert "no place for secrets" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_every_setting_is_a_flag() -> None:
    """The table of settings, the parsed value and the command line have the same names."""
    names = [setting.name for setting in SETTINGS]
    assert names == [field.name for field in fields(Flags)]
    assert [*names, "origins"] == [field.name for field in fields(Settings)]


def test_settings_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`scorestream settings` prints each setting with value, origin and help."""
    monkeypatch.setenv("SCORESTREAM_HELD_DAYS", "9")
    rows = {row["name"]: row for row in run("settings", "--format", "ndjson", "--late-days", "8").rows()}
    assert [setting.name for setting in SETTINGS] == list(rows)
    assert (rows["late_days"]["value"], rows["late_days"]["origin"]) == (8, "flag")
    assert (rows["held_days"]["value"], rows["held_days"]["origin"]) == (9, "environment")
    assert (rows["retention_days"]["value"], rows["retention_days"]["origin"]) == ("off", "default")
    assert all(row["help"] for row in rows.values())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_security_protocol": "sasl_ssl"}, "it takes kafka_sasl_username and kafka_sasl_password_file too"),
        ({"kafka_sasl_username": "scorer"}, "kafka_sasl_username='scorer': it means nothing with"),
        ({"kafka_security_protocol": "ssl", "kafka_key_file": "own.key"}, "it is the key of kafka_certificate_file"),
    ],
)
def test_half_a_way_into_a_broker_is_refused(given: dict[str, str], said: str, tmp_path: Path) -> None:
    """Each setting that another one needs, or that means nothing alone, is named."""
    (tmp_path / "own.key").touch()
    files = {name: str(tmp_path / value) if name.endswith("_file") else value for name, value in given.items()}
    with pytest.raises(SettingError, match=said):
        _ = Settings.load({}, files).access


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_both_clients_are_told_the_way_into_a_broker(tmp_path: Path, mechanism: str) -> None:
    """Protocol, mechanism, name and password, and for librdkafka the files."""
    for name in ("password", "ca.pem", "own.pem", "own.key"):
        (tmp_path / name).write_text("s3cret\n")
    given = {
        "kafka_security_protocol": "sasl_ssl", "kafka_sasl_mechanism": mechanism, "kafka_sasl_username": "scorer",
        "kafka_sasl_password_file": str(tmp_path / "password"), "kafka_ca_file": str(tmp_path / "ca.pem"),
        "kafka_certificate_file": str(tmp_path / "own.pem"), "kafka_key_file": str(tmp_path / "own.key"),
    }  # fmt: skip
    access = Settings.load({}, given).access
    config = Cluster("127.0.0.1:1", access).config()
    assert {
        "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": "scorer",
        "sasl.password": "s3cret", "ssl.ca.location": str(tmp_path / "ca.pem"),
        "ssl.certificate.location": str(tmp_path / "own.pem"), "ssl.key.location": str(tmp_path / "own.key"),
    }.items() <= config.items()  # fmt: skip
    plain = Cluster("127.0.0.1:1", replace(access, protocol="sasl_plaintext")).aiokafka()
    assert ("SASL_PLAINTEXT", mechanism, "scorer", "s3cret") == tuple(
        plain[name] for name in ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    )
