"""The job as one would write it in PyFlink: SQL over a tumbling window, state in RocksDB, a checkpoint each second.

A window is told once, when it closes; there are no updates before.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

bootstrap, source, output, group, folder, connector = sys.argv[1:7]

settings = Configuration()
for name, value in {
    "pipeline.jars": Path(connector).as_uri(),
    "parallelism.default": "1",
    "state.backend.type": "rocksdb",
    "execution.checkpointing.incremental": "true",
    "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.dir": (Path(folder) / group / "checkpoints").as_uri(),
    "taskmanager.memory.managed.size": "256 mb",
    "io.tmp.dirs": folder,
    "table.local-time-zone": "UTC",
}.items():
    settings.set_string(name, value)
table = TableEnvironment.create(
    EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(settings).build()
)
table.execute_sql(f"""
    CREATE TABLE events (
        employee STRING,
        `measures` ROW<inspected BIGINT, accepted BIGINT>,
        stamp TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
        WATERMARK FOR stamp AS stamp
    ) WITH (
        'connector' = 'kafka', 'topic' = '{source}', 'properties.bootstrap.servers' = '{bootstrap}',
        'properties.group.id' = '{group}', 'scan.startup.mode' = 'earliest-offset',
        'key.format' = 'raw', 'key.fields' = 'employee',
        'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'
    )""")
table.execute_sql(f"""
    CREATE TABLE updates (employee STRING, `start` BIGINT, inspected BIGINT, accepted BIGINT) WITH (
        'connector' = 'kafka', 'topic' = '{output}', 'properties.bootstrap.servers' = '{bootstrap}',
        'key.format' = 'raw', 'key.fields' = 'employee',
        'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'
    )""")
table.execute_sql("""
    INSERT INTO updates
    SELECT
        employee,
        UNIX_TIMESTAMP(DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss')) * 1000,
        SUM(`measures`.inspected),
        SUM(`measures`.accepted)
    FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(stamp), INTERVAL '1' MINUTE))
    GROUP BY employee, window_start, window_end""").wait()
