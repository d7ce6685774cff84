"""The rules in force follow from the templates in the log, whatever else is there and whatever the clocks said."""

from __future__ import annotations

from agents.rules import only, publications, rulebook, unknown_since, version_names
from agents.transport.embedded.log import Outgoing
from stream.topics import TEMPLATES
from tests.agents.agreement import disagreements
from tests.agents.logs import instant
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, MINUTE, NOON, Log, template


def _publish(rig: Rig, text: str | bytes | None, at: int, partition: int = 0) -> None:
    value = text.encode() if isinstance(text, str) else text
    rig.append([Outgoing(TEMPLATES, partition, at, b"key", value)])


def test_what_breaks_a_rule_of_publication_has_no_effect(rig: Rig) -> None:
    """A number twice, a later version that reaches into the past, and what is no template."""
    _publish(rig, template(effective_from="2020-01-01T00:00:00Z"), NOON)
    _publish(rig, template(effective_from="2030-01-01T00:00:00Z"), NOON + 1)
    _publish(rig, template(version=2, effective_from="2026-03-02T12:00:00Z"), NOON + 2)
    _publish(rig, "no template", NOON + 3)
    _publish(rig, b"\xff", NOON + 4)
    _publish(rig, None, NOON + 5)
    _publish(rig, template(version=3, effective_from="2026-03-02T12:00:01Z"), NOON + 6)
    assert ["op@1", "op@3"] == version_names(rulebook(rig.log))
    assert [NOON, NOON + 6] == [entry.published_at for entry in publications(rig.log)]


def test_what_is_known_at_a_time_leaves_out_later_publications(rig: Rig) -> None:
    """A publication counts from its own log time on."""
    _publish(rig, template(), NOON)
    _publish(rig, template(name="sales"), NOON + HOUR, partition=1)
    assert [] == version_names(rulebook(rig.log, NOON - 1))
    assert ["op@1"] == version_names(rulebook(rig.log, NOON + HOUR - 1))
    assert ["op@1", "sales@1"] == version_names(rulebook(rig.log, NOON + HOUR))


async def test_a_clock_set_back_does_not_turn_the_order_of_the_log(rig: Rig) -> None:
    """The first version of a template is the first in its partition, whatever its time says."""
    log = Log()
    log.send()
    rig.write(log)
    _publish(rig, template(effective_from="2026-01-01T00:00:00Z"), NOON)
    _publish(rig, template(version=2, effective_from="2026-03-02T11:59:00Z"), NOON - HOUR)
    rig.wall = NOON + DAY
    await rig.drain()
    assert ["op@1", "op@2"] == version_names(rig.rules)
    assert [] == disagreements(rig)


def test_a_rulebook_says_from_when_on_it_differs(rig: Rig) -> None:
    """The earliest effective date of what is not known; none when all is."""
    _publish(rig, template(effective_from="2026-01-01T00:00:00Z"), NOON)
    _publish(rig, template(version=2, effective_from="2026-03-03T00:00:00Z"), NOON + MINUTE)
    rules = rulebook(rig.log)
    assert None is unknown_since(["op@1", "op@2"], rules)
    assert instant("2026-03-03T00:00:00Z") == unknown_since(["op@1"], rules)
    assert instant("2026-01-01T00:00:00Z") == unknown_since([], rules)
    assert ["op@1"] == version_names(only(rules, ["op@1"]))
    assert rules is only(rules, ["op@1", "op@2"])
