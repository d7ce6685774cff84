"""calendars: wrong ones are told in full, right ones are published once, and what they come to can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

NIGHT = """\
calendar: plant
version: 1
effective_from: 2026-10-20T00:00:00+02:00
timezone: Europe/Berlin
units: [L01, L02]
early: 30m
shifts:
  early: {start: "06:00", end: "14:00", breaks: [{start: "10:00", end: "10:15"}]}
  night: {start: "22:00", end: "06:00"}
week: {sat: [early, night], sun: [night]}
"""


def file(text: str, name: str = "c.yaml") -> str:
    """A file with this text."""
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_a_calendar_that_is_fine_says_what_it_is(run: Run) -> None:
    """Which version, from when on; nothing is published."""
    result = run("calendars", "check", file(NIGHT))
    assert (0, "c.yaml: fine: plant@1, in force from 2026-10-20T00:00:00+02:00 (Europe/Berlin)\n") == result[:2]


def test_every_mistake_is_told_with_its_place(run: Run) -> None:
    """Line, field, value and remedy, as of templates; the exit code is 1."""
    wrong = NIGHT.replace("22:00", "25:00").replace("Europe/Berlin", "Berlin")
    result = run("calendars", "check", file(wrong), "--format", "csv")
    assert 1 == result.code
    assert [] == [text for text in ("25:00", "Berlin", "shifts.night.start") if text not in result.out]


def test_shifts_are_seen_before_they_are_published(run: Run) -> None:
    """A night over the change to winter time lasts nine hours; nobody works on Monday morning's early shift."""
    result = run(
        "calendars", "shifts", "L01", "--file", file(NIGHT), "--from", "2026-10-24T00:00:00+02:00", "--days", "3",
        "--format", "csv",
    )  # fmt: skip
    assert [
        "unit,starts,ends,counts_from,counts_until",
        "L01,2026-10-24T06:00:00+02:00,2026-10-24T14:00:00+02:00,2026-10-24T05:30:00+02:00,2026-10-24T21:30:00+02:00",
        "L01,2026-10-24T22:00:00+02:00,2026-10-25T06:00:00+01:00,2026-10-24T21:30:00+02:00,2026-10-25T21:30:00+01:00",
        "L01,2026-10-25T22:00:00+01:00,2026-10-26T06:00:00+01:00,2026-10-25T21:30:00+01:00,2026-10-31T05:30:00+01:00",
    ] == result.out.splitlines()


def test_a_version_is_published_once(run: Run) -> None:
    """It is listed, shown as it was written, and its number is taken then; what comes later begins later."""
    assert "published plant@1" in run("calendars", "publish", file(NIGHT)).out
    again = run("calendars", "publish", file(NIGHT.replace("[L01, L02]", "everyone")))
    assert 1 == again.code
    assert "is published already" in again.out
    assert NIGHT == run("calendars", "show", "plant").out
    listed = run("calendars", "list", "--format", "csv").out.splitlines()[1]
    assert listed.startswith("plant,1,2026-10-20T00:00:00+02:00,")
    assert listed.endswith('Europe/Berlin,"L01, L02","early, night",in force')
    assert "L02" in run("calendars", "shifts", "L02", "--from", "2026-10-24T00:00:00+02:00").out
    assert [] == run("calendars", "shifts", "L03", "--format", "ndjson").out.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shifts", "L01", "--from", "today", "--file", "c.yaml"), "--from 'today'"),
        (("shifts", "L01", "--days", "0", "--file", "c.yaml"), "--days 0: write 1 to 400"),
        (("show", "plant@x"), "write ID or ID@VERSION"),
    ],
)
def test_words_that_make_no_sense_are_named(run: Run, words: tuple[str, ...], said: str) -> None:
    """With what would be right; the exit code is 2."""
    file(NIGHT)
    result = run("calendars", *words)
    assert (2, True) == (result.code, said in result.err)


def test_a_calendar_that_is_not_there_is_named_with_those_that_are(run: Run) -> None:
    """And the exit code is 1."""
    run("calendars", "publish", file(NIGHT))
    result = run("calendars", "show", "office")
    assert (1, True) == (result.code, "there are plant@1" in result.err)
