"""An import is exact, complete, sorted, repeatable, and refuses a broken folder with the place of the fault."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from agents.importers.adventureworks import Message, load, slug, template
from agents.importers.tsv import SourceError
from agents.oracle.log import LogRecord
from agents.oracle.recompute import recompute
from schemas.event import Event, decode_one
from stream.template import check
from tests.importers.company import changed, write
from tests.importers.real_data import data_path

DAY = 86_400_000
PUBLISHED = 1_790_000_000_000
YIELDS = {  # received and accepted units per buyer, over everything, as published with the data
    "AW-250": (83_462, 64_078), "AW-251": (245_467, 245_440), "AW-252": (105_547, 104_748),
    "AW-253": (239_557, 239_329), "AW-254": (202_553, 199_891), "AW-255": (211_219, 211_138),
    "AW-256": (208_701, 202_806), "AW-257": (232_381, 232_300), "AW-258": (184_177, 184_147),
    "AW-259": (175_206, 174_966), "AW-260": (202_810, 189_707), "AW-261": (236_219, 206_049),
}  # fmt: skip


@pytest.fixture(scope="session")
def real() -> tuple[Message, ...]:
    """The messages of the real company."""
    return load(data_path("adventureworks")).messages


@pytest.fixture(scope="session")
def decoded(real: tuple[Message, ...]) -> list[Event]:
    """The same messages as the product reads them from the log."""
    found = [decode_one(m.value, m.key, m.topic, m.timestamp, lambda key: True) for m in real]
    assert [event for event in found if not isinstance(event, Event)] == []
    return cast("list[Event]", found)


def events(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    """What the messages say."""
    return (json.loads(message.value) for message in messages)


def lateness(found: Iterable[Event]) -> int:
    """By how much the worst event lies before the newest of its topic, employee and source, in ms."""
    newest: dict[tuple[str, str, str], int] = {}
    worst = 0
    for event in found:
        place = (event.type.partition(".")[0], event.employee_id, event.source)
        newest[place] = max(newest.get(place, 0), event.occurred_at)
        worst = max(worst, newest[place] - event.occurred_at)
    return worst


def test_yields_equal_the_published_table(real: tuple[Message, ...]) -> None:
    """Received and accepted units of every buyer are the known ones, and only 250 and 261 are below 90 %."""
    received: dict[str, int] = defaultdict(int)
    accepted: dict[str, int] = defaultdict(int)
    for event in events(message for message in real if message.topic == "qc-events"):
        received[event["employee_id"]] += event["measures"]["inspected"]
        accepted[event["employee_id"]] += event["measures"]["accepted"]
    assert {buyer: (received[buyer], accepted[buyer]) for buyer in received} == YIELDS
    assert [buyer for buyer in sorted(received) if accepted[buyer] / received[buyer] < 0.9] == ["AW-250", "AW-261"]


def test_everything_is_there(decoded: list[Event]) -> None:
    """All 290 employees, 296 assignments, 4,012 orders and 8,845 order lines become events, each with its own id."""
    kinds = Counter(event.type for event in decoded)
    assert kinds == {"people.assignment": 296, "business.purchase": 4012, "qc.inspection": 8845}
    assert len({event.employee_id for event in decoded if event.type == "people.assignment"}) == 290
    assert len({(event.type, event.employee_id, event.event_id) for event in decoded}) == len(decoded)


def test_spend_is_exact(real: tuple[Message, ...]) -> None:
    """The spend of all orders adds up to the sum of the subtotals, in ten-thousandths."""
    spend = sum(round(e["measures"]["spend"] * 10_000) for e in events(real) if e["type"] == "business.purchase")
    assert spend == 637_919_948_380


def test_order_is_by_time_and_nothing_is_late(decoded: list[Event]) -> None:
    """Log time is the event's own time, never falls, and no event is behind its employee and source at all."""
    times = [event.timestamp for event in decoded]
    assert times == sorted(times)
    assert times == [event.occurred_at for event in decoded]
    assert lateness(decoded) == 0


def test_a_wrong_order_would_be_late(decoded: list[Event]) -> None:
    """The check of lateness sees a broken sort: the same events backwards are more than 35 days late."""
    assert lateness(reversed(decoded)) > 35 * DAY


def test_every_order_falls_in_its_buyers_role(real: tuple[Message, ...]) -> None:
    """At the time of every order its buyer's assignment names a role that the template applies to."""
    applies = set(yaml.safe_load(template())["applies_to"]["roles"])
    role: dict[str, str] = {}
    for event in events(real):
        if event["type"] == "people.assignment":
            role[event["employee_id"]] = event["dims"]["role"]
        else:
            assert role[event["employee_id"]] in applies


def as_log(messages: Iterable[Message], times: int) -> Iterator[LogRecord]:
    """The template's publication, then the messages `times` times over, in one partition per topic."""
    yield LogRecord("templates", 0, 0, PUBLISHED, b"adventureworks-buyer@1", template().encode())
    offsets: Counter[str] = Counter()
    for _ in range(times):
        for message in messages:
            yield LogRecord(message.topic, 0, offsets[message.topic], message.timestamp, message.key, message.value)
            offsets[message.topic] += 1


def test_a_recomputation_gives_the_published_yields(real: tuple[Message, ...]) -> None:
    """From the log alone every buyer's receiving yield over everything is the known one, to the last unit."""
    found = recompute(as_log(real, 1), partitions=1)
    assert found.outcomes == {"scored": len(real)}
    rows = {
        row["employee_id"]: (row["n"], row["good"], row["value"])
        for row in found.rows(found.last)
        if (row["indicator"], row["window"]) == ("receiving_yield", "all")
    }
    assert rows == {buyer: (n, good, pytest.approx(good / n, rel=1e-12)) for buyer, (n, good) in YIELDS.items()}


def test_a_second_import_changes_nothing(real: tuple[Message, ...]) -> None:
    """Imported again, every record is a duplicate or late, none a conflict, and all rows stay as they were."""
    once, twice = (recompute(as_log(real, times), partitions=1) for times in (1, 2))
    assert set(twice.outcomes) == {"scored", "duplicate", "late"}
    assert twice.outcomes["scored"] == once.outcomes["scored"] == len(real)
    assert list(twice.rows(twice.last)) == list(once.rows(once.last))


def test_second_import_is_the_same(tmp_path: Path) -> None:
    """Loading the same folder twice gives the same bytes."""
    assert load(write(tmp_path)) == load(write(tmp_path))


def test_rows_of_all_kinds_become_events(tmp_path: Path) -> None:
    """Ids, times, measures and dims come from the rows, also of a rejected order; a person who left has no role."""
    found = {event["event_id"]: event for event in events(load(write(tmp_path)).messages)}
    assert list(found) == [
        "dept-1-4-1-2019-03-01", "dept-1-5-1-2020-07-01", "dept-2-5-1-2021-02-01",
        "po-7", "po-7-1", "po-8", "po-8-2", "left-2-2023-12-31",
    ]  # fmt: skip
    manager = {"role": "purchasing-manager", "unit": "purchasing", "shift": "day"}
    assert found["dept-1-5-1-2020-07-01"]["dims"] == manager
    left = found["left-2-2023-12-31"]
    assert (left["dims"], left["occurred_at"]) == ({}, "2024-01-01T00:00:00Z")
    assert found["po-7"]["measures"] == {"spend": 45.1234}
    assert found["po-8-2"] == {
        "event_id": "po-8-2",
        "type": "qc.inspection",
        "employee_id": "AW-2",
        "occurred_at": "2022-05-02T00:00:00Z",
        "source": "adventureworks-purchasing",
        "measures": {"inspected": 3, "accepted": 2, "scrapped": 1},
        "dims": {"stage": "receiving", "vendor": "AUSTRALI0001", "product": "HJ-5161"},
    }


DETAIL, HEADER = "purchasing/PurchaseOrderDetail.tsv", "purchasing/PurchaseOrderHeader.tsv"
HISTORY, EMPLOYEE = "hr/EmployeeDepartmentHistory.tsv", "hr/Employee.tsv"


@pytest.mark.parametrize(
    ("file", "row", "column", "value", "said"),
    [
        (DETAIL, 1, 7, "2.50", f"{DETAIL} line 2: received: '2.50': a whole number"),
        (DETAIL, 0, 8, "4.00", f"{DETAIL} line 1: rejected: '4.00': at most the 3 received"),
        (DETAIL, 0, 0, "99", f"{DETAIL} line 1: order: '99': no table"),
        (DETAIL, 0, 4, "77", f"{DETAIL} line 1: product: '77': no table"),
        (HEADER, 1, 7, "", f"{HEADER} line 2: ship_date: '': a value is required"),
        (HEADER, 1, 7, "1999-12-31", f"{HEADER} line 2: not an event .bad_time"),
        (HEADER, 0, 8, "free", f"{HEADER} line 1: subtotal: 'free': a decimal number"),
        (HEADER, 0, 8, "0.12345678", f"{HEADER} line 1: not an event .bad_measure"),
        (HEADER, 0, 0, "7", f"{HEADER} line 2: order: '7': the key is already used in line 1"),
        (HISTORY, 2, 3, "2021-02-30", f"{HISTORY} line 3: start: '2021-02-30': a date such as"),
        (EMPLOYEE, 0, 0, "3", f"{HISTORY} line 1: employee: '1': no table"),
    ],
)
def test_broken_fields_are_named(tmp_path: Path, file: str, row: int, column: int, value: str, said: str) -> None:
    """A field that cannot be right stops the import with file, line, column, value and what would be right."""
    with pytest.raises(SourceError, match=said):
        load(write(tmp_path, file, changed(file, row, column, value)))


def test_the_template_is_correct() -> None:
    """The template that an import publishes passes the check with nothing to say, and its first target is 90 %."""
    report = check(template())
    assert (report.errors, report.warnings) == ((), ())
    assert report.template is not None
    assert report.template.indicators[0].target == 0.9


def test_slugs_are_lower_case_words() -> None:
    """Names become ids of small letters, digits and single hyphens."""
    assert slug("Production Technician - WC60") == "production-technician-wc60"
