"""An alert leaves as a row: what happened, since when, how sure that is, what to do; every change is one more row."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from schemas.rows import Number

FIRING: Final = "firing"
ACKNOWLEDGED: Final = "acknowledged"
SHELVED: Final = "shelved"
CLEARED: Final = "cleared"
WITHDRAWN: Final = "withdrawn"  # a reason, not a state: what was raised does not follow from the log any more


class Message(msgspec.Struct, frozen=True, gc=False):
    """What happened and what to do next, for people."""

    zh: str
    en: str


class AlertRow(msgspec.Struct, gc=False, omit_defaults=False):
    """Contract, section 3. Of a person (`employee_id`, and the unit where it happened) or, without one, of a unit.

    Times are log times in RFC 3339; `value`, `n`, `good` are those that it was raised with, `low` and `high` their
    95 % Wilson interval. `by` and `reason` say who moved it last and why, "" when the data did. `escalated_at`: nobody
    had acknowledged it by then. `notify`: whether anybody is told; None until the next tick decides it.
    """

    alert_id: str
    rule: str
    unit: str
    indicator: str
    template: str
    version: int
    state: str
    severity: str
    raised_at: str
    changed_at: str
    cleared_at: str | None
    window: str
    window_start: str
    value: float | None
    n: Number | None
    good: Number | None
    low: float | None
    high: float | None
    threshold: float
    folded_into: str | None
    first_event: str
    last_event: str
    message: Message
    employee_id: str | UnsetType = UNSET
    by: str = ""
    reason: str = ""
    until: str | None = None
    escalated_at: str | None = None
    notify: bool | None = None


class AlertCommand(msgspec.Struct, frozen=True, gc=False, tag_field="command", tag="alert", omit_defaults=True):
    """A record of topic commands: `by` does `action` to an alert, because of `reason`.

    `until` in ms, for `shelve`; `into`, for `fold`: the unit's alert that stands for it. `unit`: whose own alert it is,
    which the units' home obeys; "" for one of a person.
    """

    alert_id: str
    action: str
    by: str
    reason: str = ""
    until: int | None = None
    into: str = ""
    unit: str = ""


class AlertReview(msgspec.Struct, frozen=True, gc=False, tag_field="command", tag="alert-review"):
    """A record of topic commands: `by` says whether an alert was right, open or over; `rule` and `unit` are its own."""

    alert_id: str
    verdict: Literal["right", "wrong"]
    by: str
    reason: str
    rule: str
    unit: str


class UnitVerdict(msgspec.Struct, frozen=True, gc=False, tag_field="command", tag="unit-verdict", omit_defaults=True):
    """A record of topic commands, from the unit agent: how a member stands to the unit at the end of minute `at` (ms).

    `below`: by more than the rule's gap. `value`, `n`, `good` are the member's, `unit_value` the unit's. `ended`: the
    version is not in force for them any more.
    """

    template: str
    version: int
    indicator: str
    rule: str
    unit: str
    at: int
    below: bool
    value: float
    n: float | None
    good: float | None
    unit_value: float
    ended: bool = False
