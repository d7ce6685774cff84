"""What docker-compose.yml promises, read from the file: pinned, guarded, limited, and without a secret in it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.board import SOURCE_UID
from dashboards.grafana.files import FOLDER
from tests.e2e.compose_file import ComposeFile, seconds
from tests.e2e.compose_run import PREPARE, prepare
from tests.e2e.processes import ROOT
from tests.grafana.lint import KNOWN

FILE = ComposeFile({})
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
SERVICES = sorted(FILE.services)
LASTING = sorted(name for name in SERVICES if "profiles" not in FILE.services[name])
NOBODY = {"", "0", "root"}


def test_the_installation_is_whole() -> None:
    """Kafka, Redis, two workers, the web, and what watches them; commands by a service that runs once."""
    assert LASTING == [
        "alertmanager", "grafana", "kafka", "prometheus", "redis", "web", "worker-1", "worker-2",
    ]  # fmt: skip
    assert ["tools"] == sorted(set(SERVICES) - set(LASTING))


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    """Each image names one exact version; ours is the product's own."""
    image, _, tag = FILE.services[name]["image"].partition(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-[a-z]+)?", tag), f"{name}: {image}:{tag}"
    if "build" in FILE.services[name]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        assert ("scorestream", project["version"]) == (image, tag)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_little(name: str) -> None:
    """Nobody is root, gains rights, or writes to an image; processor, memory and processes have a limit."""
    service = FILE.services[name]
    user, _, _ = service["user"].partition(":")
    assert user not in NOBODY
    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert "max-size" in service["logging"]["options"]


@pytest.mark.parametrize("name", LASTING)
def test_a_service_is_watched_and_started_again(name: str) -> None:
    """Each has a health check with limits in time, a restart policy, and time to stop in order."""
    service = FILE.services[name]
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert 0 < seconds(check["timeout"]) <= seconds(check["interval"])
    assert {"retries", "start_period"} <= check.keys()
    assert "unless-stopped" == service["restart"]
    assert seconds(service["stop_grace_period"]) >= 15


def test_what_is_published_is_for_this_host() -> None:
    """A port is open on the host's loopback unless somebody says otherwise; Kafka and Redis are not published."""
    published = {name: service["ports"] for name, service in FILE.services.items() if "ports" in service}
    assert {"web", "prometheus", "alertmanager", "grafana"} == set(published)
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert FILE.raw["networks"]["inside"]["internal"] is True
    inside = {"kafka", "redis", "worker-1", "worker-2", "tools"}
    assert inside == {name for name, service in FILE.services.items() if service["networks"] == ["inside"]}


def test_each_worker_has_a_folder_of_its_own() -> None:
    """A worker's volume holds its state and the name under which it is a member of the group: two share none."""
    folders = [
        mount.volume
        for name in ("worker-1", "worker-2")
        for mount in FILE.mounts(name)
        if mount.target == FILE.environment(name)["SCORESTREAM_DATA"]
    ]
    assert ["worker-1-data", "worker-2-data"] == folders
    assert set(FILE.raw["volumes"]) >= set(folders)


def test_no_secret_stands_in_a_file() -> None:
    """What is secret comes from a file that the repository does not hold; what names a secret names such a file."""
    for name in SERVICES:
        for key, value in FILE.environment(name).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", key):
                assert re.fullmatch(r"/run/secrets/\w+", value), f"{name}: {key}"
    declared = {secret["file"] for secret in FILE.raw["secrets"].values()}
    assert all(str(file).startswith("./deploy/secrets/") for file in declared)
    assert subprocess.run(["git", "check-ignore", "-q", "deploy/secrets/x"], cwd=ROOT, check=False).returncode == 0
    listed = subprocess.run(["git", "ls-files", "deploy/secrets"], cwd=ROOT, capture_output=True, check=True).stdout
    assert b"" == listed


def test_a_secret_is_used_by_who_needs_it() -> None:
    """Each secret that a service is given is read there, and each path of a secret in its files is given to it."""
    for name in SERVICES:
        given = {mount.target for mount in FILE.mounts(name) if mount.target.startswith("/run/secrets/")}
        texts = [yaml.safe_dump(FILE.services[name])]
        folders = [mount.path for mount in FILE.mounts(name) if mount.path and mount.path.is_dir()]
        texts += [path.read_text("utf-8") for folder in folders for path in folder.rglob("*") if path.is_file()]
        used = {path for text in texts for path in re.findall(r"/run/secrets/\w+", text)}
        assert given == used, name


def test_without_its_variables_or_secrets_nothing_starts(tmp_path: Path) -> None:
    """A variable that must be set stops the reading; a folder without secrets has none of the files."""
    file = tmp_path / "docker-compose.yml"
    file.write_text("services: {a: {image: '${WHO:?say who}'}}")
    with pytest.raises(ValueError, match="WHO is not set: say who"):
        ComposeFile({}, file)
    empty = ComposeFile({"SCORESTREAM_SECRETS": str(tmp_path / "none")})
    assert not any(Path(secret["file"]).exists() for secret in empty.raw["secrets"].values())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl, which makes passwords and certificates")
def test_prepare_makes_every_secret_once(tmp_path: Path) -> None:
    """Every file that is declared is made, for its owner's folder alone; a second run changes none, two have others."""
    one, two = prepare(tmp_path / "one"), prepare(tmp_path / "two")
    declared = {Path(secret["file"]).name for secret in FILE.raw["secrets"].values()}
    assert declared | {"authority.key"} == {path.name for path in one.iterdir()}
    assert 0o700 == one.stat().st_mode & 0o777
    assert 0o600 == (one / "authority.key").stat().st_mode & 0o777
    before = {path.name: path.read_bytes() for path in one.iterdir()}
    prepare(one)
    assert before == {path.name: path.read_bytes() for path in one.iterdir()}
    same = {name for name in before if before[name] == (two / name).read_bytes()}
    assert {"alertmanager.yml"} == same
    assert 48 == min(len(before[name].strip()) for name in before if name.endswith("-password"))


@pytest.mark.parametrize("webhook", ["", "ftp://x", 'http://x/"y', "http://x y"])
def test_prepare_wants_to_know_where_alerts_go(tmp_path: Path, webhook: str) -> None:
    """Without an address, or with one that is none, it says how it is called and makes nothing."""
    done = subprocess.run([PREPARE, webhook, tmp_path / "s"], capture_output=True, text=True, check=False)
    assert 2 == done.returncode
    assert "WEBHOOK_URL" in done.stderr
    assert not (tmp_path / "s").exists()


def test_prometheus_asks_every_process_of_ours() -> None:
    """Each worker and web process is a target at the port that it listens on, and each rule file is there."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    targets = {
        target for job in config["scrape_configs"] for static in job["static_configs"] for target in static["targets"]
    }
    ours = {f"{name}:{FILE.environment(name)['SCORESTREAM_PORT']}" for name in ("worker-1", "worker-2", "web")}
    assert ours <= targets
    assert [f"/etc/scorestream/{RULES.name}"] == config["rule_files"]


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_every_alert_has_its_page_in_the_runbook() -> None:
    """An alert says how grave it is, and where in docs/operations.md stands what to do."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text("utf-8"), re.MULTILINE)
    for alert in _alerts():
        if alert["alert"].startswith("ScoreAlert"):  # as grave as the template says, by the series' own label
            assert "severity" in alert["expr"].split(")")[0]
        else:
            assert alert["labels"]["severity"] in ("critical", "warning", "info")
        assert alert["annotations"]["runbook"].endswith(f"{{{{ end }}}}/runbook#{alert['alert'].lower()}")
        assert alert["alert"] in headings


def test_rules_are_named_and_ask_for_what_is_declared() -> None:
    """Recording rules are level:metric:operation; each metric is one that a process tells, or another rule records."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    recorded = [rule["record"] for group in groups for rule in group["rules"] if "record" in rule]
    assert [] == [name for name in recorded if not re.fullmatch(r"[a-z]+:[a-z_]+:[a-z_]+", name)]
    for rule in (rule for group in groups for rule in group["rules"]):
        used = re.findall(r"[\w:]*scorestream_?[\w:]*", re.sub(r"\{.*?\}", "", rule["expr"]))
        assert set() == set(used) - KNOWN.keys() - set(recorded), rule["expr"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: `make prometheus` installs it on Debian")
def test_alerts_fire_when_they_should() -> None:
    """Prometheus accepts the rules, and each alert fires, and does not, as its cases say."""
    files = sorted(RULES.parent.glob("*.test.yml"))
    for command in (["check", "rules", "--lint-fatal", str(RULES)], ["test", "rules", *map(str, files)]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    cases = [
        case
        for file in files
        for test in yaml.safe_load(file.read_text("utf-8"))["tests"]
        for case in test.get("alert_rule_test", ())
    ]
    every = {alert["alert"] for alert in _alerts()}
    assert every == {case["alertname"] for case in cases if case.get("exp_alerts")}
    assert every == {case["alertname"] for case in cases if case.get("exp_alerts") == []}


def test_alertmanager_knows_what_it_has_told() -> None:
    """It writes that down every few seconds: killed, it would tell all of it again that it has not written down."""
    options = dict(word.partition("=")[::2] for word in FILE.services["alertmanager"]["command"])
    assert seconds(options["--data.maintenance-interval"]) <= 15


def test_grafana_finds_what_it_is_given() -> None:
    """The data source that dashboards name is provisioned, and the folder of dashboards is the one that is mounted."""
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "files.yml").read_text())["providers"]
    mounted = {mount.target: mount.path for mount in FILE.mounts("grafana")}
    folder = mounted[provider["options"]["path"]]
    assert folder is not None
    assert FOLDER == folder
    assert SOURCE_UID == source["uid"]
    assert "http://prometheus:9090" == source["url"]
