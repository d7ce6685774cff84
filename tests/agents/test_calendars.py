"""Shift calendars are published once, as templates are, and become part of the rules of everybody."""

from __future__ import annotations

import pytest

from agents.publishing import (
    CalendarRefused,
    is_published_calendar,
    publish,
    publish_calendar,
)
from agents.rules import calendars, only, publications, rulebook, unknown_since, version_names
from agents.transport.embedded.log import Outgoing
from stream.topics import TEMPLATES
from tests.agents.logs import instant
from tests.agents.rig import Rig
from tests.oracle.logs import HOUR, NOON, template
from tests.stream.test_calendars import SIMPLE, text


def calendar(version: int = 1, since: str = "2026-01-01T00:00:00Z", **fields: object) -> str:
    """A calendar of two shifts of twelve hours."""
    return text({**SIMPLE, "version": version, "effective_from": instant(since), **fields})


def test_a_calendar_becomes_a_rule_beside_templates(rig: Rig) -> None:
    """Under its own name, from its own instant on; templates are what they were."""
    published = publish_calendar(rig.log, calendar(), NOON)
    publish(rig.log, template(), NOON + 1)
    publish_calendar(rig.log, calendar(2, "2026-03-05T00:00:00Z"), NOON + 2)
    rules = rulebook(rig.log)
    assert "calendar:plant@1" == published.calendar.key
    assert ["op@1", "calendar:plant@1", "calendar:plant@2"] == version_names(rules)
    assert ["op"] == [entry.template.template for entry in publications(rig.log)]
    assert NOON + 2 == rules.published_at
    assert instant("2026-03-05T00:00:00Z") == unknown_since(["op@1", "calendar:plant@1"], rules)
    assert None is unknown_since(version_names(rules), rules)
    assert ["op@1", "calendar:plant@1"] == version_names(only(rules, ["op@1", "calendar:plant@1"]))
    assert ["calendar:plant@1"] == version_names(rulebook(rig.log, NOON))
    assert is_published_calendar(rig.log, calendar())
    assert not is_published_calendar(rig.log, calendar(3))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (calendar(), "version"),
        (calendar(2, "2026-03-02T12:00:00Z"), "effective_from"),
        (calendar(2, "2026-03-09T00:00:00Z", early=-60_000), "early"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_field(rig: Rig, wrong: str, field: str) -> None:
    """A number that is taken, an instant of the past, a text that is none; nothing enters the log."""
    publish_calendar(rig.log, calendar(), instant("2026-03-02T12:00:00Z"))
    with pytest.raises(CalendarRefused) as refused:
        publish_calendar(rig.log, wrong, instant("2026-03-02T12:00:00Z"))
    assert field in [error.field for error in refused.value.report.errors]
    assert 1 == len(calendars(rig.log))


def test_what_lies_in_the_log_against_the_rules_has_no_effect(rig: Rig) -> None:
    """A number twice, a later version that reaches into the past, no calendar; of the key only the beginning counts."""
    for at, value in enumerate(
        (
            calendar(since="2030-01-01T00:00:00Z"),
            calendar(),
            calendar(2, "2026-03-02T11:00:00Z"),
            "none",
            template(),
            calendar(4, "2026-03-09T00:00:00Z"),
        )
    ):
        rig.append([Outgoing(TEMPLATES, 0, NOON + at * HOUR, b"calendar:x", value.encode())])
    rig.append(
        [Outgoing(TEMPLATES, 1, NOON, b"calendar:y", b"\xff"), Outgoing(TEMPLATES, 1, NOON, b"calendar:z", None)]
    )
    assert ["calendar:plant@4", "calendar:plant@1"] == version_names(rulebook(rig.log))
    assert [1, 4] == [entry.calendar.version for entry in calendars(rig.log)]
    with pytest.raises(CalendarRefused, match="write 5"):
        publish_calendar(rig.log, calendar(3, "2026-03-10T00:00:00Z"), NOON + 9 * HOUR)
