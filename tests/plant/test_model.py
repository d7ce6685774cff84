"""History and live records are valid, ordered, repeatable, and make the board show what it should."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from itertools import islice

import pytest

from agents.oracle.log import LogRecord
from agents.oracle.recompute import recompute
from agents.plant.model import assigned, history, live
from agents.plant.senders import Sending
from agents.plant.work import HIRED
from schemas.event import Event, decode_one
from schemas.instants import HOUR, MINUTE
from stream.template import Template, check
from tests.plant.records import START, events, live_minutes, plant, rate


@pytest.fixture(scope="module")
def past() -> list[Sending]:
    """The last 90 minutes before the start."""
    return history(plant(), START)


@pytest.fixture(scope="module")
def present() -> list[Sending]:
    """The first half hour."""
    return live_minutes(30)


@pytest.fixture(scope="module")
def template() -> Template:
    """The template that the plant's events are meant for."""
    text = (files("schemas.packs") / "production-operator.yaml").read_text(encoding="utf-8")
    found = check(text).template
    assert found is not None
    return found


def decoded(record: Sending) -> Event:
    """The record as the product reads it."""
    found = decode_one(record.value, record.key, record.topic, record.at, lambda key: True)
    assert isinstance(found, Event), found
    return found


def test_history_is_sent_at_its_own_time(past: list[Sending]) -> None:
    """Every record is valid, stamped with the event's own time, sorted, and of the last 90 minutes."""
    found = [decoded(record) for record in past]
    assert [event.occurred_at for event in found] == [record.at for record in past]
    assert [record.at for record in past] == sorted(record.at for record in past)
    assert {record.kind for record in past} == {"inspection", "output", "cost"}
    assert all(START - 90 * MINUTE <= r.at < START for r in past)


def test_without_records_everybody_is_assigned_by_an_event() -> None:
    """All 42 people are operators of their line from long ago."""
    found = events(assigned(plant()), "assignment")
    assert len(found) == 42
    assert {event["employee_id"] for event in found} == {person.id for person in plant().people}
    assert {event["dims"]["role"] for event in found} == {"operator"}
    assert all(event["dims"]["unit"] == f"L0{event['employee_id'][1]}" for event in found)
    assert {record.at for record in assigned(plant())} == {HIRED}


def test_live_records_are_valid_and_in_the_order_of_sending(present: list[Sending]) -> None:
    """Whatever is not meant as garbage is valid, and nothing is sent before it happened or before the start."""
    assert [record.at for record in present] == sorted(record.at for record in present)
    assert present[0].at >= START
    found = [decoded(record) for record in present if record.kind != "garbage"]
    assert all(event.timestamp > event.occurred_at for event in found)


def test_live_has_every_kind(present: list[Sending]) -> None:
    """Half an hour holds work, laboratory results, repetitions, garbage and too late events."""
    kinds = Counter(record.kind for record in present)
    assert set(kinds) == {"inspection", "output", "cost", "lab", "duplicate", "garbage", "late"}


def test_history_and_live_join_without_a_seam() -> None:
    """Work around the start is what a longer history of a later start holds, but for the drop of quality."""
    early, late = START, START + 10 * MINUTE
    joined = events(history(plant(), early, 10) + live_minutes(10, early), "inspection", "output", "cost")
    whole = events(history(plant(), late, 20), "inspection", "output", "cost")
    last = max(event["occurred_at"] for event in joined)
    names = {(event["employee_id"], event["event_id"], event["occurred_at"]) for event in joined}
    assert names == {
        (e["employee_id"], e["event_id"], e["occurred_at"]) for e in whole if e["occurred_at"] <= last
    }  # fmt: skip


def test_same_seed_and_start_give_the_same_bytes() -> None:
    """Twice the same, and another seed something else."""
    first = list(islice(live(plant(), START), 500))
    assert first == list(islice(live(plant(), START), 500))
    assert first != list(islice(live(plant(8), START), 500))
    assert history(plant(), START, 5) == history(plant(), START, 5)


def test_everyone_on_shift_is_inspected_every_quarter_minute(past: list[Sending]) -> None:
    """Each of the people on shift has an inspection every 10 to 20 s, apart from the trainee."""
    counts = Counter(e["employee_id"] for e in events(past, "inspection"))
    present = {person.id: person for person in plant().on_shift(START)}
    assert set(counts) == set(present)
    for person, count in counts.items():
        assert present[person].trainee or 10 <= 90 * 60 / count <= 20


def test_only_the_trainee_has_too_little_for_a_score(past: list[Sending]) -> None:
    """In the last hour everybody has 30 semi-finished pieces except the one who is still learning."""
    pieces: Counter[str] = Counter()
    for record in past:
        if record.kind == "inspection" and record.at >= START - HOUR:
            event = events([record], "inspection")[0]
            pieces[event["employee_id"]] += event["measures"]["inspected"] * (event["dims"]["stage"] == "semi_finished")
    assert {person for person, count in pieces.items() if count < 30} == {
        person.id for person in plant().on_shift(START) if person.trainee
    }


def test_products_differ_in_difficulty(past: list[Sending]) -> None:
    """The hardest product yields clearly less than the easiest, and all together lie around the target of 95 %."""
    semi = [e for e in events(past, "inspection") if e["dims"]["stage"] == "semi_finished"]
    by_product = {p: rate(e for e in semi if e["dims"]["product"] == p) for p in {e["dims"]["product"] for e in semi}}
    assert min(by_product.values()) < max(by_product.values()) - 0.02
    assert 0.93 < rate(semi) < 0.985


@pytest.mark.parametrize("seed", [1, 7])
def test_the_drop_is_visible_on_its_line_only(seed: int) -> None:
    """From a minute after the start the second line yields 8 points less than before, the others do not."""
    begin = START + MINUTE
    before = history(plant(seed), START)
    after = [record for record in live_minutes(15, seed=seed) if record.at >= begin]
    fall = {}
    for line in ("L01", "L02", "L03"):
        old, new = (
            rate(e for e in events(part, "inspection") if e["dims"]["line"] == line) for part in (before, after)
        )
        fall[line] = old - new
    assert fall["L02"] > 0.08
    assert max(fall["L01"], fall["L03"]) < 0.03


def test_before_the_drop_all_is_well() -> None:
    """In the first minute the second line is as good as the others."""
    first = [e for e in events(live_minutes(1), "inspection") if e["dims"]["line"] == "L02"]
    assert rate(first) > 0.9


def test_every_event_counts_in_an_indicator(past: list[Sending], template: Template) -> None:
    """The operators' template has an indicator for each business and quality event, and every indicator gets some."""
    used = set()
    for event in events(past, "inspection", "output", "cost"):
        matching = {
            indicator.id
            for indicator in template.indicators
            if indicator.source == event["type"]
            and all(event["dims"].get(dim) in values for dim, values in indicator.where)
            and set(indicator.value.names) <= set(event["measures"])
        }
        assert matching, event
        used |= matching
    assert used == {indicator.id for indicator in template.indicators}
    assert template.roles == frozenset({"operator"})
    assert template.effective_from <= HIRED


def test_a_recomputation_tells_the_senders_apart(
    past: list[Sending], present: list[Sending], template: Template
) -> None:
    """What is scored, duplicate, late or rejected is exactly the work, the repetitions, the old events, the garbage."""
    records = [LogRecord("templates", 0, 0, START, b"production-operator@1", template.text.encode())]
    there = [*assigned(plant()), *past]
    for offset, record in enumerate([*there, *present]):
        records.append(LogRecord(record.topic, 0, offset, record.at, record.key, record.value))
    found = recompute(records, partitions=1)
    kinds = Counter(record.kind for record in present)
    outcomes = {name.partition(":")[0]: 0 for name in found.outcomes}
    for name, count in found.outcomes.items():
        outcomes[name.partition(":")[0]] += count
    assert outcomes == {
        "scored": len(there) + sum(kinds[kind] for kind in ("inspection", "output", "cost", "lab")),
        "duplicate": kinds["duplicate"],
        "late": kinds["late"],
        "rejected": kinds["garbage"],
    }
    assert len(found.employees) == len(plant().people)


def test_output_and_cost_are_around_their_targets(past: list[Sending]) -> None:
    """The plant as a whole makes 50 to 75 units an hour and spends within 3 % of its plan."""
    output = [event["measures"] for event in events(past, "output")]
    assert 50 < sum(m["produced"] for m in output) / sum(m["hours"] for m in output) < 75
    cost = [event["measures"] for event in events(past, "cost")]
    planned, actual = (sum(m[name] for m in cost) for name in ("planned_cost", "actual_cost"))
    assert actual == pytest.approx(planned, rel=0.03)


def test_a_change_of_shift_brings_other_people() -> None:
    """A history across six o'clock holds both shifts, the later one alone afterwards."""
    six = 1_790_028_000_000
    found = events(history(plant(), six + 10 * MINUTE, 20), "inspection")
    shifts = {(event["occurred_at"] >= "2026-09-21T22:00", event["employee_id"][2]) for event in found}
    assert shifts == {(False, "2"), (True, "1")}
