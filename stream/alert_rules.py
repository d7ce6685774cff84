"""A rule is a frozen value: what must hold, for how long, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from schemas.instants import HOUR
from stream.window import Window

ESCALATION: Final = HOUR

Severity = Literal["info", "warning", "critical"]
Side = Literal["below", "above"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What every rule has; `pending` (the field `for`) is how long the condition must hold, in ms.

    `escalation` (the field `escalate`) is how long an alert waits for an acknowledgement, in ms; 0: for ever.
    """

    id: str
    severity: Severity
    pending: int
    escalation: int = field(default=ESCALATION, kw_only=True)


@dataclass(frozen=True, slots=True)
class LevelRule(Rule):
    """Raise when the value lies below `below`, clear at `clear_above`.

    With `confidence` (rates; one-sided) it is the upper Wilson bound that must lie below; None: the value itself.
    """

    window: Window
    below: float
    confidence: float | None
    clear_above: float


@dataclass(frozen=True, slots=True)
class DriftRule(Rule):
    """Bernoulli CUSUM over the units: from the share `good` to the share `bad`, raised at `h`."""

    good: float
    bad: float
    h: float


@dataclass(frozen=True, slots=True)
class UnitGapRule(Rule):
    """Raise when the value lies more than `gap` below the unit's pooled value."""

    window: Window
    gap: float


@dataclass(frozen=True, slots=True)
class StaleRule(Rule):
    """Raise when no event came for `after` ms while a shift is on."""

    after: int


@dataclass(frozen=True, slots=True)
class EwmaRule(Rule):
    """Exponentially weighted moving average: `smoothing` is lambda, `width` is L in sigmas.

    Of a value that is no rate `sigma` is the standard deviation of one record's value, in the value's own unit, and
    `side` where it must not drift. None: a rate, whose sigma follows from the target and each record's units.
    """

    smoothing: float
    width: float
    sigma: float | None = None
    side: Side = "below"


@dataclass(frozen=True, slots=True)
class NaiveRule(Rule):
    """Raise when the value in the window lies below `below`, however few units there are."""

    window: Window
    below: float


@dataclass(frozen=True, slots=True)
class DefaultRules(Rule):
    """`alerts: default`: the product's own rule set for rates."""


AlertRule = LevelRule | DriftRule | UnitGapRule | StaleRule | EwmaRule | NaiveRule | DefaultRules
DEFAULT: Final = DefaultRules("default", "warning", 0)
