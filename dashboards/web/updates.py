"""What the service publishes, as far as the web reads it: unknown fields are skipped, wrong ones refuse the record.

The head of an update is decoded when it arrives, its rows only when somebody looks at them: most employees of a
company are on no screen at a given moment.
"""

from __future__ import annotations

from typing import Final

import msgspec

from schemas.instants import parse_rfc3339

class Row(msgspec.Struct, frozen=True, gc=False):
    """A row of the contract; `value` and the interval as numbers of the formula (0.93), `n` and `good` in units."""

    template: str
    version: int
    indicator: str
    window: str
    status: str
    value: float | None = None
    points: float | None = None
    n: float | None = None
    good: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What the row measures, whatever the version: template, indicator, window."""
        return (self.template, self.indicator, self.window)

    @property
    def scope(self) -> tuple[str, str]:
        """Where a total over the row's indicator is found: template and window."""
        return (self.template, self.window)

    @property
    def is_total(self) -> bool:
        """Whether it is a score over indicators (`@total`, `@performance`, ...)."""
        return self.indicator.startswith("@")


class Body(msgspec.Struct, frozen=True):
    """The part of an update that is drawn. A trend is [pane start in ms, n, good] per pane, oldest first."""

    rows: list[Row] = []
    trends: dict[str, list[tuple[int, float | None, float | None]]] = {}


class Head(msgspec.Struct, frozen=True):
    """The part of an update that is indexed."""

    as_of: str | None = None
    newest: str | None = None
    employee_id: str | None = None
    unit: str | None = None
    members: list[str] = []


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Time as the log tells it, in ms."""

    at: int


class Known:
    """The latest update of one employee or unit. `value` is the JSON text as it came; times in ms, None for none."""

    __slots__ = ("as_of", "employee", "members", "newest", "unit", "value")

    def __init__(self, value: bytes) -> None:
        head = _head.decode(value)
        self.value = value
        self.employee = head.employee_id
        self.unit = head.unit or ""
        self.members = tuple(head.members)
        self.as_of = _instant("as_of", head.as_of)
        self.newest = _instant("newest", head.newest)

    def body(self) -> Body:
        """Its rows and trends; none when they are not of the published shape, so that a screen goes on."""
        try:
            return _body.decode(self.value)
        except msgspec.MsgspecError:
            return Body()


def decode_tick(value: bytes) -> Tick:
    """A tick; msgspec.MsgspecError when it is none."""
    return _tick.decode(value)


def _instant(field: str, text: str | None) -> int | None:
    if text is None:
        return None
    at = parse_rfc3339(text)
    if at is None:
        raise msgspec.ValidationError(f"{field}: {text!r} is not RFC 3339 with zone")
    return at


_head: Final = msgspec.json.Decoder(Head)
_body: Final = msgspec.json.Decoder(Body)
_tick: Final = msgspec.json.Decoder(Tick)
