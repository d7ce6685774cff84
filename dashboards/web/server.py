"""`scorestream web` as a process: it may start before the worker and before there are views, and outlive both."""

from __future__ import annotations

import gc
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from agents.access.signing_in import Client, Provider
from agents.intake.intake import Intake
from agents.records.database import Records
from agents.transport.log import Log
from agents.views.port import ViewsReader
from dashboards.web.acting import Acting
from dashboards.web.app import create_app, wall_ms
from dashboards.web.cast import Cast
from dashboards.web.desk import Desk
from dashboards.web.evidence import Evidence, OpenLog
from dashboards.web.gate import Closed, Demo, Gate, Store
from dashboards.web.hosts import Hosts
from dashboards.web.intake import MOST_LINES
from dashboards.web.languages import LANGUAGES, Language
from dashboards.web.planning import Planning
from dashboards.web.rates import Rates
from dashboards.web.web import Web
from dashboards.web.wire import Wire
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
    intake: Intake | None = None,
    records: Callable[[], Records] | None = None,
    request_rate: int | None = None,
    intake_rate: int | None = None,
    open_log: OpenLog | None = None,
    limits: Callable[[Log], Limits] | None = None,
    appeal_days: int = 7,
    accounts: Records | None = None,
    client: Client | None = None,
    public_url: str | None = None,
    demo: bool = False,
) -> int:
    """Serves until stopped; the exit code. Prints the address first.

    `port`: None or 0 for a free one; `language`: en or zh for all boards, None for what each browser prefers.
    `accounts`: where they are. `demo`: boards are open, and visitors may be any of the accounts, if there are
    any. `intake` and `records`: see create_app; the rates
    are requests and events a second of each client, None for no limit. `open_log` with `limits` are what pages of
    single events need. Raises ValueError for a language that does not exist.
    """
    chosen = _language(language)
    app = create_app(
        views,
        language=chosen,
        stale_seconds=stale_seconds,
        intake=intake,
        records=records,
        rates=Rates.of(request_rate, intake_rate, time.monotonic, least=MOST_LINES),
        evidence=None if open_log is None or limits is None else Evidence(open_log, limits),
        desk=None if records is None else Desk(records),
        appeal_days=appeal_days,
        acting=Acting(open_log, wall_ms),
        planning=Planning(open_log, wall_ms),
        access=_gate(accounts, demo, records),
        provider=None if client is None else _provider(client),
        public_url=public_url,
        hosts=Hosts(public_url, local=demo),
    )
    try:
        listener = _listen(host, port or 0)
    except OSError as error:
        sys.stderr.write(f"scorestream: {host}:{port}: {error.strerror}; choose another --port or --host\n")
        return 1
    with listener:
        sys.stdout.write(f"{address(host, listener.getsockname()[1])}\n")
        sys.stdout.flush()
        _keep_answering()
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE, server_header=False,
            timeout_keep_alive=30, http=Wire,
        )  # fmt: skip
        Server(config, app.state.web).run(sockets=[listener])
    return 0


def _gate(accounts: Records | None, demo: bool, records: Callable[[], Records] | None) -> Gate:
    if accounts is None:
        return Demo(wall_ms, records) if demo else Closed(wall_ms)
    return Cast(accounts, wall_ms) if demo else Store(accounts, wall_ms)


def _provider(client: Client) -> Provider:
    from agents.access.provider import OpenId  # not where nobody signs in: it takes long to load

    return OpenId(client, wall_ms)


def _keep_answering() -> None:
    """Screens wait for no batch. A garbage collection that looked at all that is there from the start stopped the loop
    for 90 ms; and a thread that computes gives the interpreter away after 1 ms, not 5.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)


def address(host: str, port: int) -> str:
    """Where the boards are, as a link."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.set_inheritable(True)
    # Connections inherit it. Without it the second piece of an answer waits for the reader's delayed acknowledgement of
    # the first, 40 ms: asyncio sets it on sockets only that say TCP themselves, which those of a listener do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _language(text: str | None) -> Language | None:
    for language in LANGUAGES:
        if text == language:
            return language
    if text is None:
        return None
    raise ValueError(f"language {text!r}: it must be one of {', '.join(LANGUAGES)}")
