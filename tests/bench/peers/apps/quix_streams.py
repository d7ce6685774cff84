"""The job as one would write it in Quix Streams: a tumbling window in RocksDB, an update per event."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from quixstreams import Application
from quixstreams.dataframe.windows import Sum

bootstrap, source, output, group, folder, commit = sys.argv[1:7]

app = Application(
    broker_address=bootstrap,
    consumer_group=group,
    auto_offset_reset="earliest",
    state_dir=Path(folder) / group,
    commit_interval=float(commit),
    auto_create_topics=True,  # the changelog
    loglevel="WARNING",
)
events = app.topic(source, value_deserializer="json")
updates = app.topic(output, value_serializer="json")
frame = app.dataframe(events)
frame = frame.apply(lambda event: event["measures"])
frame = frame.tumbling_window(timedelta(minutes=1)).agg(inspected=Sum("inspected"), accepted=Sum("accepted")).current()
frame.to_topic(updates)

if __name__ == "__main__":
    app.run()
