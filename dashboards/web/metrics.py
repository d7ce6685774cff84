"""Every metric of the web process is declared here, once, in base units; names of people never become labels."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

PREFIX: Final = "scorestream_web"
CONTENT_TYPE: Final = "text/plain; version=0.0.4"


class Metrics:
    """The metrics of one web process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace=PREFIX, registry=self.registry)
        self.clients = Gauge(f"{PREFIX}_sse_clients", "Screens connected now.", registry=self.registry)
        self.sent = Counter(
            f"{PREFIX}_sse_messages", "Events handed to screens, by kind.", ["kind"], registry=self.registry
        )
        self.resyncs = Counter(
            f"{PREFIX}_sse_resyncs",
            "Screens that read too slowly and were given a snapshot instead of the changes they missed.",
            registry=self.registry,
        )
        self.refused = Counter(
            f"{PREFIX}_sse_refused", "Screens refused because too many were connected.", registry=self.registry
        )
        self.build = Histogram(
            f"{PREFIX}_snapshot_build_seconds",
            "Time to draw one board from the view.",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
            registry=self.registry,
        )
        self.lag = Histogram(
            f"{PREFIX}_view_lag_seconds",
            "From the time of the newest update until it was read for a screen.",
            buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0),
            registry=self.registry,
        )
        self.records = Counter(
            f"{PREFIX}_view_records", "Updates of units and people that were read for screens.", registry=self.registry
        )
        self.unreadable = Counter(
            f"{PREFIX}_view_unreadable_records", "Updates that were read for screens and are none.",
            registry=self.registry,
        )  # fmt: skip
        self.failures = Counter(
            f"{PREFIX}_feed_failures",
            "Times that reading the views failed and was begun again.",
            registry=self.registry,
        )
        self.views_up = Gauge(
            f"{PREFIX}_views_up", "Whether the views can be read and are being written.", registry=self.registry
        )
        self.views_contact = Gauge(
            f"{PREFIX}_views_contact_timestamp_seconds", "When the views were last in order.", registry=self.registry
        )
        self.newest_tick = Gauge(
            f"{PREFIX}_view_tick_timestamp_seconds", "Newest tick that the view has seen.", registry=self.registry
        )
        self.last_commit = Gauge(
            f"{PREFIX}_view_commit_timestamp_seconds", "When the service was last heard of.", registry=self.registry
        )
        self.entities = Gauge(
            f"{PREFIX}_view_entities", "Employees and units in the view.", ["kind"], registry=self.registry
        )

    def exposition(self) -> bytes:
        """The registry in Prometheus' text format."""
        return generate_latest(self.registry)
