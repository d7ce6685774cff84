"""Faust on Kafka: the transport that joins the group of workers. The application and it share one KafkaLog."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

import faust
from faust.transport import base, drivers

from agents.transport.hooks import Hooks
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.faust_internals import Consumer, Producer, TableManager, demand_versions
from agents.transport.kafka.log import KafkaLog
from agents.transport.kafka.member import Pace

SCHEME: Final = "scorestream-kafka"
_newest: Final[list[tuple[KafkaLog, str]]] = []  # the log and the worker's name of the application to be made


def faust_options(log: KafkaLog, instance: str) -> dict[str, Any]:
    """What Faust's application needs to work on this log as the worker of this name. LogError for another Faust."""
    demand_versions()
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
    _newest[:] = [(log, instance)]
    return {
        "broker": f"{SCHEME}://log",
        "TableManager": TableManager,
        "stream_wait_empty": False,  # chunks in hand are read again; the commit before the stop is the application's
    }


class Transport(base.Transport):  # type: ignore[misc]  # faust is untyped here
    """The application calls `serve` on `app.transport` before the app starts, and sets `leave` before it stops."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer

    driver_version = "aiokafka"
    default_port = 0

    hooks: Hooks
    leave = False  # whether the stop is for good: the others take over at once

    def __init__(self, url: list[Any], app: faust.App, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(url, app, loop)
        log, self.instance = _newest[0]
        self.cluster: Cluster = log.cluster
        self.pace = Pace()

    def serve(self, hooks: Hooks, *, chunk_records: int) -> None:
        """The application's hooks, and how many records a round of chunks has at most."""
        self.hooks = hooks
        self.pace = Pace(most=chunk_records)
