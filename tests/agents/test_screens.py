"""What screens show follows every change, also one that only time makes."""

from __future__ import annotations

from stream.topics import TICKS
from tests.agents.agreement import shown_wrong
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, MINUTE, NOON, Log, published, template

RATE = "value: accepted / inspected, rate: {good: accepted, of: inspected}"


async def _passes(rig: Rig, milliseconds: int) -> None:
    rig.wall += milliseconds
    rig.tick()
    rig.feed(TICKS)
    await rig.commit()


def _value(rig: Rig, window: str) -> object:
    (row,) = [row for row in rig.updates()["E1"].rows if row.window == window and not row.indicator.startswith("@")]
    return row.value


async def test_a_pane_that_leaves_a_rolling_window_leaves_the_screen(rig: Rig) -> None:
    """Without any event the value is gone at the first tick at which its pane is outside."""
    log = published(template(f"{{id: yield, from: qc.inspection, {RATE}, windows: [rolling 60m]}}"))
    log.send()
    rig.write(log)
    await rig.drain()
    await _passes(rig, HOUR - 1_000)
    assert 1 == _value(rig, "rolling 60m")
    await _passes(rig, 1_000)
    assert None is _value(rig, "rolling 60m")
    assert [] == shown_wrong(rig)


async def test_a_day_that_ends_leaves_the_screen(rig: Rig) -> None:
    """At local midnight the day's value is gone, after a restart too."""
    log = published(template(timezone="Asia/Shanghai"))
    log.send()
    rig.write(log)
    await rig.drain()
    await _passes(rig, 4 * HOUR - 1_000)
    assert 1 == _value(rig, "day")
    await rig.crash()
    rig.restart("deleted")
    await _passes(rig, 1_000)
    assert None is _value(rig, "day")
    assert [] == shown_wrong(rig)


async def test_a_template_that_takes_effect_shows_its_rows(rig: Rig) -> None:
    """Another template's first version begins for a person without any event of theirs."""
    log = published(
        template(windows := "{id: a, from: qc.inspection, value: accepted, windows: [all]}"),
        template(windows, name="later", effective_from="2026-03-02T13:00:00Z"),
    )
    log.send()
    rig.write(log)
    await rig.drain()
    assert {"op"} == {row.template for row in rig.updates()["E1"].rows}
    await _passes(rig, HOUR)
    assert {"op", "later"} == {row.template for row in rig.updates()["E1"].rows}


async def test_a_unit_keeps_what_somebody_did_there_in_another_role(rig: Rig) -> None:
    """A unit pools by the role and unit at event time; that the member has moved on changes nothing."""
    log = published(template(applies_to="{roles: [operator]}"), template(name="sales", applies_to="{roles: [seller]}"))
    log.assign(NOON - HOUR, role="operator", unit="L1")
    log.send()
    log.assign(NOON + MINUTE, role="seller", unit="L2")
    rig.write(log)
    rig.wall = NOON + HOUR
    await rig.drain()
    assert [] == shown_wrong(rig)


async def test_a_unit_forgets_what_somebody_did_there_on_another_day(rig: Rig) -> None:
    """The contribution of somebody in another role ends with its window, by time alone."""
    log = published(template(applies_to="{roles: [operator]}"))
    log.assign(NOON - HOUR, role="operator", unit="L1")
    log.send()
    log.assign(NOON + MINUTE, role="seller", unit="L2")
    rig.write(log)
    rig.wall = NOON + HOUR
    await rig.drain()
    await _passes(rig, DAY)
    assert [] == shown_wrong(rig)


async def test_nobody_without_rows_is_shown(rig: Rig) -> None:
    """Somebody with nothing but late records leaves no update."""
    log = Log()
    log.send(NOON + 8 * DAY)
    rig.write(log)
    rig.wall = NOON + 8 * DAY
    await rig.drain()
    assert {} == rig.updates()
