"""The same job as one would write it in Faust: an agent per event, a table, JSON, one send per update.

Faust's own parts do the work (table, changelog, commit); only the broker underneath is the embedded log.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import faust

from agents.transport.embedded.driver import register, shared_log

EPOCH = 0
PANE = 60_000
KEPT = 20


def application(folder: Path, events: int, done: asyncio.Event) -> tuple[faust.App, Any, dict[str, float]]:
    """The app, its table, and when it began and ended."""
    register()
    app = faust.App(
        "plain", broker=f"embedded://{folder}", datadir=str(folder / "plain"), store="memory://", web_enabled=False,
        topic_disable_leader=True, broker_commit_interval=1.0, autodiscover=False,
    )  # fmt: skip
    source = app.topic(
        "qc-events", "business-events", value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw"
    )
    output = app.topic("plain-updates", value_serializer="json", key_serializer="raw", internal=True, partitions=4)
    table = app.Table("plain-scores", default=dict, partitions=4)
    times: dict[str, float] = {}

    async def score(stream: Any) -> None:
        seen = 0
        async for key, value in stream.items():
            if not seen:
                times["began"] = time.perf_counter()
                times["began cpu"] = time.process_time()
            state = table[key.decode()]
            if count(state, json.loads(value)):
                table[key.decode()] = state
                await output.send(key=key, value=rows(state))
            seen += 1
            if seen == events:
                times["ended"] = time.perf_counter()
                times["ended cpu"] = time.process_time()
                done.set()

    app.agent(source)(score)
    return app, table, times


async def _from_the_start(places: set[Any]) -> dict[Any, int]:
    return dict.fromkeys(places, 0)


def count(state: dict[str, Any], event: dict[str, Any]) -> bool:
    """Adds an event to the state of an employee; False for a repeated one."""
    ids = state.setdefault("ids", {})
    if event["event_id"] in ids:
        return False
    ids[event["event_id"]] = 1
    at = _millis(event["occurred_at"])
    name = event["dims"].get("stage") or "output"
    measures = event["measures"]
    good, of = (measures["accepted"], measures["inspected"]) if name != "output" else (measures["units"], 1)
    panes = state.setdefault(name, {})
    pane = panes.setdefault(str(at // PANE), [0, 0])
    pane[0] += good
    pane[1] += of
    for old in [number for number in panes if int(number) <= at // PANE - KEPT]:
        del panes[old]
    day = state.setdefault("day-" + name, [0, 0])
    day[0] += good
    day[1] += of
    return True


def rows(state: dict[str, Any]) -> dict[str, Any]:
    """What a screen would want: both windows of each indicator."""
    found = {}
    for name in ("semi_finished", "finished", "output"):
        panes = state.get(name, {}).values()
        found[name] = [sum(p[0] for p in panes), sum(p[1] for p in panes), state.get("day-" + name, [0, 0])]
    return found


def _millis(text: str) -> int:
    import datetime

    return int(datetime.datetime.fromisoformat(text).timestamp() * 1000)


async def run(folder: Path, events: int) -> tuple[float, float, dict[str, dict[str, Any]]]:
    """Seconds and CPU seconds for `events` events, and every employee's rows."""
    done = asyncio.Event()
    shared_log(folder).create_topic("plain-updates", 4)
    app, table, times = application(folder, events, done)
    app.transport.coalesce = ()
    app.transport.start_hook = _from_the_start
    await app.start()
    await done.wait()
    found = {str(key): rows(value) for key, value in table.items()}
    await app.stop()
    return times["ended"] - times["began"], times["ended cpu"] - times["began cpu"], found
