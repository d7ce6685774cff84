"""What is one plain YAML document, and what it holds: texts, lists and mappings."""

from typing import NamedTuple

import pytest

from agents.oracle.shift_calendar import read_calendar
from agents.oracle.template import read_template
from agents.oracle.yaml_text import Plain, YamlError, is_empty, read_yaml
from tests.oracle.logs import calendar, template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1", {"a": "1"}),
        (
            "a: [yes, 22:00, 2026-03-02, 0x1F, '1', \"\\u4e2d\"]",
            {"a": ["yes", "22:00", "2026-03-02", "0x1F", "1", "中"]},
        ),
        ("{1: {}, ~: []}", {"1": {}, "~": []}),
        ("%YAML 1.1\n--- a\n...\n", "a"),
        ("--- |\n  a\n  b\n", "a\nb\n"),
        ("a:", {"a": ""}),
        ("[" * 16 + "]" * 16, [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]),
        ("<<: {a: b}", {"<<": {"a": "b"}}),  # merges nothing
        ("{[a: b]: c}".replace("[a: b]", "'[a: b]'"), {"[a: b]": "c"}),
    ],
)
def test_a_document_is_its_texts(text: str, expected: object) -> None:
    """Nothing is a number, a truth, a date or nothing."""
    assert expected == read_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "# nothing", "a\n--- b", "a: 1\n---\n", "a: &x 1", "a: *x", "&x a: 1", "a: !!str 1", "! a", "!x {}",
        "{a: 1, a: 2}", "{a: 1, 'a': 2}", "{[a]: b}", "? {a: b}\n: c", "[", "a: b: c", "\ta: 1", '"\\U99999999"',
        "%YAML 9.1\n--- a", "\x07", "[" * 17 + "]" * 17, f"[{'1,' * 20_000}]", f"a: {'x' * 262_142}",
    ],
)  # fmt: skip
def test_other_texts_are_none(text: str) -> None:
    """No document or two, references, tags, names that stand twice, too deep, too much, no YAML."""
    with pytest.raises(YamlError):
        read_yaml(text)


def test_the_largest_documents() -> None:
    """What is just within the limits."""
    assert 19_999 == len(read_yaml(f"[{'1,' * 19_999}]"))  # type: ignore[arg-type]
    assert isinstance(read_yaml("x" * 262_144), str)


@pytest.mark.parametrize(
    ("written", "says_nothing"),
    [
        ("", True),
        ("~", True),
        ("null", True),
        ("NULL", True),
        ("nULL", False),
        ("'~'", False),
        ("' '", True),
        ("0", False),
    ],
)
def test_what_says_nothing(written: str, says_nothing: bool) -> None:
    """Blank, or null without quotes."""
    found = read_yaml(f"a: {written}")
    assert isinstance(found, dict)
    assert says_nothing == is_empty(found["a"])


def _texts(value: object) -> list[type]:
    """The types of all texts within."""
    if isinstance(value, str):
        return [type(value)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | frozenset) else ()
    return [found for part in parts for found in _texts(part)]


@pytest.mark.parametrize("read", [read_template(template()), read_calendar(calendar(units="[L1]"))])
def test_how_a_text_was_written_is_forgotten(read: NamedTuple) -> None:
    """Alerts and rows are compared by type, too."""
    assert Plain not in _texts(tuple(read))
    assert str in _texts(tuple(read))
