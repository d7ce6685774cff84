"""A real Prometheus on loopback with this repository's configuration and rules, and pages for it to scrape."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.e2e.processes import ROOT, free_port
from tests.e2e.server_process import ServerProcess

DEPLOY: Final = ROOT / "deploy" / "prometheus"
PATIENCE: Final = 60.0  # s, on a machine that is busy
_EVERY: Final = "1s"


def missing() -> str | None:
    """Why there is no Prometheus here; None when there is."""
    return None if shutil.which("prometheus") else "no prometheus: `make prometheus` installs it on Debian"


def until(condition: Callable[[], bool], why: Callable[[], object]) -> None:
    """Waits for a condition; AssertionError that says why when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


@contextmanager
def pages(texts: Mapping[str, Callable[[], str]]) -> Iterator[int]:
    """Serves each text at its path on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = texts[self.path]().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Target(NamedTuple):
    """Something to scrape, by the name that it has as an instance and a worker."""

    port: int
    path: str
    name: str


def configuration(
    targets: Mapping[str, Sequence[Target]], *, rules: Path = DEPLOY / "rules.yml", alertmanager: int | None = None
) -> str:
    """deploy/prometheus/prometheus.yml with a short beat, and with these on loopback as the targets of its jobs.

    Without the port of an Alertmanager its alerts go nowhere.
    """
    made = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    made["global"] = {"scrape_interval": _EVERY, "scrape_timeout": _EVERY, "evaluation_interval": _EVERY}
    made["rule_files"] = [str(rules)]
    if alertmanager is None:
        del made["alerting"]
    else:
        made["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
    made["scrape_configs"] = [job for job in made["scrape_configs"] if job["job_name"] in targets]
    assert len(targets) == len(made["scrape_configs"]), "a job of deploy/prometheus/prometheus.yml has another name"
    for job in made["scrape_configs"]:
        job["static_configs"] = [
            {
                "targets": [f"127.0.0.1:{target.port}"],
                "labels": {"__metrics_path__": target.path, "instance": target.name, "worker": target.name},
            }
            for target in targets[job["job_name"]]
        ]
    return str(yaml.safe_dump(made))


class Prometheus(ServerProcess):
    """One server with its own folder, which a test may kill and start again on the same data and port."""

    def __init__(self, folder: Path, config: str, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("Prometheus", folder / "log.txt")
        (folder / "prometheus.yml").write_text(config, "utf-8")
        self._port = free_port()
        self._command = [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}", *options,
        ]  # fmt: skip

    def start(self) -> None:
        """Starts it; returns when it answers."""
        self.launch(self._command, until="Server is ready")

    def ask(self, path: str, **query: str) -> Any:
        """What its API answers, the data alone."""
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from None


@contextmanager
def running(folder: Path, config: str) -> Iterator[Prometheus]:
    """A Prometheus with this configuration, ended at the end by its process id."""
    server = Prometheus(folder, config)
    try:
        server.start()
        yield server
    finally:
        server.stop()
