"""The fast way through a chunk says of every record what the letter of the contract says, whatever is beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.chunk import decode_chunk, decode_groups, valid_ids
from schemas.event import MAX_BYTES, Event, Rejection, Row, decode_one
from schemas.instants import FIRST, LAST, MINUTE
from schemas.memo import Memo

NOW: Final = 1_772_439_300_000  # 2026-03-02T08:15:00Z
EMPLOYEES: Final = ("E1", "E2", "E5")

TIMES: Final = (
    NOW, NOW + 15 * MINUTE, NOW + 15 * MINUTE + 1, float(NOW), NOW + 0.5, FIRST, FIRST - 1, LAST, 0, -NOW, True, None,
    "2026-03-02T08:15:00Z", "2026-03-02T16:15:00.123456+08:00", "2026-03-02 08:15:59z", "2026-03-02T08:15:60Z",
    "2026-03-02T24:00:00Z", "2026-03-02T08:15:00", "2026-02-29T08:15:00Z", "2026-03-02T08:15:07Z", "", "é" * 20,
)  # fmt: skip
TEXTS: Final = ("aoi", "线-3", "", "x" * 128, "x" * 129, "\u0007", "\u2028", "\ud800", " ", "\u00ad", 1, None, ["a"])
IDS: Final = ("e1", "a.b:c-d_E", "", "a b", "x" * 64, "x" * 65, "é", "e1\n", "\u0000", 7, None)
TYPES: Final = (
    "qc.inspection", "qc.x", "business.sale", "people.note", "qc.", "qc.X", "other.a", "qcxinspection", "qc.a\n", 1,
)  # fmt: skip
NUMBERS: Final = (0, 1, 10, -1, 0.5, 1e-6, 1e-7, 1e9, 10**9 + 1, -0.0, 1.0, "1", True, None, 10**30, 0.1 + 0.2, 1e20)
NAMES: Final = ("inspected", "accepted", "reworked", "amount", "value", "A", "x" * 32, "x" * 33, "", "é")
WHOLE: Final[tuple[dict[str, float], ...]] = (
    {"inspected": 2, "accepted": 1},
    {"inspected": 2.0, "accepted": 1, "reworked": 1},
    {},
    {"amount": 0.1},
)
DIMS: Final[tuple[object, ...]] = (
    {},
    {"line": "L1"},
    {"stage": "a", "line": "线"},
    {"": "x"},
    {"a": ""},
    {"a": 1},
    [],
    None,
    {"a": "\ud800"},
)

VALID: Final = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from(("e1", "e2", "a.b:c-d_E")),
        "type": st.sampled_from(("qc.inspection", "qc.x")),
        "employee_id": st.sampled_from(EMPLOYEES),
        "occurred_at": st.sampled_from((NOW, *(time for time in TIMES[12:15] if isinstance(time, str)))),
        "source": st.sampled_from(("aoi", "线-3")),
        "measures": st.sampled_from(WHOLE[:2]),
    },
    optional={"dims": st.sampled_from(DIMS[:3]), "corrects": st.just("e0"), "extra": st.just({"a": [1, "}\n{"]})},
)
DOUBTS: Final[dict[str, st.SearchStrategy[object]]] = {
    "event_id": st.sampled_from(IDS),
    "type": st.sampled_from(TYPES),
    "employee_id": st.sampled_from((*EMPLOYEES, *IDS)),
    "occurred_at": st.sampled_from(TIMES),
    "source": st.sampled_from(TEXTS),
    "measures": st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NUMBERS), max_size=4) | st.sampled_from(DIMS),
    "dims": st.sampled_from(DIMS) | st.dictionaries(st.sampled_from(("a", "b")), st.sampled_from(TEXTS), max_size=2),
    "corrects": st.sampled_from(IDS),
    "extra": st.sampled_from(("\ud800", 1e400, [[[[]]]], json.loads("[" * 70 + "]" * 70))),
}
ONE_DOUBT: Final = st.one_of(*(st.fixed_dictionaries({name: values}) for name, values in DOUBTS.items()))
RECORDS: Final = st.builds(lambda valid, doubt: {**valid, **doubt}, VALID, st.just({}) | ONE_DOUBT)
JOINTS: Final = (
    b"",
    b"\n",
    b" ",
    b",",
    b"\r",
    b"\x0b",
    b"\x00",
    b"}\n{",
    b"}{",
    b"{",
    b"}",
    b'"',
    b"\xef\xbb\xbf",
    b"\xff",
)


def _written(record: dict[str, Any], style: int) -> bytes:
    separators = ((",", ":"), (", ", ": "))[style % 2]
    return json.dumps(record, ensure_ascii=bool(style & 2), separators=separators).encode("utf-8", "surrogatepass")


WRITTEN: Final = st.builds(_written, RECORDS, st.integers(0, 3))


@st.composite
def values(draw: st.DrawFn) -> list[bytes | None]:
    """Values of a chunk: records as they are, torn apart at any place, joined, wrapped, doubled, empty, none."""
    found: list[bytes | None] = []
    for value in draw(st.lists(WRITTEN, min_size=1, max_size=6)):
        match draw(st.integers(0, 11)):
            case 0:
                place = draw(st.integers(0, len(value)))
                joint = draw(st.sampled_from(JOINTS))
                found += [value[:place] + joint, joint + value[place:]]
            case 1:
                found.append(value + draw(st.sampled_from(JOINTS)) + value)
            case 2:
                joint = draw(st.sampled_from(JOINTS))
                found.append(joint + value + draw(st.sampled_from(JOINTS)))
            case 3:
                place = draw(st.integers(0, len(value)))
                found.append(value[:place] + draw(st.sampled_from(JOINTS)) + value[place:])
            case 4:
                found.append(draw(st.sampled_from((None, b"", b"{}", b" ", b"[]", b"null", b"{", b"}\n{", b'"'))))
            case 5:
                found.append(value[:-1] + b"," + value[1:])  # every key twice
            case _:
                found.append(value)
    return found


TOPIC: Final = "qc-events"
QC: Final = _written(
    {"event_id": "e1", "type": "qc.x", "employee_id": "E1", "occurred_at": NOW, "source": "s", "measures": {}}, 0
)
KEY: Final = re.compile(rb'"employee_id": ?"(E[0-9])"')
OTHER_KEYS: Final = (None, b"\xff", b"E1 ", b"E2", b"E5")


def _in_partition(key: bytes) -> bool:
    return key != b"E5"


REMEMBERED: Final = Memo(TOPIC, _in_partition)


@settings(max_examples=600, deadline=None, derandomize=True)
@example([QC + QC, QC[:-1], b"}"], {})
@example([QC + QC, QC[:20], QC[20:]], {})
@example([b"{" + QC, QC + b"}"], {})
@example([QC[:-1] + b',"a":"}', b'{"}'], {})
@example([QC[:-1] + b',"a":"\xff"}'], {})
@given(values(), st.dictionaries(st.integers(0, 6), st.sampled_from(OTHER_KEYS), max_size=1))
def test_a_chunk_is_what_its_records_are_one_by_one(values: list[bytes | None], keys: dict[int, bytes | None]) -> None:
    """Accepted with equal content or refused with the same reason; memories of earlier chunks change nothing."""
    rows = [Row(offset, NOW, keys.get(offset, _own_key(value)), value, None) for offset, value in enumerate(values)]
    alone = [decode_one(row.value, row.key, TOPIC, NOW, _in_partition) for row in rows]
    expected = {offset: _said(found) for offset, found in enumerate(alone)}
    assert expected == _of_chunk(rows, REMEMBERED)
    assert expected == _of_chunk(rows, Memo(TOPIC, _in_partition))


def _own_key(value: bytes | None) -> bytes:
    found = KEY.search(value or b"")
    return found[1] if found else b"E1"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(WRITTEN, max_size=12))
def test_events_come_by_employee_in_log_order(written: list[bytes]) -> None:
    """Each group holds one employee's events, ascending, and nothing is in two groups."""
    keys = [str(json.loads(value)["employee_id"]).encode() for value in written]
    rows = [Row(offset, NOW, key, value, None) for offset, (key, value) in enumerate(zip(keys, written, strict=True))]
    groups, refused = decode_groups([rows[:5], rows[5:]], Memo("qc-events", lambda key: True))
    offsets = [event.offset for event in groups.events()]
    ids, told = valid_ids(rows, Memo("qc-events", lambda key: True))
    assert (sorted((event.offset, event.event_id) for event in groups.events()), refused) == (sorted(ids), told)
    assert sorted([*offsets, *(row.offset for row, _ in refused)]) == list(range(len(rows)))
    for employee_id, own in groups:
        theirs = [event.offset for event in own.events(employee_id)]
        assert {employee_id} == {keys[offset].decode() for offset in theirs}
        assert theirs == sorted(theirs)


def test_what_is_large_is_refused_before_it_is_read() -> None:
    """One byte more than allowed is too large, whatever it says; exactly as much is read."""
    padding = MAX_BYTES - len(QC) - len(b',"pad":""')
    fits = QC[:-1] + b',"pad":"' + b"x" * padding + b'"}'
    rows = [Row(0, NOW, b"E1", fits, None), Row(1, NOW, b"E1", fits[:-2] + b'x"}', None), Row(2, NOW, b"E1", QC, None)]
    events, refused = decode_chunk(rows, Memo("qc-events", lambda key: True))
    assert [0, 2] == [event.offset for event in events]
    assert ["too_large"] == [rejection.reason for _, rejection in refused]


@pytest.mark.parametrize("stamp", [-(2**63), -1, 0, 2**63 - 1])
def test_a_log_time_of_any_size_decides_as_it_does_alone(stamp: int) -> None:
    """However far from the event's own time: the difference may not fit into 64 bits."""
    value = QC.replace(b"{}", b'{"inspected":1,"accepted":1}')
    rows = [Row(offset, stamp, b"E1", value, None) for offset in range(3)]
    alone = decode_one(value, b"E1", TOPIC, stamp, lambda key: True)
    found = _of_chunk(rows, Memo(TOPIC, lambda key: True))
    assert len(rows) == len(found)
    assert isinstance(alone, Rejection) is (stamp <= 0)
    assert all((said == _said(alone)) for said in found.values())


def _of_chunk(rows: Sequence[Row], memo: Memo) -> dict[int, object]:
    events, refused = decode_chunk(rows, memo)
    said: dict[int, object] = {event.offset: _said(event) for event in events}
    said |= {row.offset: _said(rejection) for row, rejection in refused}
    assert len(events) + len(refused) == len(said)
    return said


def _said(found: Event | Rejection) -> object:
    if isinstance(found, Rejection):
        return found
    return (
        found.event_id, found.type, found.employee_id, found.occurred_at, found.source, found.measures.micro,
        found.measures.inspection, found.dims.values, found.corrects, found.digest, found.kind, found.timestamp,
    )  # fmt: skip
