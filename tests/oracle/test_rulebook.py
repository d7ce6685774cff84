"""Which template version is in force, and which publications count at all."""

import pytest

from agents.oracle import LogRecord
from agents.oracle.rulebook import publications
from agents.oracle.template import TemplateError, read_template
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, MIXED, NOON, YIELD, Log, published, template

MARCH_3 = "2026-03-03T00:00:00Z"
MARCH_4 = "2026-03-04T00:00:00Z"


def valid(*texts: tuple[str, int]) -> list[int]:
    """The version numbers that count of these (text, publication time) in log order."""
    records = [LogRecord("templates", 0, at, sent, None, text.encode()) for at, (text, sent) in enumerate(texts)]
    return [found.version for _, found in publications(records)]


def test_first_version_may_begin_before_its_publication() -> None:
    """A template's first version takes effect at any instant that an event may have."""
    assert valid((template(effective_from="2001-01-01T00:00:00Z"), NOON)) == [1]
    assert valid((template(effective_from="2000-01-01T00:00:00Z"), NOON)) == [1]
    assert valid((template(effective_from="1999-12-31T23:59:59.999Z"), NOON)) == []


@pytest.mark.parametrize(
    ("key", "counts"),
    [("op@1", 1), ("organisation@1", 1), ("organisation", 0), ("calendar:a@1", 0), ("case-mix:op/yield@1", 0)],
)
def test_a_key_may_say_that_a_record_is_no_template(key: str, counts: int) -> None:
    """Whatever text it holds."""
    assert counts == len(publications([LogRecord("templates", 0, 0, NOON, key.encode(), template().encode())]))


@pytest.mark.parametrize(("published_at", "counts"), [(MIDNIGHT + DAY - 1, True), (MIDNIGHT + DAY, False)])
def test_further_version_takes_effect_later_than_its_publication(published_at: int, counts: bool) -> None:
    """A second version that begins at its publication or before is ignored."""
    later = template(version=2, effective_from=MARCH_3)
    assert valid((template(), MIDNIGHT), (later, published_at)) == ([1, 2] if counts else [1])


def test_published_number_is_taken() -> None:
    """A version number counts once; another template has numbers of its own."""
    again = template(effective_from=MARCH_3)
    assert valid((template(), MIDNIGHT), (again, MIDNIGHT), (template(name="other"), NOON)) == [1, 1]


def test_ignored_publication_leaves_its_number_free() -> None:
    """A version that broke the rule may be published again, later."""
    late = template(version=2, effective_from=MARCH_3)
    good = template(version=2, effective_from="2026-04-01T00:00:00Z")
    assert valid((template(), MIDNIGHT), (late, NOON + 2 * DAY), (good, NOON + 2 * DAY)) == [1, 2]


def test_first_is_the_first_in_the_log() -> None:
    """A lower number published afterwards is no first version."""
    assert valid((template(version=2), MIDNIGHT), (template(version=1), MIDNIGHT)) == [2]


def test_across_partitions_log_time_gives_the_order() -> None:
    """Versions in different partitions are ordered by the moment of publication."""
    first = LogRecord("templates", 1, 0, MIDNIGHT, None, template(effective_from=MARCH_3).encode())
    second = LogRecord("templates", 0, 0, NOON, None, template(version=2).encode())
    assert [found.version for _, found in publications([second, first])] == [1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "template: [",
        "template: op\nversion: 1",
        template() + "extra: 1",
        template(YIELD.replace("from:", "color: red, from:")),
        template(effective_from="2026-03-02"),
        template(effective_from="2026-03-02T00:00:00"),
        template(timezone="Mars/Olympus"),
        template(timezone="../../etc/passwd"),
        template(applies_to="{teams: [a]}"),
        template(applies_to="operators"),
        template(YIELD.replace("accepted / inspected", "accepted /")),
        template(YIELD.replace("accepted / inspected", "value / inspected")),
        template(YIELD.replace("[day]", "[hourly]")),
        template(YIELD.replace("[day]", "day")),
        template(YIELD.replace("target: 0.5", "target: high")),
        template(YIELD.replace("target: 0.5", "weight: .inf")),
        template(YIELD.replace("target: 0.5", "points: accepted")),
        template(YIELD.replace("target: 0.5", "dimension: mood")),
        template(YIELD.replace("rate: {good: accepted, of: inspected}", "min_sample: 3")),
        template(YIELD.replace("of: inspected", "off: inspected")),
        template(YIELD, YIELD),
        template().replace("version: 1", "version: 1.5"),
    ],
)
def test_text_that_is_no_template_was_never_published(text: str) -> None:
    """A template that cannot be read, unknown fields included, does not count."""
    with pytest.raises(TemplateError):
        read_template(text)
    assert valid((text, MIDNIGHT)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("[stage, product]", "[]"),
        ("[stage, product]", "stage"),
        ("[stage, product]", ""),
        ("[stage, product]", "[stage, stage]"),
        ("[stage, product]", "[a, b, c, d, e]"),
        ("[stage, product]", "[stage, '']"),
        ("[stage, product]", "[stage, [product]]"),
        ("rate: {good: accepted, of: inspected}, ", ""),
        ("good: accepted", "good: inspected"),
        ("good: accepted", "good: inspected - scrapped"),
        ("good: accepted", "good: -accepted"),
        ("of: inspected", "of: 10"),
        ("of: inspected", "of: 1 * inspected"),
        ("of: inspected", "of: 'target(\"quota\")'"),
    ],
)
def test_invalid_case_mix_makes_the_text_no_template(right: str, wrong: str) -> None:
    """One to four names of dims, each once, over a rate of one plain measure in another."""
    with pytest.raises(TemplateError):
        read_template(template(MIXED.replace(right, wrong)))


def test_case_mix_is_read_in_its_order() -> None:
    """From coarse to fine as it stands there; empty without the field."""
    (indicator,) = read_template(template(MIXED.replace("stage, product", "d, c, b, no"))).indicators
    assert indicator.case_mix == ("d", "c", "b", "no")
    assert read_template(template()).indicators[0].case_mix == ()


def test_tombstones_and_broken_bytes_are_passed_over() -> None:
    """A template record without a readable value does not count."""
    records = [LogRecord("templates", 0, 0, NOON, b"op@1", None), LogRecord("templates", 0, 1, NOON, b"op@1", b"\xff")]
    assert publications(records) == []


def test_scalars_are_read_as_they_stand() -> None:
    """YAML 1.1 would make of these texts a truth, an octal number and a time: here they are what was written."""
    read = read_template(
        template("{id: on, from: qc.inspection, where: {a: no, b: [010, 1]}, value: a, windows: [day]}")
    )
    (indicator,) = read.indicators
    assert indicator.where == (("a", frozenset({"no"})), ("b", frozenset({"010", "1"})))
    assert indicator.id == "on"


def test_two_versions_share_an_event_by_its_time() -> None:
    """An event belongs to the version in force when it occurred, the later from its first moment on."""
    log = published(template(), template(version=2, effective_from=MARCH_3))
    for hours in (-1, 0, 1):
        log.send(event_id=f"e{hours}", occurred_at=MIDNIGHT + DAY + hours * HOUR)
    assert log.row(MIDNIGHT + DAY - 1)["version"] == 1
    assert log.ids(MIDNIGHT + DAY - 1) == ["e-1"]
    assert log.row(MIDNIGHT + DAY)["version"] == 2
    assert log.ids(MIDNIGHT + DAY) == ["e0", "e1"]


def test_of_versions_with_one_effective_time_the_higher_is_in_force() -> None:
    """Versions are sorted by effective time, then number."""
    log = published(template(version=2), template(version=3, effective_from=MARCH_3))
    log.publish(template(version=1, effective_from=MARCH_3))
    assert [row["version"] for row in _rows_of_an_event(log, MIDNIGHT + DAY)] == [3]


def test_version_published_out_of_order_ends_at_the_next_effective_time() -> None:
    """A version published later may begin before one that waits."""
    log = published(template(), template(version=2, effective_from=MARCH_4))
    log.publish(template(version=3, effective_from=MARCH_3))
    found = [_rows_of_an_event(log, MIDNIGHT + day * DAY)[0]["version"] for day in (0, 1, 2)]
    assert found == [1, 3, 2]


def test_window_is_cut_where_the_version_begins() -> None:
    """Rolling, calendar and `all` windows hold only the version's own time; only `all` starts there by name."""
    windows = YIELD.replace("[day]", "[rolling 240m, day, month, all]")
    log = published(template(windows), template(windows, version=2, effective_from="2026-03-02T10:00:00Z"))
    for hour in range(8, 13):
        log.send(event_id=f"e{hour}", occurred_at=MIDNIGHT + hour * HOUR)
    starts = {"rolling 240m": NOON - 225 * 60_000, "day": MIDNIGHT, "month": MIDNIGHT - DAY, "all": NOON - 2 * HOUR}
    for window, start in starts.items():
        assert log.ids(NOON, window=window) == ["e10", "e11", "e12"]
        assert start == log.row(NOON, window=window)["window_start"]
    assert log.ids(NOON - 3 * HOUR, window="all") == ["e8", "e9"]


def test_role_counts_at_the_time_of_each_event() -> None:
    """A row holds the events at whose time the version applied, and exists when it applies as of now."""
    log = published(template(applies_to="{roles: [operator]}"))
    log.assign(NOON - 3 * HOUR, role="operator")
    log.assign(NOON - 2 * HOUR, role="guest")
    log.assign(NOON - HOUR, role="operator")
    for hours in range(4):
        log.send(event_id=f"e{hours}", occurred_at=NOON - hours * HOUR)
    assert log.ids(NOON) == ["e3", "e1", "e0"]
    assert log.rows(NOON - 2 * HOUR, "yield", "day") == []
    assert log.ids(NOON - 2 * HOUR) == []


def test_event_enters_every_template_that_applies() -> None:
    """Rows are per template, by name."""
    log = published(template(name="b"), template(name="a"))
    log.send()
    assert [row["template"] for row in log.rows(NOON, "yield", "day")] == ["a", "b"]


@pytest.mark.parametrize(
    ("dims", "matches"),
    [
        ({"stage": "semi", "line": "L1"}, True),
        ({"stage": "semi", "line": "L2", "more": "x"}, True),
        ({"stage": "semi", "line": "L3"}, False),
        ({"stage": "semi"}, False),
        ({"line": "L1"}, False),
        ({}, False),
    ],
)
def test_where_asks_for_every_dim_with_one_of_its_values(dims: dict[str, str], matches: bool) -> None:
    """Each dim of `where` must be present with the value, or one of the values, given."""
    log = published(template(YIELD.replace("from:", "where: {stage: semi, line: [L1, L2]}, from:")))
    log.send(dims=dims)
    assert log.outcomes() == ({"scored": 1} if matches else {"unused": 1})


def _rows_of_an_event(log: Log, as_of: int) -> list[dict[str, object]]:
    log.send(event_id=f"e{as_of}", occurred_at=as_of)
    return list(log.rows(as_of, "yield", "day"))
