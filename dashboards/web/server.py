"""`scorestream web` as a process: it may start before the worker and before there are views, and outlive both."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from agents.records.database import Records
from agents.transport.log import Log
from agents.views.port import ViewsReader
from dashboards.web.app import create_app
from dashboards.web.desk import Desk
from dashboards.web.evidence import Evidence, OpenLog
from dashboards.web.languages import LANGUAGES, Language
from dashboards.web.web import Web
from stream.pipeline import Limits

GRACE = 3  # seconds that open requests have when the process stops


class Server(uvicorn.Server):
    """Ends the streams when it is told to stop; they would keep the process alive otherwise."""

    def __init__(self, config: uvicorn.Config, web: Web) -> None:
        super().__init__(config)
        self._web = web

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGINT and SIGTERM: being stopped is how this process ends well, so the signal is not raised again."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._web.hub.close()


def run(
    views: ViewsReader,
    host: str,
    port: int | None,
    language: str | None,
    *,
    stale_seconds: int = 120,
    open_log: OpenLog | None = None,
    limits: Callable[[Log], Limits] | None = None,
    open_records: Callable[[], Records] | None = None,
    appeal_days: int = 7,
) -> int:
    """Serves until stopped; the exit code. Prints the address first.

    `port`: None or 0 for a free one; `language`: en or zh for all boards, None for what each browser prefers. Raises
    ValueError for a language that does not exist. `open_log` with `limits`, and `open_records`, are what pages of
    single events and of appeals need.
    """
    evidence = None if open_log is None or limits is None else Evidence(open_log, limits)
    desk = None if open_records is None else Desk(open_records)
    app = create_app(
        views, language=_language(language), stale_seconds=stale_seconds, evidence=evidence, desk=desk,
        appeal_days=appeal_days,
    )  # fmt: skip
    try:
        listener = _listen(host, port or 0)
    except OSError as error:
        sys.stderr.write(f"scorestream: {host}:{port}: {error.strerror}; choose another --port or --host\n")
        return 1
    with listener:
        sys.stdout.write(f"{address(host, listener.getsockname()[1])}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE, server_header=False,
            timeout_keep_alive=30,
        )  # fmt: skip
        Server(config, app.state.web).run(sockets=[listener])
    return 0


def address(host: str, port: int) -> str:
    """Where the boards are, as a link."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.set_inheritable(True)
    return listener


def _language(text: str | None) -> Language | None:
    for language in LANGUAGES:
        if text == language:
            return language
    if text is None:
        return None
    raise ValueError(f"language {text!r}: it must be one of {', '.join(LANGUAGES)}")
