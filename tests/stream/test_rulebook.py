"""Which versions hold for whom and when, to the millisecond, and what an event does under them."""

from __future__ import annotations

from schemas.measures import NO_DIMS, Dims, dims_of
from stream.calendars import FOREVER
from stream.rulebook import Rulebook, measures_of
from stream.template import Template, load_published
from tests.oracle.logs import NOON, template

OPERATORS = "{roles: [operator]}"


def _loaded(*indicators: str, **fields: object) -> Template:
    return load_published(template(*indicators, **fields))  # type: ignore[arg-type]


def _dims(**values: str) -> Dims:
    found = dims_of(values)
    assert isinstance(found, Dims)
    return found


def test_a_version_holds_until_the_next_takes_effect() -> None:
    """From its instant on, up to the next one's; the last for ever; before the first there is none."""
    rules = Rulebook([_loaded(version=2, effective_from="2026-03-02T12:00:00Z"), _loaded()])
    first, second = rules.versions["op"]
    assert (NOON, FOREVER) == (second.begins, second.ends)
    assert first.ends == NOON
    assert None is rules.in_force("op", first.begins - 1)
    assert first is rules.in_force("op", first.begins)
    assert first is rules.in_force("op", NOON - 1)
    assert second is rules.in_force("op", NOON)
    assert None is rules.in_force("unknown", NOON)


def test_of_two_versions_with_one_instant_the_higher_number_holds() -> None:
    """The other one is never in force."""
    rules = Rulebook([_loaded(version=3), _loaded(version=2)])
    assert [2, 3] == [version.template.version for version in rules.versions["op"]]
    found = rules.in_force("op", NOON)
    assert found is not None
    assert 3 == found.template.version


def test_a_regime_is_what_holds_for_a_role_between_two_edges() -> None:
    """Versions for everyone and for the role; the edges are those of all templates."""
    rules = Rulebook([_loaded(), _loaded(name="work", applies_to=OPERATORS, effective_from="2026-03-02T12:00:00Z")])
    before, after = rules.regime("operator", NOON - 1), rules.regime("operator", NOON)
    assert ["op"] == [version.template.template for version in before.versions]
    assert ["op", "work"] == [version.template.template for version in after.versions]
    assert before.ends == after.begins == NOON
    assert ["op"] == [version.template.template for version in rules.regime(None, NOON).versions]
    assert after is rules.regime("operator", NOON + 5)


def test_indicators_that_count_the_same_events_share_sums() -> None:
    """One group per type and conditions, with all measures and windows of its indicators."""
    one = "{id: a, from: qc.inspection, where: {stage: [x, y]}, value: accepted, windows: [day, rolling 60m, shift]}"
    two = "{id: b, from: qc.inspection, where: {stage: [y, x]}, value: scrapped, windows: [rolling 5m, all]}"
    three = "{id: c, from: qc.inspection, value: accepted, windows: [day]}"
    (version,) = Rulebook([_loaded(one, two, three)]).versions["op"]
    assert (0, 0, 1) == version.group_of
    shared = version.groups[0]
    assert ("accepted", "scrapped") == shared.names
    assert ((60_000, 60),) == shared.panes
    assert ("all", "day", "shift") == shared.calendars
    indicators = version.template.indicators
    assert ("accepted",) == measures_of(indicators[0])


def test_an_event_enters_every_group_that_it_matches() -> None:
    """Type and all conditions; one of the values is enough; a missing dim matches nothing."""
    one = "{id: a, from: qc.inspection, where: {stage: [x, y], line: L1}, value: accepted, windows: [day]}"
    two = "{id: b, from: qc.inspection, value: accepted, windows: [day]}"
    regime = Rulebook([_loaded(one, two)]).regime(None, NOON)
    both = regime.action("qc.inspection", _dims(stage="y", line="L1", more="z"))
    assert [0, 1] == [entry.group.index for entry in both.entries]
    assert "L1" == both.line
    assert [1] == [entry.group.index for entry in regime.action("qc.inspection", _dims(stage="y")).entries]
    assert () == regime.action("qc.other", NO_DIMS).entries
    assert both is regime.action("qc.inspection", _dims(line="L1", stage="y", more="z"))
