"""`scorestream web` as a process: it may start before the worker and before there are views, and outlive both."""

from __future__ import annotations

import socket
import sys
from types import FrameType

import uvicorn

from agents.access.provider import Client, Provider
from agents.records.database import Records
from agents.views.port import ViewsReader
from dashboards.web.app import create_app, wall_ms
from dashboards.web.gate import Demo, Store
from dashboards.web.languages import LANGUAGES, Language
from dashboards.web.web import Web

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
    records: Records | None = None,
    client: Client | None = None,
    public_url: str | None = None,
) -> int:
    """Serves until stopped; the exit code. Prints the address first.

    `port`: None or 0 for a free one; `language`: en or zh for all boards, None for what each browser prefers. Raises
    ValueError for a language that does not exist. `records`: where accounts are; None: a demo, whose boards are open.
    """
    chosen = _language(language)
    app = create_app(
        views,
        language=chosen,
        stale_seconds=stale_seconds,
        access=Demo(wall_ms) if records is None else Store(records, wall_ms),
        provider=None if client is None else Provider(client, wall_ms),
        public_url=public_url,
    )
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
