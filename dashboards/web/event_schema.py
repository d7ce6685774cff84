"""An event as its sender writes it, in types, for OpenAPI: what a schema can say of the contract's section 2.

Nothing is judged by it: schemas/event.py decides, and says more than a schema can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec
from litestar.openapi.spec import Example, OpenAPIMediaType, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from msgspec import UNSET, Meta, UnsetType

from dashboards.web.names import CLEAR
from schemas.event import ID, TYPE
from schemas.instants import FIRST, LAST

NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"

Id = Annotated[str, Meta(pattern=f"^{ID.pattern}$")]
ClearText = Annotated[str, Meta(min_length=1, max_length=128, pattern=CLEAR)]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,31}$")]
Amount = Annotated[float, Meta(ge=-1e9, le=1e9, description="A number that equals its own rounding to six decimals.")]
Moment = Annotated[
    str, Meta(description="RFC 3339 with zone, from 2000 to 2100.", extra_json_schema={"format": "date-time"})
]
Milliseconds = Annotated[int, Meta(ge=FIRST, le=LAST, description="Milliseconds since 1970 UTC.")]


class Event(msgspec.Struct, frozen=True):
    """What happened, once: identity is (topic, employee_id, event_id, occurred_at). Unknown fields are ignored.

    `qc.inspection` has `inspected` and `accepted` in its measures, `reworked` and `scrapped` where there are any.
    `corrects`: the id of the event that this one corrects, with its `occurred_at`; measures are differences then.
    """

    event_id: Id
    type: Annotated[str, Meta(pattern=f"^{TYPE.pattern}$")]
    employee_id: Id
    occurred_at: Moment | Milliseconds
    source: ClearText
    measures: Annotated[dict[Name, Amount], Meta(max_length=32)]
    dims: Annotated[dict[ClearText, ClearText], Meta(max_length=32)] = {}
    corrects: Id | UnsetType = UNSET


EXAMPLE: Final[dict[str, Any]] = {
    "event_id": "pol-8845-1",
    "type": "qc.inspection",
    "employee_id": "E0261",
    "occurred_at": "2026-03-02T08:15:00+08:00",
    "source": "line-3-aoi",
    "measures": {"inspected": 10, "accepted": 9, "reworked": 1, "scrapped": 1},
    "dims": {"stage": "semi_finished", "product": "P12", "machine": "M7", "line": "L03"},
}
_LINES: Final = [EXAMPLE, {**EXAMPLE, "event_id": "pol-8845-2", "measures": {"inspected": 10, "accepted": 10}}]


@dataclass
class _Given(Schema):
    """A schema that is there already, as JSON Schema writes it."""

    given: dict[str, Any] = field(default_factory=dict)

    def to_schema(self) -> dict[str, Any]:
        """As it is."""
        return self.given


def schema() -> Schema:
    """Of an event."""
    _, found = msgspec.json.schema_components([Event])
    return _Given(given=found["Event"])


def body_of_events() -> RequestBody:
    """What the framework cannot see: a handler that reads lines has no body in its signature."""
    text = "\n".join(msgspec.json.encode(line).decode() for line in _LINES) + "\n"
    lines = Schema(type=OpenAPIType.STRING, description="One Event a line; blank lines are skipped.")
    return RequestBody(
        required=True,
        description="Events, byte for byte as the log is to have them.",
        content={
            NDJSON: OpenAPIMediaType(schema=lines, examples={"batch": Example(summary="A batch", value=text)}),
            JSON: OpenAPIMediaType(schema=schema(), examples={"event": Example(summary="One event", value=EXAMPLE)}),
        },
    )
