"""Personal targets: the latest by event time, corrected at their own time."""

from collections.abc import Callable

import pytest

from tests.oracle.logs import DAY, HOUR, NOON, Log, published, template

READ = (
    "{id: quota, from: business.output, value: 'target(\"quota\")', windows: [all]}, "
    "{id: other, from: business.output, value: 'target(\"other\")', windows: [all]}"
)


def quota(log: Log, at: int = NOON, name: str = "quota") -> float | None:
    """The target in force, read through an indicator that shows it."""
    log.send(event_id=f"look-{len(log.records)}", type="business.output", occurred_at=NOON, measures={})
    value = log.row(at, name, "all")["value"]
    assert value is None or isinstance(value, float)
    return value


def with_targets(*steps: Callable[[Log], object]) -> Log:
    """A log in which these targets were sent."""
    log = published(template(READ))
    for step in steps:
        step(log)
    return log


def test_latest_target_by_event_time_holds() -> None:
    """A target holds from its occurred_at on, whenever it arrived."""
    log = with_targets(lambda log: log.target(NOON, quota=60), lambda log: log.target(NOON - DAY, quota=50.5))
    assert quota(log, NOON - DAY - 1) is None
    assert quota(log, NOON - DAY) == 50.5
    assert quota(log, NOON - 1) == 50.5
    assert quota(log, NOON) == 60.0


def test_each_name_has_its_own_latest() -> None:
    """A target event that leaves a name out leaves that name's target alone."""
    log = with_targets(lambda log: log.target(NOON - DAY, quota=50, other=5), lambda log: log.target(NOON, quota=60))
    assert (quota(log), quota(log, name="other")) == (60.0, 5.0)


def test_of_equal_times_the_later_in_the_log_holds() -> None:
    """Two targets at one moment: the second replaces the first."""
    log = with_targets(lambda log: log.target(NOON, quota=60), lambda log: log.target(NOON, quota=50))
    assert quota(log) == 50.0


@pytest.mark.parametrize("correction_first", [True, False])
def test_correction_adds_to_the_entry_at_its_time(correction_first: bool) -> None:
    """Before or after its event in the log, a correction moves the target at its own T only."""
    steps: list[Callable[[Log], object]] = [
        lambda log: log.target(NOON - HOUR, quota=60),
        lambda log: log.target(NOON - HOUR, corrects="t", quota=-4.5, other=2),
    ]
    log = with_targets(lambda log: log.target(NOON, quota=70), *(reversed(steps) if correction_first else steps))
    assert quota(log, NOON - HOUR) == 55.5
    assert quota(log, NOON - HOUR, name="other") == 2.0
    assert quota(log, NOON) == 70.0


def test_correction_without_an_event_starts_from_zero() -> None:
    """An entry that only corrections made is their sum, and hides the entries before it."""
    log = with_targets(
        lambda log: log.target(NOON - DAY, quota=60),
        lambda log: log.target(NOON, corrects="t", quota=5),
        lambda log: log.target(NOON, corrects="t", quota=2, sent_at=NOON + 300 * DAY),
    )
    assert quota(log) == 7.0


def test_target_of_another_person_does_not_count() -> None:
    """Targets are personal."""
    log = with_targets()
    log.send(type="people.target", employee_id="E2", measures={"quota": 60})
    assert quota(log) is None
