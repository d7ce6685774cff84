"""Every metric of the worker is declared here once: name, help, labels. Base units, one prefix."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram", "summary"]


class Name(NamedTuple):
    """A metric family. Counters end in `_total` on the wire."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


RECORDS: Final = Name(
    "scorestream_records",
    "counter",
    "Records of the input topics by how they ended; the reason is empty unless rejected. Durable.",
    ("outcome", "reason"),
)
LAG: Final = Name("scorestream_lag_records", "gauge", "Records in the log not applied yet.", ("topic", "partition"))
COMMIT_TIME: Final = Name("scorestream_last_commit_timestamp_seconds", "gauge", "When the last commit ended.")
COMMIT_SECONDS: Final = Name("scorestream_commit_seconds", "histogram", "How long commits take.")
COMMIT_FAILURES: Final = Name("scorestream_commit_failures", "counter", "Commits put off: disk full or log busy.")
CHUNK_RECORDS: Final = Name("scorestream_chunk_records", "histogram", "Records per chunk.", ("topic",))
STEP_SECONDS: Final = Name("scorestream_step_seconds", "histogram", "Time to apply a chunk.", ("topic",))
EMPLOYEES_WRITTEN: Final = Name("scorestream_states_written", "counter", "Employee states written by commits.")
EMPLOYEES_CACHED: Final = Name("scorestream_cached_employees", "gauge", "Employee states in memory.", ("partition",))
HELD: Final = Name("scorestream_held_records", "gauge", "Records waiting for a template.")
OWED: Final = Name("scorestream_owed_updates", "gauge", "Employees whose score update is due.", ("partition",))
STATE_BYTES: Final = Name("scorestream_state_bytes", "gauge", "Local state on disk.", ("partition",))
LATENCY: Final = Name(
    "scorestream_event_to_score_seconds",
    "summary",
    "From an event's log time to the commit with its score update, by quantile over the last samples.",
    ("quantile",),
)
TICK_TIME: Final = Name("scorestream_newest_tick_timestamp_seconds", "gauge", "The newest tick: the boards' now.")
EVENT_TIME: Final = Name(
    "scorestream_newest_event_timestamp_seconds", "gauge", "The newest occurred_at of a scored event."
)
VIEWS_UP: Final = Name("scorestream_views_up", "gauge", "Whether the last write to the views of boards went through.")
VIEWS_TIME: Final = Name(
    "scorestream_views_written_timestamp_seconds", "gauge", "When views were last written; boards are as old."
)
VIEWS_FAILURES: Final = Name("scorestream_views_failures", "counter", "Writes to the views that failed.")
VIEWS_REBUILDS: Final = Name(
    "scorestream_views_rebuilds", "counter", "Times the views were built from the log's start."
)

SCORING: Final = Name(
    "scorestream_scoring",
    "gauge",
    "1 while the worker scores; 0 while it starts, waits to do so again, or stands still.",
)
LIVES: Final = Name(
    "scorestream_lives", "counter", "Times the worker began to score; each but the first after a failure."
)

SCORE_KEYS: Final = ("unit", "template", "indicator", "window")
UNIT_SCORE: Final = Name(
    "scorestream_unit_score", "gauge", "A unit's pooled value; of a rate a ratio from 0 to 1.", SCORE_KEYS
)
UNIT_SAMPLE: Final = Name("scorestream_unit_sample", "gauge", "How many stand behind a unit's rate.", SCORE_KEYS)
UNIT_MEMBERS: Final = Name("scorestream_unit_members", "gauge", "People who belong to the unit itself.", ("unit",))
UNIT_PEOPLE: Final = Name(
    "scorestream_unit_people", "gauge", "People who belong to the unit, or to one that belongs to it.", ("unit",)
)
SCORE_ALERT: Final = Name(
    "scorestream_score_alert",
    "gauge",
    "1 for each open alert that people are notified of; alert is an id that names nobody.",
    ("alert", "unit", "indicator", "rule", "severity", "state"),
)
ALERT_ESCALATED: Final = Name(
    "scorestream_score_alert_escalated",
    "gauge",
    "1 for each of these that nobody had acknowledged in time; severity is still the template's.",
    ("alert", "unit", "indicator", "rule", "severity"),
)
ALERT_KEYS: Final = ("unit", "rule", "severity")
ALERTS_RAISED: Final = Name("scorestream_alerts_raised", "counter", "Alerts raised.", ALERT_KEYS)
ALERTS_CLEARED: Final = Name("scorestream_alerts_cleared", "counter", "Alerts whose reason was over.", ALERT_KEYS)
ALERTS_ACKNOWLEDGED: Final = Name(
    "scorestream_alerts_acknowledged", "counter", "Alerts that somebody has acknowledged.", ALERT_KEYS
)
ALERTS_REVIEWED: Final = Name(
    "scorestream_alerts_reviewed",
    "gauge",
    "Alerts that somebody found right or wrong: the last word of each person on each of them. Durable.",
    ("unit", "rule", "verdict"),
)
ACKNOWLEDGE_SECONDS: Final = Name(
    "scorestream_alert_acknowledge_seconds", "histogram", "From an alert until it is acknowledged.", ("severity",)
)
YIELD: Final = Name(
    "scorestream_yield",
    "histogram",
    "Values of a unit's members as they stand: a distribution of this moment, not a count of what happened.",
    ("unit", "indicator"),
)
YIELD_BUCKETS: Final = (0.7, 0.8, 0.9, 0.95, 0.98, 1.0)  # few: each is a series of every unit and rate
FUNNEL_OUTSIDE: Final = Name(
    "scorestream_funnel_outside",
    "gauge",
    "Members of a unit below the funnel's limit: warn 95 %, act 99.9 %.",
    ("unit", "indicator", "limit"),
)
DRIFT_MEMBERS: Final = Name(
    "scorestream_drift_members",
    "gauge",
    "Members of a unit whose drift statistic is above half of its height.",
    ("unit", "indicator"),
)
SKEWED: Final = Name(
    "scorestream_skewed_records", "counter", "Records stamped in the future, within what is tolerated."
)
LOOP_BLOCKED: Final = Name(
    "scorestream_loop_blocked_seconds",
    "gauge",
    "The longest time of the last minute in which the worker answered nobody: its loop did one thing.",
)
DISK_FREE: Final = Name("scorestream_disk_free_bytes", "gauge", "What is free where the local state lies.")
OUTBOX_WAITING: Final = Name(
    "scorestream_outbox_waiting_records", "gauge", "Changes of the organisation that are due and not in the log yet."
)
OUTBOX_AGE: Final = Name(
    "scorestream_outbox_age_seconds", "gauge", "How long the oldest of them has been due; 0 while none waits."
)
OUTBOX_FAILURES: Final = Name(
    "scorestream_outbox_failures", "counter", "Times that the store could not be asked, or the log took nothing."
)
LEFT_OUT: Final = Name(
    "scorestream_left_out_series",
    "gauge",
    "Series that would be here, were it not for the setting metric_series; the log names them.",
    ("part",),
)
SMALL_UNITS: Final = Name(
    "scorestream_small_units",
    "gauge",
    "Units of which no value is here, for it would be about fewer people than the setting metric_people.",
)

ALL: Final = (
    RECORDS, LAG, COMMIT_TIME, COMMIT_SECONDS, COMMIT_FAILURES, CHUNK_RECORDS, STEP_SECONDS, EMPLOYEES_WRITTEN,
    EMPLOYEES_CACHED, HELD, OWED, STATE_BYTES, LATENCY, TICK_TIME, EVENT_TIME, VIEWS_UP, VIEWS_TIME, VIEWS_FAILURES,
    VIEWS_REBUILDS, SCORING, LIVES, UNIT_SCORE, UNIT_SAMPLE, UNIT_MEMBERS, UNIT_PEOPLE, SCORE_ALERT, ALERT_ESCALATED,
    ALERTS_RAISED, ALERTS_CLEARED, ALERTS_ACKNOWLEDGED, ALERTS_REVIEWED, ACKNOWLEDGE_SECONDS, YIELD, FUNNEL_OUTSIDE,
    DRIFT_MEMBERS, SKEWED, LOOP_BLOCKED, DISK_FREE, OUTBOX_WAITING, OUTBOX_AGE, OUTBOX_FAILURES, LEFT_OUT,
    SMALL_UNITS,
)  # fmt: skip
