"""The core's limits: from the settings for a new log, from the log once its records were decided by them."""

from __future__ import annotations

from agents.meta import read_meta
from agents.settings import Settings
from agents.transport.errors import LogError
from agents.transport.log import Log
from schemas.instants import DAY
from stream.meta import Meta
from stream.pipeline import Limits, limit_values


class LimitsFixed(LogError):
    """The log's records were decided by other limits; scores must be the same whoever recomputes them."""


def fix_limits(meta: Meta, limits: Limits) -> None:
    """The limits of the first commit stay: a log whose records were decided by two sets could not be verified."""
    given = limit_values(limits)
    for name, known in meta.limits.items():
        if known != given[name]:
            raise LimitsFixed(
                f"{name}_days={given[name] / DAY:g}: this log's records were decided with {known / DAY:g}, "
                f"which stays; leave the setting out"
            )
    meta.limits = given


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
