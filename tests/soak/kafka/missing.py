"""A soak on a real broker needs Java, Kafka and Redis; where one is not there, this says so."""

from __future__ import annotations

from tests.e2e import kafka_broker, redis_server


def missing() -> str | None:
    """Why there can be none here; None when there can."""
    return kafka_broker.missing() or redis_server.missing()
