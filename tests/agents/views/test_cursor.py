"""Reading on from a place: everything once, fairly, in bounded batches, and knowing when the end was reached."""

from __future__ import annotations

from agents.views.conflate import alert_view
from agents.views.cursor import RECORDS, Cursor
from agents.views.port import Batch, Place
from stream.topics import ALERTS, SCORE_UPDATES, TEMPLATES, UNIT_UPDATES
from tests.agents.views.fake_log import FakeLog
from tests.web.factories import NOW, alert, line, row, scores, tick, unit_scores


def everything(log: FakeLog, places: dict[int, Place] | None = None) -> tuple[list[Batch], Cursor]:
    """All batches until nothing is new."""
    cursor = Cursor(log.log, places or {number: Place() for number in range(log.partitions)})
    found: list[Batch] = []
    while (batch := cursor.poll()).after != batch.before:
        found.append(batch)
        cursor.advance(batch)
    return found, cursor


def test_a_batch_holds_the_latest_of_each_key() -> None:
    """A backlog is written once per person, not once per update."""
    log = FakeLog(scores("E1", row(1)), scores("E1", row(2)), scores("E2"), scores("E1", row(3)))
    ((batch, *_), _) = everything(log)
    assert {"E1": scores("E1", row(3)).value, "E2": scores("E2").value} == batch.employees
    assert 4 == batch.after[0].offsets[SCORE_UPDATES]


def test_of_an_alert_its_newest_record_is_its_state() -> None:
    """What is over when it is read is taken away, whatever was said before."""
    log = FakeLog(alert("a1"), alert("a2"), alert("a1", state="cleared"), alert("a2", state="shelved"))
    ((batch, *_), _) = everything(log)
    assert batch.alerts["a1"] is None
    assert (batch.alerts["a2"], 4) == (
        alert_view("a2", alert("a2", state="shelved").value or b""),
        batch.after[0].offsets[ALERTS],
    )


def test_a_batch_is_taken_again_until_it_is_in_the_views() -> None:
    """A write that failed has lost nothing."""
    cursor = Cursor(FakeLog(*line()).log, {0: Place()})
    assert cursor.poll().employees == cursor.poll().employees


def test_a_place_is_where_reading_goes_on() -> None:
    """What the views hold is not read again."""
    log = FakeLog(scores("E1"), scores("E2"), scores("E3"))
    (batches, _) = everything(log, {0: Place({SCORE_UPDATES: 2}, caught_up=True)})
    assert {"E3"} == set(batches[0].employees)


def test_a_batch_is_no_larger_than_a_write_may_be() -> None:
    """And all batches together are everything."""
    log = FakeLog(*(scores(f"E{number}") for number in range(2 * RECORDS + 7)))
    batches, _ = everything(log)
    assert all(len(batch.employees) <= RECORDS for batch in batches)
    assert 2 * RECORDS + 7 == len({who for batch in batches for who in batch.employees})


def test_no_partition_waits_behind_a_busy_one() -> None:
    """Whatever is published meanwhile: each has its turn."""
    log = FakeLog(*(scores(f"E{number}") for number in range(5 * RECORDS)), partitions=2)
    log.write(*(unit_scores(f"U{number}", []) for number in range(3 * RECORDS)))
    log.write(scores("other")._replace(partition=1), unit_scores("L03", [])._replace(partition=1))
    batches, _ = everything(log)
    first = next(place for place, batch in enumerate(batches) if "other" in batch.employees)
    assert first <= 2


def test_the_end_is_reached_when_all_topics_are_read_to_where_they_ended_at_the_start() -> None:
    """Views are complete then, and stay so however much is published from now on."""
    log = FakeLog(*(scores(f"E{number}") for number in range(RECORDS + 5)))
    cursor = Cursor(log.log, {0: Place()})
    first = cursor.poll()
    assert not first.after[0].caught_up
    cursor.advance(first)
    log.write(*(scores(f"F{number}") for number in range(3 * RECORDS)))
    second = cursor.poll()
    assert second.after[0].caught_up
    cursor.advance(second)
    assert cursor.poll().after[0].caught_up


def test_an_end_that_no_record_leads_to_is_reached_all_the_same() -> None:
    """The mark of a transaction, or compaction, may stand behind the last record."""
    log = FakeLog()
    log.write(scores("E1"), unit_scores("L03", ["E1"]), gap=1)
    batches, _ = everything(log)
    assert batches[-1].after[0].caught_up


def test_a_read_that_gives_less_than_there_is_is_no_end() -> None:
    """Large records: a log limits a read by bytes as well."""
    log = FakeLog(*(scores(f"E{number}") for number in range(10)))
    log.most = 3
    batches, _ = everything(log)
    assert [False, False, False, True] == [batch.after[0].caught_up for batch in batches]


def test_of_ticks_only_the_newest_is_read() -> None:
    """The topic keeps every second; also one whose transaction's mark stands behind it."""
    log = FakeLog(*(tick(NOW + second) for second in range(1000)))
    log.write(tick(NOW + 1000), gap=1)
    ((batch, *_), cursor) = everything(log)
    assert (NOW + 1000, NOW + 1000) == (batch.after[0].now, batch.after[0].heard)
    log.write(tick(NOW + 5))
    assert NOW + 1000 == cursor.poll().after[0].now


def test_an_idle_log_is_hardly_read() -> None:
    """The views look once a second, for weeks."""
    log = FakeLog(*line())
    _, cursor = everything(log)
    log.write(scores("E1"), tick(NOW + 1), gap=1)  # its transaction's mark stands behind it
    cursor.advance(cursor.poll())
    cursor.poll()
    log.reads.clear()
    cursor.poll()
    assert [] == log.reads


def test_what_cannot_be_read_is_counted_and_passed_over() -> None:
    """One bad record does not hold up the rest."""
    bad = [
        scores("E1")._replace(key=b"<script>"),
        scores("E1")._replace(key=b"\xff"),
        scores("E1")._replace(key=None),
        unit_scores("L1", [])._replace(value=b"{"),
        unit_scores("L1", [])._replace(key=b"L2"),
        unit_scores("L" * 129, []),
        unit_scores("L\x00", []),
        alert("a1")._replace(key=b"a2"),
        alert("a1", raised_at="yesterday"),
        alert("a1")._replace(key=b"a 1"),
        alert("a1")._replace(value=b"{"),
    ]
    batches, cursor = everything(FakeLog(*bad, scores("E9")))
    assert ({"E9"}, {}, {}, 11) == (
        set(batches[0].employees), dict(batches[0].units), dict(batches[0].alerts), cursor.unreadable,
    )  # fmt: skip


def test_after_compaction_the_views_are_the_same() -> None:
    """Whoever lost them and reads what is left builds what was there."""
    log = FakeLog(*line(people=5), *(scores("E0001", row(good)) for good in range(50)), unit_scores("L03", ["E0001"]))
    before = latest(everything(log)[0])
    log.compact()
    assert before == latest(everything(log)[0])


def latest(batches: list[Batch]) -> dict[str, object]:
    """What the batches leave in the views."""
    found: dict[str, object] = {}
    for batch in batches:
        found |= {f"{UNIT_UPDATES}/{key}": unit for key, unit in batch.units.items()}
        found |= {f"{SCORE_UPDATES}/{key}": value for key, value in batch.employees.items()}
        found |= {f"{TEMPLATES}/{key}": text for key, text in batch.templates.items()}
        found |= {f"{ALERTS}/{key}": view for key, view in batch.alerts.items()}
    return found
