"""The AdventureWorks sample company as events: every id comes from the source's keys, every time from its dates.

So a second import of the same files holds the same events and changes nothing: they are duplicates, or late. Times
are the first instant of the day in UTC. Employee 250 becomes `AW-250`.

- EmployeeDepartmentHistory: `people.assignment` from the start date, id `dept-<employee>-<department>-<shift>-<start>`;
  unit = department, role = job title (the source knows only today's). An end that no other department follows is an
  assignment without role and unit from the next day, id `left-<employee>-<end>`.
- PurchaseOrderDetail: `qc.inspection` on the order's ship date, id `po-<order>-<line>`; inspected = received,
  scrapped = rejected; dims stage `receiving`, vendor (account number), product (product number).
- PurchaseOrderHeader: `business.purchase` on the ship date, id `po-<order>`; spend = subtotal before tax and freight.

Orders count whatever their status. It is no dim, because it moves during an order's life and an event never changes.
A row that changed after an import is a conflict in the next one, as for every source: send a correction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from agents.importers.tsv import Line, SourceError, by_key, midnight, read_table
from schemas.event import TOPIC_OF, Rejection, decode_one

EMPLOYEE: Final = (
    "employee", "national_id", "login", "node", "level", "title", "birth", "marital", "gender", "hired",
    "salaried", "vacation", "sick", "current", "guid", "modified",
)  # fmt: skip
HISTORY: Final = ("employee", "department", "shift", "start", "end", "modified")
DEPARTMENT: Final = ("department", "name", "group", "modified")
SHIFT: Final = ("shift", "name", "start", "end", "modified")
HEADER: Final = (
    "order", "revision", "status", "employee", "vendor", "ship_method", "order_date", "ship_date",
    "subtotal", "tax", "freight", "total", "modified",
)  # fmt: skip
DETAIL: Final = (
    "order", "line", "due_date", "ordered", "product", "unit_price", "line_total", "received", "rejected",
    "stocked", "modified",
)  # fmt: skip
VENDOR: Final = ("vendor", "account", "name", "credit_rating", "preferred", "active", "web", "modified")
PRODUCT: Final = ("product", "name", "number")

HR_SOURCE: Final = "adventureworks-hr"
PURCHASING_SOURCE: Final = "adventureworks-purchasing"


class Message(NamedTuple):
    """One event, ready for the log: topic, key (employee id), JSON, and log time in ms = its own time."""

    topic: str
    key: bytes
    value: bytes
    timestamp: int


class Import(NamedTuple):
    """What an import brings: the template to publish first (YAML), then the events sorted by time."""

    template: str
    messages: tuple[Message, ...]


def load(folder: Path) -> Import:
    """Reads `folder` (with hr/ and purchasing/) whole; SourceError names file, line and remedy.

    The messages are sorted by time, so those of each source are too and none is late in the contract's sense.
    """
    messages = [*_assignments(folder), *_purchases(folder)]
    messages.sort(key=lambda message: message.timestamp)
    return Import(template(), tuple(messages))


def template() -> str:
    """The template that fits these events, as YAML."""
    return (files("agents.importers") / "adventureworks.yaml").read_text(encoding="utf-8")


def _assignments(folder: Path) -> Iterator[Message]:
    """Who worked where since when, for all employees."""
    employees = by_key(read_table(folder, "hr/Employee.tsv", EMPLOYEE), "employee")
    departments = by_key(read_table(folder, "hr/Department.tsv", DEPARTMENT), "department")
    shifts = by_key(read_table(folder, "hr/Shift.tsv", SHIFT), "shift")
    history = read_table(folder, "hr/EmployeeDepartmentHistory.tsv", HISTORY)
    starts = {(line.text("employee"), line.day("start")) for line in history}
    for line in history:
        person, start = line.text("employee"), line.day("start")
        dims = {
            "role": slug(_known(line, "employee", employees).text("title")),
            "unit": slug(_known(line, "department", departments).text("name")),
            "shift": slug(_known(line, "shift", shifts).text("name")),
        }
        name = f"dept-{person}-{line.text('department')}-{line.text('shift')}-{start}"
        yield _message(line, "people.assignment", name, person, start, {}, dims)
        if line.fields["end"].strip():
            after = line.day("end") + timedelta(days=1)
            if (person, after) not in starts:
                yield _message(line, "people.assignment", f"left-{person}-{line.day('end')}", person, after, {}, {})


def _purchases(folder: Path) -> Iterator[Message]:
    """Every order's spend and every order line's inspection at receiving."""
    vendors = by_key(read_table(folder, "purchasing/Vendor.tsv", VENDOR), "vendor")
    products = by_key(read_table(folder, "purchasing/Product.tsv", PRODUCT, more=True), "product")
    orders = by_key(read_table(folder, "purchasing/PurchaseOrderHeader.tsv", HEADER), "order")
    for order in orders.values():
        dims = {"vendor": _known(order, "vendor", vendors).text("account")}
        spend = {"spend": float(order.decimal("subtotal"))}
        name, buyer, shipped = f"po-{order.text('order')}", order.text("employee"), order.day("ship_date")
        yield _message(order, "business.purchase", name, buyer, shipped, spend, dims)
    for line in read_table(folder, "purchasing/PurchaseOrderDetail.tsv", DETAIL):
        order = _known(line, "order", orders)
        dims = {
            "stage": "receiving",
            "vendor": _known(order, "vendor", vendors).text("account"),
            "product": _known(line, "product", products).text("number"),
        }
        name, buyer, shipped = (
            f"po-{order.text('order')}-{line.text('line')}",
            order.text("employee"),
            order.day("ship_date"),
        )
        yield _message(line, "qc.inspection", name, buyer, shipped, _inspected(line), dims)


def _inspected(line: Line) -> dict[str, float]:
    received, rejected = line.units("received"), line.units("rejected")
    if rejected > received:
        raise line.error("rejected", f"at most the {received} received units can be rejected")
    return {"inspected": received, "accepted": received - rejected, "scrapped": rejected}


def _known(line: Line, column: str, rows: Mapping[str, Line]) -> Line:
    """The row that the column refers to."""
    found = rows.get(line.text(column))
    if found is None:
        raise line.error(column, f"no table of the folder has this {column}: export all tables at the same time")
    return found


def _message(
    line: Line, kind: str, name: str, person: str, day: date, measures: Mapping[str, float], dims: Mapping[str, str]
) -> Message:
    """The event that `line` holds, encoded the same way every time and checked against the contract."""
    topic, employee, at = TOPIC_OF[kind.partition(".")[0]], f"AW-{person}", midnight(day)
    event = {
        "event_id": name,
        "type": kind,
        "employee_id": employee,
        "occurred_at": f"{day}T00:00:00Z",
        "source": HR_SOURCE if topic == "people-events" else PURCHASING_SOURCE,
        "measures": measures,
        "dims": dims,
    }
    message = Message(topic, employee.encode(), orjson.dumps(event), at)
    found = decode_one(message.value, message.key, topic, at, lambda key: True)
    if isinstance(found, Rejection):
        raise SourceError(f"{line.file} line {line.number}: not an event ({found.reason}): {found.detail}")
    return message


def slug(name: str) -> str:
    """A name as a role or unit id: `Purchasing Manager` becomes `purchasing-manager`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
