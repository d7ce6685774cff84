"""An installation on this machine: what `docker compose up`, `run`, `down` do, with processes instead of containers."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.e2e import kafka_broker, redis_server
from tests.e2e.compose_file import ComposeFile, seconds
from tests.e2e.compose_local import LocalHost
from tests.e2e.processes import ROOT

# Grafana is in no Debian: its provisioning is checked as files, its queries on the Prometheus that runs.
NOT_HERE: Final = frozenset(("grafana",))
PATIENCE: Final = 90.0  # s until healthy, on a machine that is busy
_PAUSE: Final = 0.8  # s between two health checks, which start a program each
PREPARE: Final = ROOT / "deploy" / "prepare.sh"


def missing() -> str | None:
    """Why no installation can be started here; None when one can."""
    if reason := kafka_broker.missing(secured=True) or redis_server.missing():
        return reason
    absent = [name for name in ("prometheus", "prometheus-alertmanager", "wget") if shutil.which(name) is None]
    return f"no {absent[0]}: `make prometheus` installs it on Debian" if absent else None


def prepare(folder: Path, webhook: str = "http://127.0.0.1:9/alerts") -> Path:
    """The secrets of an installation, by the script that makes them."""
    done = subprocess.run([PREPARE, webhook, folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder


class Installation:
    """docker-compose.yml, with everything below `folder`. Volumes outlast `down`, as those of Docker do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        secrets = prepare(folder / "secrets")
        self.file = ComposeFile({"SCORESTREAM_SECRETS": str(secrets)})
        self.local = LocalHost(self.file, folder)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.services = {
            name for name, service in self.file.services.items() if name not in NOT_HERE and "profiles" not in service
        }

    def up(self) -> None:
        """Starts every service after those that it depends on; returns when all health checks are green."""
        for name, healthy in self.file.order(self.services):
            for other in sorted(healthy):
                self._wait_healthy(other)
            self._start(name)
        for name in sorted(self.services):
            self._wait_healthy(name)

    def down(self) -> dict[str, int]:
        """SIGTERM to every service once those that depend on it have ended; the exit codes. Compose does it so too."""
        codes: dict[str, int] = {}
        while self.running:
            leaves = [name for name in self.running if not self.file.dependants(name) & self.running.keys()]
            for name in leaves:
                self.running[name].send_signal(signal.SIGTERM)
            for name in leaves:
                codes[name] = self.running[name].wait(seconds(self.file.services[name]["stop_grace_period"]))
                del self.running[name]
        return codes

    def kill(self) -> None:
        """Whatever still runs ends at once."""
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running.clear()

    def run(self, *words: str, given: str | None = None, code: int = 0) -> str:
        """`docker compose run --rm tools WORDS`; its output. AssertionError when it ends otherwise."""
        done = subprocess.run(
            [*self.local.command("tools", self.file.command("tools")), *words],
            env=self.local.environment("tools"), input=given, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def execute(self, service: str, *words: str) -> str:
        """`docker compose exec SERVICE scorestream WORDS`; what it prints."""
        done = subprocess.run(
            self.local.command(service, ["scorestream", *words]), env=self.local.environment(service),
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, service: str, port: str, path: str, token: str | None = None, **query: str) -> Any:
        """What a service answers over HTTP, from JSON, to who shows a token."""
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        url = f"http://127.0.0.1:{self.local.port(service, port)}{path}{asked}"
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"} if token else {})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def said(self, name: str) -> str:
        """The end of a service's log."""
        return self._log(name).read_text("utf-8", "replace")[-4_000:]

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.txt"

    def _start(self, name: str) -> None:
        self.local.write_configuration(name)
        with self._log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.local.command(name, self.file.command(name)), env=self.local.environment(name), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _wait_healthy(self, name: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._healthy(name):
            code = self.running[name].poll()
            assert code is None, f"{name} ended with {code}: {self.said(name)}"
            assert time.monotonic() < deadline, f"{name} is not healthy after {PATIENCE:g} s: {self.said(name)}"
            time.sleep(_PAUSE)

    def _healthy(self, name: str) -> bool:
        check = self.file.services[name]["healthcheck"]
        try:
            done = subprocess.run(
                self.local.healthcheck(name), env=self.local.environment(name), timeout=seconds(check["timeout"]),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0
