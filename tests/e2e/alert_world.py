"""From a worker to whoever hears of its alerts, on loopback: real processes, each of which a test may kill.

Rules and routing are this repository's. What takes minutes there takes a second here, and an open alert is told to
Alertmanager every ten seconds instead of every minute, so that one that has lost its memory knows of it soon.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from agents.cli.opening import existing_log
from agents.settings import Settings
from agents.told import latest_alerts
from schemas.alerts import AlertRow
from schemas.instants import format_rfc3339
from tests.e2e import alertmanager
from tests.e2e.alert_sinks import Receiver
from tests.e2e.alertmanager import WAITS, Alertmanager, quick
from tests.e2e.compose_run import PREPARE
from tests.e2e.kafka_workers import WorkerProcess
from tests.e2e.processes import call, free_port
from tests.grafana import prometheus_server
from tests.grafana.prometheus_server import DEPLOY, Prometheus, Target, configuration, until

FIRING, RESOLVED = "firing", "resolved"  # how an alert stands, in Alertmanager's words
Told = Counter[tuple[str, str]]  # alert id, firing or resolved
Row = dict[str, Any]
SCORES, SERVICE = "/scores", "/service"  # where the receiver is told what
PARTITIONS: Final = 2
_TEMPLATE: Final = """
template: line-yield
version: 1
effective_from: 2026-01-01T00:00:00Z
timezone: UTC
applies_to: everyone
title: {zh: 良品率, en: Yield}
indicators:
  - id: yield
    name: {zh: 良品率, en: Yield}
    definition: {zh: 合格比例, en: accepted / inspected}
    dimension: performance
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.95
    weight: 1
    windows: [day]
    alerts: [{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}, severity: warning}]
    next_step: {zh: 请查看生产记录, en: Check the production record}
"""


def missing() -> str | None:
    """Why the whole way cannot be gone here; None when it can."""
    return prometheus_server.missing() or alertmanager.missing()


class AlertWorld:
    """A log with a template, a worker that Prometheus scrapes, and who is told; people are made up as tests go on."""

    def __init__(self, broker: str, folder: Path, keep_firing: str, quickly: tuple[str, ...]) -> None:
        self.broker = broker
        self.folder = folder
        self.receiver = Receiver()
        self.receiver.open()
        port = free_port()
        self.worker = WorkerProcess(
            broker, folder / "worker", "--port", str(port), "--partitions", str(PARTITIONS),
            "--kafka-session-timeout", "6",
        )  # fmt: skip
        self.alertmanager = Alertmanager(folder / "alertmanager", self._routing(*WAITS, *quickly))
        rules = folder / "rules.yml"
        rules.write_text(_kept_firing(keep_firing))
        targets = {"scorestream-worker": [Target(port, "/metrics", "worker-1")]}
        config = configuration(targets, rules=rules, alertmanager=self.alertmanager.port)
        self.prometheus = Prometheus(folder / "prometheus", config, "--rules.alert.resend-delay=10s")
        self._metrics = f"http://127.0.0.1:{port}/metrics"
        self._settings = Settings.load({}, {"broker": broker})
        self._events = 0

    def _routing(self, *quickly: str) -> str:
        """The file that deploy/prepare.sh writes, in which these spans are a second each."""
        here = f"http://127.0.0.1:{self.receiver.port}"
        words = [str(PREPARE), "--scores", here + SCORES, here + SERVICE, str(self.folder / "secrets")]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert 0 == done.returncode, done.stderr
        return quick((self.folder / "secrets" / "alertmanager.yml").read_text("utf-8"), *quickly)

    def start(self) -> None:
        """Everything runs, and the worker has been scraped."""
        template = self.folder / "line-yield.yaml"
        template.write_text(_TEMPLATE)
        self.worker.start()
        self.alertmanager.start()
        self.prometheus.start()
        self.worker.wait_scoring()
        call("templates", "publish", str(template), "--broker", self.broker)
        self.until_scraped()

    def close(self) -> None:
        """Ends everything."""
        self.worker.close()
        self.prometheus.kill()
        self.alertmanager.kill()
        self.receiver.close()

    # What happens in the plant

    def drop(self, *people: str) -> None:
        """Ten bad pieces each: an alert for whoever has none open."""
        self._work(people, 10, 0)

    def recover(self, *people: str) -> None:
        """A hundred good pieces each: whatever was open is over."""
        self._work(people, 100, 100)

    def drop_long_ago(self, person: str) -> None:
        """Somebody's history is imported, with a drop of two hours ago in it."""
        self._work([person], 10, 0, ago=7_200_000)

    def _work(self, people: tuple[str, ...] | list[str], inspected: int, accepted: int, ago: int = 0) -> None:
        now = time.time_ns() // 1_000_000 - ago
        lines = [self._event(person, now, inspected, accepted) for person in people]
        path = self.folder / "events.ndjson"
        path.write_text("\n".join(lines) + "\n")
        call("send", str(path), "--broker", self.broker, *(["--event-time"] if ago else []))

    def _event(self, person: str, at: int, inspected: int, accepted: int) -> str:
        self._events += 1
        event = {
            "event_id": f"{person}:{self._events}",
            "type": "qc.inspection",
            "employee_id": person,
            "occurred_at": format_rfc3339(at),
            "source": "line",
            "measures": {"inspected": inspected, "accepted": accepted},
            "dims": {"line": f"Line of {len(person)}"},
        }
        return json.dumps(event)

    def answer(self, alert: str, *words: str) -> None:
        """Somebody does something about an alert, as `scorestream alerts` has it: ack, clear, shelve --for 1h."""
        action, *options = words
        call("alerts", action, alert, *options, "--reason", "seen to", "--broker", self.broker)

    # What people see of it

    def rows(self) -> list[Row]:
        """Every alert that was ever raised, as `scorestream alerts` has it."""
        said = call("alerts", "list", "--all", "--format", "ndjson", "--broker", self.broker)
        return [json.loads(line) for line in said.splitlines()]

    def alerts(self, person: str) -> list[AlertRow]:
        """Somebody's alerts, the newest last."""
        with existing_log(self._settings) as log:
            rows = [row for row in latest_alerts(log).values() if row.employee_id == person]
        return sorted(rows, key=lambda row: row.raised_at)

    def until_raised(self, person: str, number: int = 1) -> AlertRow:
        """Somebody has so many alerts, and whether the newest is told is decided."""

        def raised() -> bool:
            alerts = self.alerts(person)
            return len(alerts) == number and alerts[-1].notify is not None

        until(raised, self.worker.said)
        return self.alerts(person)[-1]

    def until_told(self, person: str, number: int = 1) -> str:
        """The receiver has heard of somebody's newest alert, of so many; its id."""
        alert = self.until_raised(person, number).alert_id
        until(lambda: self.told()[alert, FIRING] > 0, lambda: (alert, self.told(), self.alertmanager.said()))
        return alert

    def told(self) -> Told:
        """How often the receiver of scores heard of each alert in which state; it hears of one at a time."""
        heard = self.receiver.heard.get(SCORES, [])
        assert all(len(each["alerts"]) == 1 for each in heard), heard
        return Counter((a["labels"]["alert"], a["status"]) for each in heard for a in each["alerts"])

    def metrics(self) -> str:
        """What the worker tells Prometheus."""
        with urllib.request.urlopen(self._metrics, timeout=5) as answer:
            return str(answer.read().decode())

    # What Prometheus sees

    def until_scraped(self) -> None:
        """It has the worker."""
        until(lambda: self._found('up{job="scorestream-worker"} == 1'), self.prometheus.said)

    def shown(self, alert: str) -> bool:
        """Whether the worker's last scrape had an alert."""
        return self._found(f'scorestream_score_alert{{alert="{alert}"}}')

    def fires(self, alert: str) -> bool:
        """Whether the rule fires for it, as of the last evaluation."""
        return self._found(f'ALERTS{{alertname="ScoreAlert", alertstate="firing", alert="{alert}"}}')

    def until_evaluated(self, times: int = 2) -> None:
        """The rules about scores have been looked at again, so many times."""
        for _ in range(times):
            before = self._evaluated()
            until(lambda before=before: self._evaluated() != before, self.prometheus.said)  # type: ignore[misc]

    def _evaluated(self) -> str:
        groups = self.prometheus.ask("rules")["groups"]
        return next(str(group["lastEvaluation"]) for group in groups if group["name"] == "scorestream_scores")

    def _found(self, query: str) -> bool:
        return bool(self.prometheus.ask("query", query=query)["result"])

    # What must hold

    def settled(self, person: str) -> None:
        """A later alert, somebody else's, has gone all the way: what was on its way before it has arrived too."""
        self.drop(person)
        self.until_told(person)
        self.until_evaluated()

    def violations(self) -> list[str]:
        """I3, as the receiver has it: each alert that `scorestream alerts` calls told, once, and no other."""
        rows, told = self.rows(), self.told()
        wanted = Counter({(row["alert_id"], FIRING): 1 for row in rows if row["notify"]})
        over = {row["alert_id"] for row in rows if row["notify"] and row["cleared_at"]}
        firing = Counter({key: number for key, number in told.items() if key[1] == FIRING})
        resolved = Counter({key[0]: number for key, number in told.items() if key[1] == RESOLVED})
        found = [f"told and not raised, or too often: {key}" for key in firing - wanted]
        found += [f"raised and not told: {key}" for key in wanted - firing]
        found += [f"told as over {resolved[alert]} times: {alert}" for alert in resolved if resolved[alert] > 1]
        found += [f"told as over while it is open: {alert}" for alert in resolved.keys() - over]
        return found + self._names(rows) + self._misrouted()

    def _names(self, rows: list[Row]) -> list[str]:
        """Where somebody can be recognized."""
        places = {"/metrics": self.metrics(), "a notification": json.dumps(self.receiver.heard)}
        words = {str(row[field]) for row in rows for field in ("employee_id", "first_event", "last_event")}
        return [f"{word} in {place}" for place, text in places.items() for word in words if word in text]

    def _misrouted(self) -> list[str]:
        """Alerts about scores that those who keep the service hear of."""
        heard = self.receiver.heard.get(SERVICE, [])
        names = {alert["labels"]["alertname"] for each in heard for alert in each["alerts"]}
        return [f"{name} went to {SERVICE}" for name in names if name.startswith("ScoreAlert")]


def _kept_firing(span: str) -> str:
    """The rules of this repository, which keep alerts firing for another span."""
    changed, times = re.subn(r"keep_firing_for: \w+", f"keep_firing_for: {span}", (DEPLOY / "rules.yml").read_text())
    assert times == 3
    return changed


@contextmanager
def alert_world(broker: str, folder: Path, keep_firing: str = "10m", *quickly: str) -> Iterator[AlertWorld]:
    """A world that runs, and is ended at the end; `quickly`: more spans of the routing that are a second."""
    world = AlertWorld(broker, folder, keep_firing, quickly)
    try:
        world.start()
        yield world
    finally:
        world.close()
