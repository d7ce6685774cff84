"""The core's limits from the settings."""

from __future__ import annotations

from agents.settings import Settings
from schemas.instants import DAY
from stream.pipeline import Limits


def limits_of(settings: Settings) -> Limits:
    """Days of the settings in milliseconds."""
    return Limits(
        late=settings.late_days * DAY,
        horizon=settings.horizon_days * DAY,
        correction=settings.correction_days * DAY,
        held=settings.held_days * DAY,
    )
