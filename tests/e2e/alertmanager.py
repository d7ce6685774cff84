"""A real Alertmanager on loopback that a test may kill and start again: what it has told lies in its folder."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.e2e.processes import free_port
from tests.e2e.server_process import ServerProcess
from tests.grafana.prometheus_server import until

WAITS: Final = ("group_wait", "group_interval")
REPEATS: Final = "repeat_interval"
TELLS_LOG: Final = "nflog"  # the file in its folder that says what was told whom


def missing() -> str | None:
    """Why there is no Alertmanager with a file of deploy/prepare.sh here; None when there can be."""
    if shutil.which("openssl") is None:
        return "no openssl, which deploy/prepare.sh takes"
    return None if shutil.which("prometheus-alertmanager") else "no Alertmanager: `make prometheus` installs it"


def quick(config: str, *names: str) -> str:
    """A configuration in which these spans are a second each."""
    return re.sub(rf"({'|'.join(names)}): \w+", r"\1: 1s", config)


class Alertmanager(ServerProcess):
    """One server with its own folder and port. It writes down what it has told each second, beside when it stops."""

    def __init__(self, folder: Path, config: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("Alertmanager", folder / "log.txt")
        self.folder = folder
        self.port = free_port()
        self._config = folder / "alertmanager.yml"
        self._config.write_text(config, "utf-8")

    def start(self) -> None:
        """Starts it; returns when it answers."""
        command = [
            "prometheus-alertmanager", f"--config.file={self._config}", f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
            "--data.maintenance-interval=1s",
        ]  # fmt: skip
        self.launch(command, until="Listening on")
        until(self.ready, self.said)

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(self._url("-/ready"), timeout=5):
                return True
        except OSError:
            return False

    def fire(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Takes alerts, as Prometheus sends them."""
        headers = {"Content-Type": "application/json"}
        body = json.dumps(alerts).encode()
        with urllib.request.urlopen(urllib.request.Request(self._url("api/v2/alerts"), body, headers), timeout=10):
            pass

    def states(self, name: str) -> dict[str, str]:
        """The label `alert` of each alert of this name, and how it stands: active or suppressed."""
        with urllib.request.urlopen(self._url("api/v2/alerts"), timeout=10) as answer:
            alerts = json.load(answer)
        return {
            alert["labels"]["alert"]: alert["status"]["state"]
            for alert in alerts
            if alert["labels"]["alertname"] == name
        }

    def wrote_down(self, text: str) -> bool:
        """Whether what it has told somebody of this is in its folder, and would outlast a SIGKILL."""
        path = self.folder / "data" / TELLS_LOG
        return path.exists() and text.encode() in path.read_bytes()

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"
