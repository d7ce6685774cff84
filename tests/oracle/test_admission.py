"""Late, duplicate and conflict: both limits to the millisecond, and what an identity is."""

from typing import Any

import pytest

from tests.oracle.logs import DAY, HOUR, MINUTE, NOON, YIELD, Log, published, template


def outcomes(log: Log) -> dict[str, int]:
    """The outcomes without the scored ones."""
    return {name: count for name, count in log.outcomes().items() if name != "scored"}


@pytest.mark.parametrize(("behind", "late"), [(7 * DAY, False), (7 * DAY + 1, True)])
def test_event_more_than_seven_days_behind_log_time_is_late(behind: int, late: bool) -> None:
    """Seven days behind its own log time an event still counts."""
    log = published()
    log.send(NOON + behind)
    assert outcomes(log) == ({"late": 1} if late else {})


@pytest.mark.parametrize(("behind", "late"), [(35 * DAY, False), (35 * DAY + 1, True)])
def test_event_more_than_35_days_before_its_sources_newest_is_late(behind: int, late: bool) -> None:
    """An import in disorder is bounded by the newest event of the same employee and source."""
    log = published()
    log.send(event_id="new", occurred_at=NOON)
    log.send(event_id="old", occurred_at=NOON - behind)
    assert outcomes(log) == ({"late": 1} if late else {})


@pytest.mark.parametrize(
    "fields", [{"source": "other"}, {"employee_id": "E2"}, {"type": "business.output", "measures": {}}]
)
def test_the_newest_is_per_topic_employee_and_source(fields: dict[str, Any]) -> None:
    """Another source, employee or topic does not make an event late."""
    log = published()
    log.send(event_id="new", occurred_at=NOON)
    log.send(event_id="old", occurred_at=NOON - 36 * DAY, **fields)
    assert "late" not in log.outcomes()


def test_older_event_does_not_move_the_newest_back() -> None:
    """The newest is the largest T so far, not the last."""
    log = published()
    for name, days in (("new", 0), ("middle", 20), ("old", 36)):
        log.send(event_id=name, occurred_at=NOON - days * DAY)
    assert log.outcomes() == {"late": 1, "scored": 2}


def test_what_was_rejected_or_late_does_not_move_the_newest() -> None:
    """A conflict and a late record leave the limit where it was."""
    log = published()
    log.send(event_id="a", occurred_at=NOON, source="one")
    log.send(event_id="a", occurred_at=NOON, source="two")  # a conflict: the newest of source two stays unknown
    log.send(event_id="b", occurred_at=NOON - 36 * DAY, source="two")
    log.send(NOON + 8 * DAY, event_id="c", occurred_at=NOON, source="three")  # late
    log.send(event_id="d", occurred_at=NOON - 36 * DAY, source="three")
    assert outcomes(log) == {"late": 1, "rejected:conflict": 1}


@pytest.mark.parametrize(("behind", "late"), [(400 * DAY, False), (400 * DAY + 1, True)])
def test_correction_is_late_only_after_400_days(behind: int, late: bool) -> None:
    """A correction may lie 400 days behind its log time and behind its source's newest."""
    by_log_time, by_newest = published(), published()
    by_log_time.send(NOON + behind, corrects="e0")
    by_newest.send(event_id="new", occurred_at=NOON)
    by_newest.send(event_id="fix", occurred_at=NOON - behind, corrects="e0")
    expected = {"late": 1} if late else {}
    assert outcomes(by_log_time) == expected
    assert outcomes(by_newest) == expected


def test_people_events_are_late_like_any_other() -> None:
    """An assignment that arrives more than seven days after it takes effect is late."""
    log = published()
    log.assign(NOON, sent_at=NOON + 8 * DAY, role="operator")
    assert log.outcomes() == {"late": 1}


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"measures": {"accepted": 1.0, "inspected": 1}},
        {"dims": {"b": "2", "a": "1"}},
        {"note": "unknown fields are no content"},
    ],
)
def test_same_content_is_a_duplicate(again: dict[str, Any]) -> None:
    """Content is type, corrects, source, measures by value and dims in any order."""
    log = published()
    log.send(dims={"a": "1", "b": "2"})
    log.send(NOON + HOUR, **{"dims": {"a": "1", "b": "2"}, **again})
    assert outcomes(log) == {"duplicate": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"type": "qc.check"},
        {"corrects": "e0"},
        {"source": "other"},
        {"measures": {"inspected": 2, "accepted": 1}},
        {"measures": {"inspected": 1, "accepted": 1, "scrapped": 0}},
        {"dims": {"line": "L1"}},
    ],
)
def test_other_content_is_a_conflict_and_the_first_counts(other: dict[str, Any]) -> None:
    """A record of a known identity with any other content is rejected."""
    log = published()
    log.send()
    log.send(**other)
    assert log.outcomes() == {"rejected:conflict": 1, "scored": 1}
    assert log.row()["sums"] == {"accepted": 1, "inspected": 1}


@pytest.mark.parametrize(
    "other",
    [{"event_id": "e2"}, {"employee_id": "E2"}, {"occurred_at": NOON + 1}, {"type": "business.output", "measures": {}}],
)
def test_identity_is_topic_employee_id_and_time(other: dict[str, Any]) -> None:
    """Records that differ in any part of the identity are different events."""
    log = published()
    log.send()
    log.send(**other)
    assert "duplicate" not in log.outcomes()
    assert "rejected:conflict" not in log.outcomes()


def test_absent_dims_are_empty_dims() -> None:
    """An event without dims has the same content as one with none in them."""
    log = published()
    log.send()
    log.send(dims={})
    assert outcomes(log) == {"duplicate": 1}


def test_rejected_and_late_records_register_no_identity() -> None:
    """After a late or invalid record of an identity, the first valid one counts."""
    log = published()
    log.send(NOON + 8 * DAY)
    log.send(measures={"inspected": 1, "accepted": 2})
    log.send(measures={"inspected": 4, "accepted": 2})
    assert log.outcomes() == {"late": 1, "rejected:inconsistent": 1, "scored": 1}


def test_late_is_tested_before_duplicate() -> None:
    """A copy that comes after the limit is late, not a duplicate."""
    log = published()
    log.send()
    log.send(NOON + 8 * DAY)
    assert outcomes(log) == {"late": 1}


def test_held_and_unused_records_register_their_identity() -> None:
    """A copy of a record that no template covers, or none uses, is a duplicate."""
    log = Log()
    log.send()
    log.send()
    assert log.outcomes() == {"duplicate": 1, "held": 1}
    log.publish(template(YIELD.replace("qc.inspection", "qc.audit")))
    assert log.outcomes() == {"duplicate": 1, "unused": 1}


@pytest.mark.parametrize(("ahead", "outcome"), [(35 * DAY, "rejected:conflict"), (35 * DAY + 1, "scored")])
def test_identity_is_forgotten_by_its_own_sources_newest(ahead: int, outcome: str) -> None:
    """A record of another source meets an identity only as long as the identity's own source keeps it."""
    log = published()
    log.send(event_id="a", source="one")
    log.send(event_id="b", source="one", occurred_at=NOON + ahead)
    log.send(event_id="a", source="two")
    expected = {"scored": 2} | ({outcome: 1} if outcome != "scored" else {"scored": 3})
    assert expected == log.outcomes()


@pytest.mark.parametrize(("ahead", "outcome"), [(400 * DAY, "duplicate"), (400 * DAY + 1, "late")])
def test_correction_is_remembered_for_400_days(ahead: int, outcome: str) -> None:
    """A correction sent again within its limit is a duplicate, after it late: it never counts twice."""
    log = published()
    log.send(event_id="fix", corrects="e0")
    log.send(event_id="new", occurred_at=NOON + ahead)
    log.send(event_id="fix", corrects="e0")
    assert outcomes(log) == {outcome: 1}


def test_log_imported_again_changes_nothing() -> None:
    """Ninety days of history sent twice end in the same sums: each copy is a duplicate or late."""
    once, twice = published(), published()
    for log in (once, twice):
        for day in range(90):
            log.send(event_id=f"e{day}", occurred_at=NOON + day * DAY + MINUTE)
    for day in range(90):
        twice.send(event_id=f"e{day}", occurred_at=NOON + day * DAY + MINUTE)
    assert outcomes(twice) == {"duplicate": 36, "late": 54}
    as_of = NOON + 89 * DAY
    assert list(once.recompute().rows(as_of)) == list(twice.recompute().rows(as_of))
