"""Held, unused or scored: the end state is as if every template and assignment had been known from the start."""

import pytest

from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON, YIELD, Log, published, template

OPERATORS = "{roles: [operator, lead]}"


def test_event_without_any_template_is_held_and_released_by_a_publication() -> None:
    """A first version may begin in the past and releases what waits for it."""
    log = Log()
    log.send()
    assert log.outcomes() == {"held": 1}
    log.publish(template(effective_from="2026-03-01T00:00:00Z"), at=NOON + DAY)
    assert log.outcomes() == {"scored": 1}
    assert log.row()["sums"] == {"accepted": 1, "inspected": 1}


def test_event_before_the_first_version_stays_held() -> None:
    """A version covers what occurred from its `effective_from` on, the moment itself included."""
    log = published(template(effective_from="2026-03-02T12:00:00Z"))
    log.send(event_id="at", occurred_at=NOON)
    log.send(event_id="before", occurred_at=NOON - 1)
    assert log.outcomes() == {"held": 1, "scored": 1}


def test_event_of_a_person_without_a_named_role_is_held_and_released_by_an_assignment() -> None:
    """An assignment that arrives later, effective earlier, releases what it covers."""
    log = published(template(applies_to=OPERATORS))
    log.send(event_id="before", occurred_at=NOON - HOUR)
    log.send(event_id="after", occurred_at=NOON)
    assert log.outcomes() == {"held": 2}
    log.assign(NOON - HOUR + 1, sent_at=NOON + DAY, role="lead")
    assert log.outcomes() == {"held": 1, "scored": 2}
    assert log.ids() == ["after"]


def test_event_that_no_indicator_matches_is_unused() -> None:
    """Unused says that a template applies and asks for something else."""
    log = published()
    log.send(type="qc.audit")
    log.send(type="business.output", measures={})
    assert log.outcomes() == {"unused": 2}


def test_one_of_several_templates_is_enough() -> None:
    """An event is scored when an indicator of any applying template matches, unused when some applies, else held."""
    pieces = template(YIELD.replace("qc.inspection", "qc.audit"), name="audit")
    log = published(template(applies_to=OPERATORS), pieces)
    log.send()
    log.send(event_id="audit", type="qc.audit")
    assert log.outcomes() == {"scored": 1, "unused": 1}


def test_people_events_are_scored_whatever_applies() -> None:
    """Assignments, targets and other people events need no template."""
    log = Log()
    log.assign(NOON, role="operator")
    log.target(NOON, units=5)
    log.send(type="people.course", measures={})
    assert log.outcomes() == {"scored": 3}


def test_latest_assignment_holds_and_an_absent_role_is_none() -> None:
    """The dims of an assignment count as they stand: without a role the person has none."""
    log = published(template(applies_to=OPERATORS))
    log.assign(NOON - 2 * HOUR, role="operator")
    log.assign(NOON - HOUR, unit="L1")
    log.assign(NOON, role="lead")
    for hours in range(4):
        log.send(event_id=f"e{hours}", occurred_at=NOON - hours * HOUR)
    assert log.outcomes() == {"held": 2, "scored": 5}
    assert log.ids() == ["e2", "e0"]


def test_of_equal_times_the_later_assignment_in_the_log_holds() -> None:
    """Two assignments at one moment: the second replaces the first."""
    log = published(template(applies_to=OPERATORS))
    log.send()
    log.assign(NOON, role="operator")
    log.assign(NOON, role="guest")
    assert log.outcomes() == {"held": 1, "scored": 2}


def test_correcting_assignment_replaces_the_one_at_its_time() -> None:
    """A correction of type people.assignment enters as an assignment at its T, up to 400 days back."""
    log = published(template(applies_to=OPERATORS))
    log.send()
    first = log.assign(NOON, role="guest")
    log.send(
        NOON + 300 * DAY, event_id="fix", type="people.assignment", occurred_at=NOON, measures={},
        dims={"role": "operator"}, corrects=f"assign-{first.offset + 2}",
    )  # fmt: skip
    assert log.outcomes() == {"scored": 3}


def test_late_assignment_takes_events_away_as_well() -> None:
    """Restating works both ways: what was scored for one role is held when the role turns out to be another."""
    log = published(template(applies_to=OPERATORS))
    log.assign(NOON - DAY, role="operator")
    log.send()
    assert log.outcomes() == {"scored": 2}
    log.assign(NOON - HOUR, sent_at=NOON + DAY, role="guest")
    assert log.outcomes() == {"held": 1, "scored": 2}


@pytest.mark.parametrize(("age", "outcome"), [(400 * DAY, "held"), (400 * DAY + 1, "late")])
def test_held_event_becomes_late_at_a_tick_after_400_days(age: int, outcome: str) -> None:
    """Four hundred days after it occurred a held event is given up."""
    log = Log()
    log.send()
    log.tick(NOON + age)
    assert log.outcomes() == {outcome: 1}


def test_what_became_late_at_a_tick_is_not_released_afterwards() -> None:
    """A publication after the tick comes too late, one before it in time."""
    after, before = Log(), Log()
    for log in (after, before):
        log.send()
    before.publish(template(), at=NOON + 399 * DAY)
    for log in (after, before):
        log.tick(NOON + 401 * DAY)
    after.publish(template(), at=NOON + 402 * DAY)
    assert after.outcomes() == {"late": 1}
    assert before.outcomes() == {"scored": 1}


def test_assignment_that_a_tick_follows_is_known_at_it() -> None:
    """Whether an assignment came before the tick is said by the offset that the tick follows, not by log times."""
    in_time, too_late = published(template(applies_to=OPERATORS)), published(template(applies_to=OPERATORS))
    for log in (in_time, too_late):
        log.send(occurred_at=NOON)
    in_time.assign(NOON, role="operator")
    for log in (in_time, too_late):
        log.tick(NOON + 401 * DAY)
    too_late.assign(NOON, role="operator")
    assert in_time.outcomes() == {"scored": 2}
    assert too_late.outcomes() == {"late": 1, "scored": 1}


def test_event_that_a_tick_does_not_follow_is_not_judged_by_it() -> None:
    """A history imported after the tick waits for the next one."""
    log = Log()
    log.tick(NOON + 401 * DAY)
    log.send()
    assert log.outcomes() == {"held": 1}
    log.tick(NOON + 401 * DAY)
    assert log.outcomes() == {"late": 1}


def test_event_that_loses_its_role_when_it_is_old_becomes_late_at_the_next_tick() -> None:
    """Scored at one tick, held at a later one: what is held and too old is late."""
    log = published(template(applies_to=OPERATORS))
    log.assign(NOON - DAY, role="operator")
    log.send()
    log.tick(NOON + 401 * DAY)
    assert log.outcomes() == {"scored": 2}
    log.assign(NOON - HOUR, sent_at=NOON, role="guest")
    assert log.outcomes() == {"held": 1, "scored": 2}
    log.tick(NOON + 401 * DAY)
    assert log.outcomes() == {"late": 1, "scored": 2}


def test_ticks_of_other_partitions_and_people_events_are_left_alone() -> None:
    """A tick acts in its own partition, and a people event never waits."""
    log = Log()
    log.send()
    log.assign(NOON, role="operator")
    log.tick(NOON + 401 * DAY, employee="E2")
    assert log.outcomes() == {"held": 1, "scored": 1}
    log.tick(NOON + 401 * DAY)
    assert log.outcomes() == {"late": 1, "scored": 1}


def test_broken_ticks_are_passed_over() -> None:
    """What is no tick moves nothing."""
    log = published()
    for key, value in (
        (b"0", b"{}"),
        (b"x", b'{"at":1,"follows":{}}'),
        (None, None),
        (b"0", b'{"at":"1","follows":{}}'),
    ):
        log.append("ticks", 0, MIDNIGHT, key, value)
    assert log.recompute().now == 0
