"""The soak's workload holds what it promises, and the same seed gives the same."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice

from agents.oracle.event import Rejected, read_event
from agents.oracle.log import LogRecord
from agents.transport.embedded.log import Outgoing
from schemas.instants import DAY, HOUR, instant_of
from stream.calendars import Calendars
from stream.shift_calendar import check_calendar, load_calendar
from stream.template import check
from tests.soak.calendars import SITES, calendar
from tests.soak.sender import stream
from tests.soak.templates import ROLES, template
from tests.soak.workload import PARTITIONS, UNITS, first_assignments

START = 1_772_439_300_000


def _reason(record: Outgoing) -> str:
    topic, partition, timestamp, key, value, _ = record
    try:
        read_event(LogRecord(topic, partition, 0, timestamp, key, value), PARTITIONS)
    except Rejected as rejected:
        return rejected.reason
    return ""


def test_the_same_seed_gives_the_same_records() -> None:
    """A sender that starts again sends what it would have sent."""
    first, again = (list(islice(stream("7.0.1", START, False), 500)) for _ in range(2))
    assert first == again
    assert first != list(islice(stream("7.0.2", START, False), 500))


def test_bad_input_of_every_kind_is_among_it() -> None:
    """About one record in a hundred is refused, for many reasons; conflicts come on top."""
    reasons = Counter(map(_reason, islice(stream("1", START, False), 20_000)))
    assert 0.005 < 1 - reasons[""] / 20_000 < 0.03
    assert {
        "not_json", "too_large", "schema", "bad_id", "bad_time", "in_future", "bad_measure", "inconsistent",
        "key_mismatch", "unknown_type", "wrong_topic",
    } == reasons.keys() - {""}  # fmt: skip


def test_who_is_known_from_the_beginning_is_known_rightly() -> None:
    """The first assignments are valid events."""
    assert {""} == {_reason(record) for record in first_assignments(START)}


def test_every_version_of_every_template_can_be_published() -> None:
    """Nothing is refused that a round counts on."""
    for name in ROLES:
        for version in range(1, 5):
            report = check(template(name, version, START), published_at=START)
            assert report.errors == ()
    for site in SITES:
        for version in range(1, 9):
            planned = check_calendar(calendar(site, version, START), published_at=START)
            assert (planned.errors, planned.warnings) == ((), ())


def test_people_change_sites_and_shifts_turn_over() -> None:
    """Transfers go between the sites, and events of one sender lie in many shifts of both."""
    found = Calendars(load_calendar(calendar(site, 1, START - 60 * DAY)) for site in SITES)
    records = list(islice(stream("1", START, False), 20_000))
    said = [json.loads(r.value or b"") for r in records if _reason(r) == ""]
    moved = {e["dims"].get("unit") for e in said if e["type"] == "people.assignment"}
    assert set(UNITS) <= moved
    for unit in UNITS:
        work = [instant_of(e["occurred_at"]) for e in said if e.get("dims", {}).get("line") == unit]
        assert len({found.begins(unit, at) for at in work if at is not None}) > 10


def test_each_version_of_a_calendar_divides_time_otherwise() -> None:
    """A later version that said the same would show nothing."""
    for site, unit in (("east", "L01"), ("west", "L03")):
        one, two = (Calendars([load_calendar(calendar(site, version, START - DAY))]) for version in (1, 2))
        assert [one.shift(unit, START + n * HOUR) for n in range(24)] != [
            two.shift(unit, START + n * HOUR) for n in range(24)
        ]
