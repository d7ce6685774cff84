"""The whole: every record ends once, contributions add up, and neither order nor a shortcut changes an answer."""

import random
from itertools import groupby

import pytest

from agents.oracle import recompute
from tests.oracle.logs import DAY, HOUR, MINUTE, NOON, PARTITIONS, YIELD, Log, published, template, total

WINDOWS = ["rolling 60m", "rolling 240m", "day", "week", "month", "quarter", "year", "all"]
SEEDS = range(5)


def random_log(seed: int) -> Log:
    """Three weeks of four people: roles that change, versions, targets, corrections, copies, disorder, bad records."""
    rng = random.Random(seed)
    windows = YIELD.replace("[day]", f"[{', '.join(WINDOWS)}]").replace("from:", "where: {stage: [a, b]}, from:")
    output = (
        "{id: out, from: business.output, value: 'units / target(\"quota\")', points: 100 * value, weight: 2, "
        "dimension: attitude, windows: [day, all]}"
    )
    roles = "{roles: [operator]}"
    log = published(template(windows, output, applies_to=roles, timezone="Asia/Shanghai"))
    second = template(
        windows, applies_to=roles, timezone="Asia/Shanghai", version=2, effective_from="2026-03-10T06:30:00Z"
    )
    log.publish(second)
    log.publish(template(windows, name="all"), at=NOON + 21 * DAY)
    for number in range(400):
        _send_any(log, rng, number)
    return log


def _send_any(log: Log, rng: random.Random, number: int) -> None:
    at = NOON + rng.randrange(21 * DAY)
    sent_at = at + rng.choice([0, MINUTE, HOUR, 6 * DAY, 8 * DAY])
    person = {"employee_id": f"E{rng.randrange(1, 5)}", "event_id": f"e{number}", "occurred_at": at}
    kind = rng.randrange(10)
    if kind == 0:
        dims = {"role": rng.choice(["operator", "guest"])}
        log.send(sent_at, **person, type="people.assignment", measures={}, dims=dims)
    elif kind == 1:
        log.send(sent_at, **person, type="people.target", measures={"quota": rng.randrange(1, 50) / 8})
    elif kind == 2:
        log.send(sent_at, **person, corrects="any", measures={"accepted": -1}, dims={"stage": "a"})
    elif kind == 3:
        log.send(sent_at, **person, measures={"inspected": 1, "accepted": 2})
    elif kind == 4:
        log.send(sent_at, **person, type="business.output", measures={"units": rng.randrange(1000) / 1000})
    elif kind == 5 and log.records[-1].topic in ("qc-events", "business-events"):
        again = log.records[-1]
        log.append(again.topic, again.partition, again.timestamp, again.key, again.value)
    else:
        inspected = rng.randrange(20)
        measures = {"inspected": inspected, "accepted": rng.randrange(inspected + 1)}
        log.send(sent_at, **person, measures=measures, dims={"stage": rng.choice("abc")})


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_ends_exactly_once(seed: int) -> None:
    """The outcomes add up to the records of the input topics; templates and ticks are none of them."""
    log = random_log(seed)
    sent = [record for record in log.records if record.topic.endswith("-events")]
    outcomes = log.outcomes()
    assert len(sent) == total(outcomes)
    assert {"scored", "unused", "late", "duplicate", "rejected:inconsistent"} <= set(outcomes)


@pytest.mark.parametrize("seed", SEEDS)
def test_contributions_add_up_to_the_sums_of_every_row(seed: int) -> None:
    """What explain lists is what the score holds (invariant I6), in every window and of every person."""
    found = random_log(seed).recompute()
    as_of = NOON + 9 * DAY
    rows = [row for row in found.rows(as_of) if not str(row["indicator"]).startswith("@")]
    assert rows
    for row in rows:
        place = (str(row["employee_id"]), str(row["template"]), str(row["indicator"]), str(row["window"]))
        sums = dict.fromkeys(row["sums_micro"], 0) if isinstance(row["sums_micro"], dict) else {}
        for contribution in found.contributions(*place, as_of):
            for measure, amount in contribution.measures:
                sums[measure] += amount
        assert sums == row["sums_micro"]


@pytest.mark.parametrize("seed", SEEDS)
def test_topics_may_be_read_in_any_order(seed: int) -> None:
    """Only the order within a topic partition means anything."""
    log = random_log(seed)
    partitions = [
        list(records)
        for _, records in groupby(sorted(log.records, key=lambda record: record[:3]), key=lambda record: record[:2])
    ]
    random.Random(seed).shuffle(partitions)
    shuffled = recompute([record for records in partitions for record in records], partitions=PARTITIONS)
    right = log.recompute()
    assert right.outcomes == shuffled.outcomes
    for as_of in (NOON, NOON + 10 * DAY, right.last):
        assert list(right.rows(as_of)) == list(shuffled.rows(as_of))


@pytest.mark.parametrize("seed", SEEDS)
def test_known_at_is_the_log_cut_at_that_log_time(seed: int) -> None:
    """As known at a log time, records sent later do not exist, templates and ticks included."""
    log = random_log(seed)
    known_at = NOON + 12 * DAY
    cut = [record for record in log.records if record.timestamp <= known_at]
    left, right = log.recompute(known_at), recompute(cut, partitions=PARTITIONS)
    assert (left.outcomes, left.last) == (right.outcomes, right.last)
    assert list(left.rows(known_at)) == list(right.rows(known_at))
    assert left.outcomes != log.outcomes()


def test_known_at_includes_its_own_moment() -> None:
    """A record is known at its log time, and not a millisecond before."""
    log = published()
    log.send(NOON + 5)
    assert log.recompute(known_at=NOON + 4).outcomes == {}
    assert log.recompute(known_at=NOON + 5).outcomes == {"scored": 1}


def test_last_is_the_newest_scored_event_of_any_topic() -> None:
    """Held, unused, late and rejected records do not move `last`; people events do."""
    log = published(template(effective_from="2026-03-02T12:00:00Z"))
    assert log.recompute().last == 0
    log.send(event_id="scored", occurred_at=NOON + 1)
    log.send(event_id="unused", type="qc.audit", occurred_at=NOON + 5)
    assert log.recompute().last == NOON + 1
    log.assign(NOON + 3, role="operator")
    assert log.recompute().last == NOON + 3


def test_now_is_the_newest_tick_of_any_partition() -> None:
    """`now` is what the ticks say, 0 without any, and as known then."""
    log = published()
    assert log.recompute().now == 0
    log.tick(NOON, "E1")
    log.tick(NOON + 5, "E2")
    log.tick(NOON + 3, "E1")
    assert log.recompute().now == NOON + 5
    assert log.recompute(known_at=NOON + 4).now == NOON + 3


def test_other_topics_are_left_alone() -> None:
    """Records of outputs and commands are no input."""
    log = published()
    log.append("commands", 0, NOON, b"E1", b"{}")
    log.append("score-updates", 0, NOON, b"E1", b"{}")
    assert log.outcomes() == {}


def test_limits_are_settings() -> None:
    """Lateness, horizon and the correction's limit may be set."""
    log = published()
    log.send(NOON + 2 * HOUR, event_id="behind")
    log.send(event_id="new", occurred_at=NOON + 3 * HOUR)
    log.send(event_id="old", occurred_at=NOON - HOUR)
    log.send(NOON + 5 * HOUR, event_id="fix", corrects="x")
    found = recompute(log.records, partitions=PARTITIONS, late_ms=HOUR, horizon_ms=3 * HOUR, correction_ms=4 * HOUR)
    assert found.outcomes == {"late": 3, "scored": 1}


def test_contributions_of_no_row_are_empty() -> None:
    """An unknown person, template, indicator or window has no contributions; neither has a total."""
    log = published()
    log.send()
    found = log.recompute()
    assert len(found.contributions("E1", "op", "yield", "day", NOON)) == 1
    assert found.contributions("E2", "op", "yield", "day", NOON) == []
    assert found.contributions("E1", "other", "yield", "day", NOON) == []
    assert found.contributions("E1", "op", "@total", "day", NOON) == []
    assert found.contributions("E1", "op", "yield", "week", NOON) == []


def test_contribution_names_its_record() -> None:
    """Each contribution says where in the log it stands and what it adds, in millionths."""
    log = published()
    record = log.send(event_id="a", measures={"inspected": 2, "accepted": 1, "seconds": 0.5})
    (found,) = log.recompute().contributions("E1", "op", "yield", "day", NOON)
    assert found == (
        "qc-events", record.partition, record.offset, "a", NOON, (("accepted", 1_000_000), ("inspected", 2_000_000))
    )  # fmt: skip


def test_records_may_come_as_a_stream() -> None:
    """The log need not fit into memory at once: it is read in one pass."""
    log = random_log(0)
    assert recompute(iter(log.records), partitions=PARTITIONS).outcomes == log.outcomes()
