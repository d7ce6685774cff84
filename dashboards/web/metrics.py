"""Every metric of the web process is declared here, once, in base units; names of people never become labels."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from stream.metric_names import Name

PREFIX: Final = "scorestream_web"
CONTENT_TYPE: Final = "text/plain; version=0.0.4"

CLIENTS: Final = Name(f"{PREFIX}_sse_clients", "gauge", "Screens connected now.")
SENT: Final = Name(f"{PREFIX}_sse_messages", "counter", "Events handed to screens, by kind.", ("kind",))
RESYNCS: Final = Name(
    f"{PREFIX}_sse_resyncs",
    "counter",
    "Screens that read too slowly and were given a snapshot instead of the changes they missed.",
)
REFUSED: Final = Name(f"{PREFIX}_sse_refused", "counter", "Screens refused because too many were connected.")
BUILD_SECONDS: Final = Name(f"{PREFIX}_snapshot_build_seconds", "histogram", "Time to draw one board from the view.")
VIEW_LAG: Final = Name(
    f"{PREFIX}_view_lag_seconds", "histogram", "From the time of the newest update until it was read for a screen."
)
VIEW_RECORDS: Final = Name(
    f"{PREFIX}_view_records", "counter", "Updates of units, their people and alerts that were read for screens."
)
UNREADABLE: Final = Name(
    f"{PREFIX}_view_unreadable_records", "counter", "Updates that were read for screens and are none."
)
FEED_FAILURES: Final = Name(
    f"{PREFIX}_feed_failures", "counter", "Times that reading the views failed and was begun again."
)
VIEWS_UP: Final = Name(f"{PREFIX}_views_up", "gauge", "Whether the views can be read and are being written.")
VIEWS_CONTACT: Final = Name(f"{PREFIX}_views_contact_timestamp_seconds", "gauge", "When the views were last in order.")
VIEW_TICK: Final = Name(f"{PREFIX}_view_tick_timestamp_seconds", "gauge", "Newest tick that the view has seen.")
VIEW_COMMIT: Final = Name(f"{PREFIX}_view_commit_timestamp_seconds", "gauge", "When the service was last heard of.")
ENTITIES: Final = Name(f"{PREFIX}_view_entities", "gauge", "Employees and units in the view.", ("kind",))
INTAKE_EVENTS: Final = Name(
    f"{PREFIX}_intake_events",
    "counter",
    "Lines sent by HTTP, by what they were told: accepted, refused (and a dead letter), left_out (not in the log).",
    ("answer",),
)
INTAKE_SECONDS: Final = Name(
    f"{PREFIX}_intake_batch_seconds", "histogram", "From a batch's last byte until it is durable in the log."
)
INTAKE_FAILED: Final = Name(
    f"{PREFIX}_intake_failed_batches",
    "counter",
    "Batches that were not taken, by status.",
    ("status",),
)

ADDRESS: Final = Name(
    f"{PREFIX}_info",
    "gauge",
    "1, with the address at which people find this process (setting public_url); absent without that setting.",
    ("public_url",),
)

ALL: Final = (
    ADDRESS, CLIENTS, SENT, RESYNCS, REFUSED, BUILD_SECONDS, VIEW_LAG, VIEW_RECORDS, UNREADABLE, FEED_FAILURES,
    VIEWS_UP, VIEWS_CONTACT, VIEW_TICK, VIEW_COMMIT, ENTITIES, INTAKE_EVENTS, INTAKE_SECONDS, INTAKE_FAILED,
)  # fmt: skip
_BUILDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_BATCHES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
_LAGS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class Metrics:
    """The metrics of one web process, in a registry of their own. `public_url`: where people find it, if known."""

    def __init__(self, public_url: str | None = None) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace=PREFIX, registry=self.registry)
        if public_url is not None:
            self._gauge(ADDRESS).labels(public_url).set(1)
        self.clients = self._gauge(CLIENTS)
        self.sent = self._counter(SENT)
        self.resyncs = self._counter(RESYNCS)
        self.refused = self._counter(REFUSED)
        self.build = self._histogram(BUILD_SECONDS, _BUILDS)
        self.lag = self._histogram(VIEW_LAG, _LAGS)
        self.records = self._counter(VIEW_RECORDS)
        self.unreadable = self._counter(UNREADABLE)
        self.failures = self._counter(FEED_FAILURES)
        self.views_up = self._gauge(VIEWS_UP)
        self.views_contact = self._gauge(VIEWS_CONTACT)
        self.newest_tick = self._gauge(VIEW_TICK)
        self.last_commit = self._gauge(VIEW_COMMIT)
        self.entities = self._gauge(ENTITIES)
        self.intake_events = self._counter(INTAKE_EVENTS)
        self.intake_seconds = self._histogram(INTAKE_SECONDS, _BATCHES)
        self.intake_failed = self._counter(INTAKE_FAILED)

    def exposition(self) -> bytes:
        """The registry in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: Name) -> Gauge:
        return Gauge(name.name, name.help, name.labels, registry=self.registry)

    def _counter(self, name: Name) -> Counter:
        return Counter(name.name, name.help, name.labels, registry=self.registry)

    def _histogram(self, name: Name, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name.name, name.help, name.labels, registry=self.registry, buckets=buckets)
