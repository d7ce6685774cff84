"""The core's limits: from the settings for a new log, from the log once its records were decided by them."""

from __future__ import annotations

from agents.meta import read_meta
from agents.settings import Settings
from agents.transport.log import Log
from schemas.instants import DAY
from stream.pipeline import Limits, limit_values


def limits_of(settings: Settings) -> Limits:
    """Days of the settings in milliseconds."""
    return Limits(
        late=settings.late_days * DAY,
        horizon=settings.horizon_days * DAY,
        correction=settings.correction_days * DAY,
        held=settings.held_days * DAY,
    )


def limits_in_force(log: Log, settings: Settings) -> Limits:
    """What the log's records were decided by; the settings before the first commit."""
    known = next((meta.limits for meta in read_meta(log) if meta.limits), None)
    return limits_of(settings) if known is None else Limits(**known)


def limits_to_work_by(log: Log, settings: Settings) -> Limits:
    """A worker's: the log's where nobody set anything else; what was set must be the log's (LimitsFixed else)."""
    known = next((meta.limits for meta in read_meta(log) if meta.limits), {})
    given = limit_values(limits_of(settings))
    kept = {n: known[n] for n in known if settings.origins.get(f"{n}_days", "default") == "default"}
    return Limits(**{**given, **kept})
