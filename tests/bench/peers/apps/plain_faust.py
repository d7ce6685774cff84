"""The job as one would write it in Faust: an agent per event, a windowed table in RocksDB, one send per update."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import faust

bootstrap, source, output, group, folder = sys.argv[1:6]
sys.argv[1:] = ["worker", "--without-web", "--loglevel", "warn"]

app = faust.App(
    group,
    broker=f"kafka://{bootstrap}",
    datadir=str(Path(folder) / group),
    store="rocksdb://?driver=rocksdict",
    broker_commit_interval=1.0,
    topic_partitions=8,
    topic_disable_leader=True,
)
events = app.topic(source, key_type=str, key_serializer="raw", value_serializer="json")
updates = app.topic(output, key_type=str, key_serializer="raw", value_serializer="json")
sums = app.Table("sums", default=lambda: [0, 0], partitions=8).tumbling(60.0)


async def count(stream: Any) -> None:
    """Adds each event to its employee's minute."""
    async for employee, event in stream.items():
        now = sums[employee].value()
        measures = event["measures"]
        now = [now[0] + measures["inspected"], now[1] + measures["accepted"]]
        sums[employee] = now
        at = stream.current_event.message.timestamp
        start = int(at // 60 * 60_000)
        await updates.send(key=employee, value={"start": start, "inspected": now[0], "accepted": now[1]})


app.agent(events)(count)

if __name__ == "__main__":
    Path(folder, group).mkdir(parents=True, exist_ok=True)
    app.main()
