"""Who hears of which alert, and how often: the file that deploy/prepare.sh writes, asked by amtool and run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml

from tests.e2e.alert_sinks import Receiver, mail_server
from tests.e2e.alertmanager import REPEATS, WAITS, Alertmanager, quick
from tests.e2e.compose_file import seconds
from tests.e2e.compose_run import PREPARE
from tests.e2e.processes import ROOT
from tests.grafana.prometheus_server import until

pytestmark = pytest.mark.skipif(
    None in (shutil.which("openssl"), shutil.which("amtool"), shutil.which("prometheus-alertmanager")),
    reason="no openssl, or no prometheus-alertmanager: `make prometheus` installs it on Debian",
)
RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text("utf-8"))
MAIL = ("--mail-to", "hr@example.org", "--mail-from", "scores@example.org", "--mail-host", "mail:587")
ESCALATED = {"alertname": "ScoreAlertEscalated"}
SCORE = {"alertname": "ScoreAlert", "alert": "a1", "unit": "L1", "indicator": "yield", "rule": "drop"}


def _prepared(folder: Path, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = [str(PREPARE), *options, "http://127.0.0.1:9/service", str(folder / "secrets")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert code == done.returncode, done.stderr
    return done


def _written(folder: Path) -> str:
    return (folder / "secrets" / "alertmanager.yml").read_text("utf-8")


def _login(folder: Path) -> tuple[str, ...]:
    (folder / "password").write_text('a"b\\c&|\n')
    return ("--mail-user", "scores", "--mail-password-file", str(folder / "password"))


def _units(folder: Path) -> tuple[str, ...]:
    (folder / "units").write_text("shift@example.org L1\n\nstore@example.org Store 7 & café")
    return ("--units", str(folder / "units"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file in which everything is said that can be."""
    folder = tmp_path_factory.mktemp("alertmanager")
    scores = ("--scores", "https://scores.example.org/hook?a=1&b=2", "--boards", "https://boards.example.org/")
    _prepared(folder, *scores, *MAIL, *_login(folder), *_units(folder))
    return folder


@pytest.mark.parametrize("kind", ["without mail", "mail", "login", "units"])
def test_alertmanager_takes_what_is_written(tmp_path: Path, kind: str) -> None:
    """With mail or without, with a password, with units of their own: amtool accepts the file, and nothing is left."""
    options = {
        "without mail": (),
        "mail": MAIL,
        "login": (*MAIL, *_login(tmp_path)),
        "units": (*MAIL, *_units(tmp_path)),
    }
    _prepared(tmp_path, *options[kind])
    command = ["amtool", "check-config", str(tmp_path / "secrets" / "alertmanager.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    written = re.sub(r"^ *# .*", "", _written(tmp_path), flags=re.MULTILINE)
    assert None is re.search(r"@[A-Z_]+@|#(mail|login|units)", written)
    assert (kind != "without mail") == ("email_configs" in written)


def test_addresses_stand_where_they_belong(whole: Path) -> None:
    """Each address, the password and each unit come out of the file as they were said."""
    made = yaml.safe_load(_written(whole))
    assert ("mail:587", 'a"b\\c&|') == (made["global"]["smtp_smarthost"], made["global"]["smtp_auth_password"])
    receivers = {receiver["name"]: receiver for receiver in made["receivers"]}
    assert "http://127.0.0.1:9/service" == receivers["people"]["webhook_configs"][0]["url"]
    assert "https://scores.example.org/hook?a=1&b=2" == receivers["scores"]["webhook_configs"][0]["url"]
    mail = receivers["unit Store 7 & café"]["email_configs"][0]
    assert "store@example.org" == mail["to"]
    assert "hr@example.org" == receivers["scores-escalated"]["email_configs"][0]["to"]
    assert "https://boards.example.org{{ .CommonAnnotations.board }}" in mail["html"]


def _routed(folder: Path, labels: dict[str, str]) -> str:
    """The receiver of an alert with these labels."""
    words = ["amtool", "config", "routes", "test", "--config.file", str(folder / "secrets" / "alertmanager.yml")]
    words += [f"{name}={value}" for name, value in labels.items()]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"severity": "info", "unit": "L9"}, "scores"),
        ({"severity": "warning", "unit": "L9"}, "scores-mail"),
        ({"severity": "critical", "unit": "L9"}, "scores-mail"),
        ({"severity": "info", "unit": "L1"}, "scores"),
        ({"severity": "warning", "unit": "L1"}, "unit L1"),
        ({"severity": "critical", "unit": "Store 7 & café"}, "unit Store 7 & café"),
        ({"severity": "warning", "unit": "L1", "rule": "common_cause"}, "unit L1"),
        ({"severity": "strange", "unit": "L9"}, "scores"),
        ({"alertname": "ScoreAlertAcknowledged", "severity": "critical", "unit": "L1"}, "nobody"),
        ({"alertname": "ScoreAlertShelved", "severity": "critical", "unit": "L1"}, "nobody"),
        ({"alertname": "ScoreAlertEscalated", "severity": "critical", "unit": "L1"}, "scores-escalated"),
        ({"alertname": "ScoreAlertEscalated", "severity": "warning", "unit": "L9"}, "scores-escalated"),
    ],
)
def test_alerts_about_scores_go_by_severity_and_unit(whole: Path, labels: dict[str, str], receiver: str) -> None:
    """What is only to be known goes to the web hook; what wants an answer by mail too, to the unit's own address."""
    assert receiver == _routed(whole, SCORE | labels)


def test_alerts_of_the_service_go_to_those_who_keep_it(whole: Path) -> None:
    """Each rule that is not about a score leads to `people`, whatever its severity; nobody else hears of it."""
    rules = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
    service = {rule["alert"]: rule["labels"] for rule in rules if not rule["alert"].startswith("ScoreAlert")}
    assert len(service) >= 18
    assert {"people"} == {_routed(whole, {"alertname": name, **labels}) for name, labels in service.items()}
    assert "people" == _routed(whole, {"alertname": "SomethingNew"})


def test_an_episode_is_one_notification(whole: Path) -> None:
    """Alerts about scores are grouped by their id, on every way that they take, and repeated after a day or more."""
    escalated, route = (
        route for route in yaml.safe_load(_written(whole))["route"]["routes"] if route.get("group_by") == ["alert"]
    )
    assert [['alertname = "ScoreAlertEscalated"'], ['alertname = "ScoreAlert"']] == [
        escalated["matchers"], route["matchers"]
    ]  # fmt: skip
    assert not any("group_by" in below or below.get("continue") for below in route["routes"])
    repeats = [way["repeat_interval"] for way in (escalated, route, *route["routes"]) if "repeat_interval" in way]
    assert min(int(repeat.removesuffix("h")) for repeat in repeats) >= 24
    assert seconds(route["group_wait"]) >= 60  # the unit's alert is decided once a minute


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scores", "ftp://x"), "--scores: ftp://x is no address"),
        (("--mail-to", "hr"), "--mail-to: hr is no mail address"),
        (("--mail-to", "hr@example.org"), "--mail-from: nothing"),
        (("--escalate-to", "head@example.org"), "--mail-to: nothing"),
        ((*MAIL, "--escalate-to", "head"), "--escalate-to: head is no mail address"),
        ((*MAIL[:-1], "mail"), "--mail-host: mail is not HOST:PORT"),
        ((*MAIL, "--mail-user", "me"), "--mail-password-file must be there"),
        ((*MAIL, "--units", "/nowhere/at/all"), "cannot be read"),
        (("--sms", "1"), "--sms: no such option"),
    ],
)
def test_prepare_says_which_option_is_wrong(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    """An option that is misspelt, lacks another, or has a value that cannot be: it is named, and nothing is made."""
    assert said in _prepared(tmp_path, *options, code=2).stderr
    assert not (tmp_path / "secrets").exists()


@pytest.mark.parametrize("line", ["nobody L1", "a@example.org", 'a@example.org L"1', "a@example.org L\\1"])
def test_a_unit_that_cannot_be_named_is_refused(tmp_path: Path, line: str) -> None:
    """A line without a unit or an address, or with quotes in it; a file that was there is left as it was."""
    _prepared(tmp_path)
    before = _written(tmp_path)
    (tmp_path / "units").write_text(line + "\n")
    assert f"{tmp_path / 'units'}: " in _prepared(tmp_path, *MAIL, "--units", str(tmp_path / "units"), code=2).stderr
    assert before == _written(tmp_path)


class Told:
    """An Alertmanager that runs, and what it has told whom."""

    def __init__(self, server: Alertmanager, hook: Receiver, mailed: dict[str, EmailMessage]) -> None:
        self.mailed = mailed
        self._server = server
        self._hook = hook

    def told(self) -> Counter[str]:
        """How often the web hook heard of each alert; it hears of one at a time."""
        heard = self._hook.heard.get("/", ())
        assert all(len(each["alerts"]) == 1 for each in heard)
        return Counter(each["alerts"][0]["labels"]["alert"] for each in heard)

    def fire(self, *labels: dict[str, str]) -> None:
        """Alerts as Prometheus would send them; of L1 while a web process says where it is found."""
        self._server.fire([{"labels": each, "annotations": self._annotations(each)} for each in labels])

    def end(self, labels: dict[str, str]) -> None:
        """An alert is over."""
        self._server.fire([{"labels": labels, "endsAt": datetime.now(UTC).isoformat()}])

    @staticmethod
    def _annotations(labels: dict[str, str]) -> dict[str, str]:
        page = f"/alerts/{labels['alert']}"
        return {
            "summary": "L1: yield, drop",
            "summary_zh": "L1：良品率，下降",
            "description": "more",
            "description_zh": "详情",
            "page": f"https://scores.example.org{page}" if labels["unit"] == "L1" else page,
            "board": f"/board/{labels['unit']}",
        }


@contextmanager
def _running(folder: Path) -> Iterator[Told]:
    """A real Alertmanager with the file of this repository, whose minutes and days are seconds."""
    hook, mailed = Receiver(), dict[str, EmailMessage]()
    with ExitStack() as stack:
        hook.open()
        stack.callback(hook.close)
        mail = stack.enter_context(mail_server(mailed))
        to = (*MAIL[:-1], f"127.0.0.1:{mail}", "--mail-plain", "--escalate-to", "head@example.org", *_units(folder))
        _prepared(folder, "--scores", f"http://127.0.0.1:{hook.port}/", "--boards", "https://boards.example.org", *to)
        server = Alertmanager(folder / "alertmanager", quick(_written(folder), *WAITS, REPEATS))
        stack.callback(server.stop)
        server.start()
        yield Told(server, hook, mailed)


def test_what_somebody_sees_to_is_not_told_again(tmp_path: Path) -> None:
    """Alerts about scores are told one by one until acknowledged; a unit's alert stands for those of its people.

    What is shelved is told when it is so no more.
    """
    first, second = ({**SCORE, "severity": "warning", "alert": alert} for alert in ("a1", "a2"))
    unit = {**SCORE, "severity": "warning", "alert": "u3", "unit": "L3", "rule": "common_cause"}
    members = [{**SCORE, "severity": "warning", "alert": f"m{number}", "unit": "L3"} for number in range(3)]
    other = {**members[0], "alert": "o1", "indicator": "speed"}
    with _running(tmp_path) as alertmanager:

        def until_told(alert: str, times: int) -> None:
            wanted = alertmanager.told()[alert] + times
            until(lambda: alertmanager.told()[alert] >= wanted, alertmanager.told)

        shelved = {**other, "alert": "s1", "unit": "L4"}
        put_off = {**shelved, "alertname": "ScoreAlertShelved"}
        alertmanager.fire(first, second, unit, *members, other, put_off, shelved)
        for alert in ("a1", "a2", "u3", "o1"):
            until_told(alert, 2)
        assert {"a1", "a2", "u3", "o1"} == set(alertmanager.told())

        alertmanager.fire({**first, "alertname": "ScoreAlertAcknowledged"})
        until_told("a2", 2)  # what was on its way has arrived
        before = alertmanager.told()["a1"]
        until_told("a2", 2)
        assert (before, 0) == (alertmanager.told()["a1"], alertmanager.told()["s1"])
        alertmanager.fire(*({**SCORE, "severity": "critical", "alert": name} | ESCALATED for name in ("a1", "a9")))
        alertmanager.end(put_off)
        until_told("s1", 1)
        until(lambda: "head@example.org" in alertmanager.mailed, alertmanager.mailed.keys)
        until_told("a9", 2)
        assert before == alertmanager.told()["a1"]  # somebody has acknowledged it meanwhile

        until(lambda: {"shift@example.org", "hr@example.org"} <= alertmanager.mailed.keys(), alertmanager.mailed.keys)
        message = alertmanager.mailed["shift@example.org"]
        assert "warning: L1: yield, drop" == message["Subject"]
        mail = _html(message)
        assert '<a href="https://boards.example.org/board/L1">' in mail
        assert re.search(r'<a href="(https://scores.example.org/alerts/a[12])">\1</a>', mail)
        assert re.search(r"Since / 开始时间: 20\d\d-\d\d-\d\d \d\d:\d\d UTC", mail)
        assert "<p>more<br>详情</p>" in mail
        plain = " ".join(_part(message, "text/plain").split())
        assert "drop · L1：良品率，下降 · Since / 开始时间: 20" in plain
        assert re.search(r" UTC · https://scores.example.org/alerts/a[12]$", plain)
        # Where nobody says where pages are found, there they are sought where boards are.
        elsewhere = _html(alertmanager.mailed["hr@example.org"])
        assert re.search(r'<a href="(https://boards.example.org/alerts/(?:u3|o1|s1))">\1</a>', elsewhere)


def _html(message: EmailMessage) -> str:
    return _part(message, "text/html")


def _part(message: EmailMessage, kind: str) -> str:
    (page,) = (part.get_content() for part in message.walk() if part.get_content_type() == kind)
    return str(page)
