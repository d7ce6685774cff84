"""The job as one would write it in Bytewax: a stateful map whose state is kept in SQLite, an update per event."""

from __future__ import annotations

import json
import os
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

bootstrap, source, output = os.environ["PEER"].split()


def parsed(message: Any) -> tuple[str, tuple[int, int, int]]:
    """Employee, and the window's start with the units that were inspected and accepted."""
    measures = json.loads(message.value)["measures"]
    at = message.timestamp[1]
    return message.key.decode(), (at - at % 60_000, measures["inspected"], measures["accepted"])


def added(state: Any, event: tuple[int, int, int]) -> Any:
    """The minute's sums with one event more; a new minute begins anew."""
    start, inspected, accepted = event
    if state is not None and state[0] == start:
        inspected, accepted = state[1] + inspected, state[2] + accepted
    return (start, inspected, accepted), (start, inspected, accepted)


def update(told: tuple[str, tuple[int, int, int]]) -> KafkaSinkMessage[bytes, bytes]:
    """What goes out."""
    employee, (start, inspected, accepted) = told
    value = json.dumps({"start": start, "inspected": inspected, "accepted": accepted})
    return KafkaSinkMessage(employee.encode(), value.encode())


flow = Dataflow("peer")
read = kop.input("read", flow, brokers=[bootstrap], topics=[source], tail=True)
events = op.map("parse", read.oks, parsed)
sums = op.stateful_map("sums", events, added)
kop.output("write", op.map("update", sums, update), brokers=[bootstrap], topic=output)
